package git

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

const headPrefix = "refs/heads/"

// readHeads reads the branches from disk.
func (s *store) readHeads() (map[string]hash, error) {
	refs, err := s.git.IterReferences()
	if err != nil {
		return nil, fmt.Errorf("read branches of %s: %w", s.dir, err)
	}
	heads := make(map[string]hash)
	err = refs.ForEach(func(r *plumbing.Reference) error {
		if name, ok := strings.CutPrefix(string(r.Name()), headPrefix); ok && r.Type() == plumbing.HashReference {
			heads[name] = r.Hash()
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read branches of %s: %w", s.dir, err)
	}
	return heads, nil
}

// head is the commit of a branch.
func (s *store) head(branch string) (hash, bool) {
	s.headsMu.RLock()
	defer s.headsMu.RUnlock()
	h, ok := s.heads[branch]
	return h, ok
}

// allHeads are the branches as they are now.
func (s *store) allHeads() map[string]hash {
	s.headsMu.RLock()
	defer s.headsMu.RUnlock()
	return maps.Clone(s.heads)
}

// setHeads replaces all branches at once: on disk they live in one file, so that
// readers after a crash see the branches of one fetch, never of two.
func (s *store) setHeads(heads map[string]hash) error {
	var b bytes.Buffer
	b.WriteString("# pack-refs with: sorted \n")
	for _, name := range slices.Sorted(maps.Keys(heads)) {
		fmt.Fprintf(&b, "%s %s%s\n", heads[name], headPrefix, name)
	}
	if err := replaceFile(filepath.Join(s.dir, "packed-refs"), b.Bytes()); err != nil {
		return fmt.Errorf("write branches: %w", err)
	}
	s.headsMu.Lock()
	defer s.headsMu.Unlock()
	s.heads = heads
	return nil
}

// unnamed matches files that are being written.
const unnamed = ".tmp-*"

// replaceFile writes a file so that it is there whole or not at all.
func replaceFile(path string, content []byte) error {
	return replaceFileBy(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

func replaceFileBy(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), unnamed)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
