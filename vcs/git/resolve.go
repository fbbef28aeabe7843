package git

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/backout-dev/backout/bot"
)

// minAbbreviation is how few digits of a SHA people may type.
const minAbbreviation = 7

// maxCandidates is how many commits an ambiguous abbreviation is told to mean.
const maxCandidates = 5

// Resolve turns a branch name or a full or abbreviated SHA (7 digits or more) into
// a commit. A full SHA is never taken for a branch, a branch named like an
// abbreviation is the branch, as in git. TroubleNotFound when there is none;
// TroubleInvalid when rev is ambiguous, naming the candidates, or is no name at all.
func (ms *Mirrors) Resolve(ctx context.Context, repo bot.RepoName, rev string) (bot.SHA, error) {
	if !plausible(rev) {
		return "", bot.NewTrouble(bot.TroubleInvalid, nil, "%q is neither a branch nor a commit", rev)
	}
	digits := strings.ToLower(rev)
	if sha := bot.SHA(digits); sha.Valid() {
		_, err := ms.read(ctx, repo, sha)
		return sha, err
	}
	s, err := ms.read(ctx, repo)
	if err != nil {
		return "", err
	}
	if h, ok := s.head(rev); ok {
		return toSHA(h), nil
	}
	if len(digits) >= minAbbreviation && len(digits) < 40 && strings.Trim(digits, "0123456789abcdef") == "" {
		found, err := s.commitsWithPrefix(digits)
		if err != nil {
			return "", ms.failed("resolve "+digits, repo, s, err)
		}
		switch {
		case len(found) == 1:
			return toSHA(found[0]), nil
		case len(found) > 1:
			return "", ambiguous(rev, repo, found)
		}
	}
	return "", bot.NewTrouble(bot.TroubleNotFound, nil, "%q is neither a branch nor a commit of %s", rev, repo)
}

// plausible reports whether rev could be a branch or a SHA. It follows git
// check-ref-format, and refuses what programs could take for an option.
func plausible(rev string) bool {
	name := plumbing.ReferenceName(headPrefix + rev)
	return rev != "" && rev != "@" && len(rev) <= 250 && rev[0] != '-' && name.Validate() == nil
}

func ambiguous(rev string, repo bot.RepoName, found []hash) error {
	var names []string
	for _, h := range found[:min(len(found), maxCandidates)] {
		names = append(names, h.String()[:12])
	}
	if more := len(found) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return bot.NewTrouble(bot.TroubleInvalid, nil, "%s could be any of these commits of %s: %s", rev, repo, strings.Join(names, ", ")).
		WithAdvice("Give more digits of the commit's SHA.")
}

// commitsWithPrefix lists the commits whose names begin with some digits. Other
// objects that do are no candidates, as for git where a commit is asked for.
func (s *store) commitsWithPrefix(digits string) ([]hash, error) {
	whole, err := hex.DecodeString(digits[:len(digits)&^1])
	if err != nil {
		return nil, err
	}
	// Nothing is missed here that would make anybody look for new packs.
	s.packed.Refresh()
	s.mu.Lock()
	all, err := s.library().HashesWithPrefix(whole)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	var commits []hash
	for _, h := range all {
		if !strings.HasPrefix(h.String(), digits) {
			continue
		}
		if _, err := s.commit(h); err == nil {
			commits = append(commits, h)
		}
	}
	slices.SortFunc(commits, func(a, b hash) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(commits), nil
}
