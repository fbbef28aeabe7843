package git

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// maxPacks is how many packs a mirror may gather, one for each fetch that brought
// something, before it is cloned anew in the background: every read asks each pack.
const maxPacks = 500

// clone makes a new mirror beside the place where it belongs and returns its
// directory. Whatever interrupts it, no half mirror is ever where a whole one is
// expected.
func (ms *Mirrors) clone(ctx context.Context, m *mirror, r remote) (fresh string, err error) {
	fresh, err = os.MkdirTemp(ms.cfg.Dir, unfinished)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(fresh)
		}
	}()
	for _, dir := range []string{"objects/pack", "refs/heads"} {
		if err := os.MkdirAll(filepath.Join(fresh, dir), 0o700); err != nil {
			return "", err
		}
	}
	for name, content := range map[string]string{
		"HEAD":        "ref: refs/heads/main\n",
		"config":      "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
		"packed-refs": "", // an empty repository is a mirror, too
	} {
		if err := os.WriteFile(filepath.Join(fresh, name), []byte(content), 0o600); err != nil {
			return "", err
		}
	}
	r.progress = func(bytes int64) { m.log.Info("cloning", "bytes", bytes) }
	if len(ms.cfg.CloneCommand) > 0 {
		if err = r.cloneApart(ctx, ms.cfg.CloneCommand, fresh); !errors.Is(err, errNotStarted) {
			return fresh, err
		}
		m.log.Warn("cloning in the bot's own process", "error", err)
	}
	return fresh, r.fetchInto(ctx, fresh)
}

// fetchInto fetches into a mirror that nobody reads yet.
func (r *remote) fetchInto(ctx context.Context, dir string) error {
	s, err := openStore(dir)
	if err != nil {
		return err
	}
	err = r.fetch(ctx, s)
	if closeErr := s.close(); err == nil {
		err = closeErr
	}
	return err
}

// install puts a new clone in the mirror's place. Until then the old mirror, if
// there is one, still serves what it can.
func (m *mirror) install(fresh string) (err error) {
	defer func() {
		if err != nil {
			_ = os.RemoveAll(fresh)
		}
	}()
	if err := m.discard(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.dir), 0o700); err != nil {
		return err
	}
	return os.Rename(fresh, m.dir)
}

// packs counts the packs of a mirror.
func (s *store) packs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, _ := s.git.ObjectPacks()
	return len(all)
}

// renew replaces a mirror of many packs by a fresh clone, in the background: a
// revert never waits for housekeeping.
func (ms *Mirrors) renew(m *mirror) {
	if !m.renewing.CompareAndSwap(false, true) {
		return
	}
	if !ms.begin() {
		return
	}
	go func() {
		defer ms.wait.Done()
		defer m.renewing.Store(false)
		ctx, cancel := context.WithTimeout(ms.ctx, ms.cfg.Timeout)
		defer cancel()
		if err := ms.replace(ctx, m); err != nil {
			ms.cfg.Log.Warn("mirror could not be renewed", "repo", m.repo, "error", err)
		}
	}()
}

func (ms *Mirrors) replace(ctx context.Context, m *mirror) error {
	r, err := ms.remote(ctx, m.repo)
	if err != nil {
		return err
	}
	fresh, err := ms.clone(ctx, m, r)
	if err != nil {
		return scrub(err, r.token)
	}
	m.fetching.Lock()
	defer m.fetching.Unlock()
	// What was pushed while cloning must not seem to be gone again.
	if err := r.fetchInto(ctx, fresh); err != nil {
		_ = os.RemoveAll(fresh)
		return scrub(err, r.token)
	}
	if old, err := m.open(); old != nil && err == nil {
		// The commits are the same.
		if err := old.index.save(filepath.Join(fresh, indexFile)); err != nil {
			m.log.Warn("history index could not be written", "error", err)
		}
	}
	if err := m.install(fresh); err != nil {
		return err
	}
	ms.cfg.Log.Info("mirror renewed", "repo", m.repo)
	return nil
}
