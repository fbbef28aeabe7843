package git

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"github.com/backout-dev/backout/bot"
)

// Default is the name of the repository's default branch as the last fetch saw
// it. TroubleNotFound when it has none: it is empty, or says of no branch that
// it is the default.
func (ms *Mirrors) Default(ctx context.Context, repo bot.RepoName) (string, error) {
	s, err := ms.read(ctx, repo)
	if err != nil {
		return "", err
	}
	s.headsMu.RLock()
	defer s.headsMu.RUnlock()
	if _, ok := s.heads[s.main]; !ok {
		return "", bot.NewTrouble(bot.TroubleNotFound, nil, "%s has no default branch", repo).
			WithAdvice("Choose one in the repository's settings on GitHub.")
	}
	return s.main, nil
}

// symbolicHead is how a HEAD file names the branch that it stands for.
const symbolicHead = "ref: " + headPrefix

// advertisedMain is the branch that a server's HEAD stands for
// (https://git-scm.com/docs/protocol-capabilities#_symref); empty when it stands
// for none.
func advertisedMain(c *capability.List) string {
	for _, pair := range c.Get(capability.SymRef) {
		if branch, ok := strings.CutPrefix(pair, "HEAD:"+headPrefix); ok && plausible(branch) {
			return branch
		}
	}
	return ""
}

// setMain keeps which branch is the default one, for readers after a restart,
// too.
func (s *store) setMain(branch string) error {
	s.headsMu.RLock()
	known := s.main
	s.headsMu.RUnlock()
	if branch == known {
		return nil
	}
	if err := replaceFile(filepath.Join(s.dir, "HEAD"), []byte(symbolicHead+branch+"\n")); err != nil {
		return fmt.Errorf("write default branch: %w", err)
	}
	s.headsMu.Lock()
	defer s.headsMu.Unlock()
	s.main = branch
	return nil
}

// readMain reads it from disk; empty when it does not stand there.
func (s *store) readMain() string {
	b, err := os.ReadFile(filepath.Join(s.dir, "HEAD"))
	branch, ok := bytes.CutPrefix(bytes.TrimSpace(b), []byte(symbolicHead))
	if err != nil || !ok {
		return ""
	}
	return string(branch)
}
