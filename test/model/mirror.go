package model

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"testing/fstest"

	"github.com/backout-dev/backout/bot"
)

// mirror is the repository as the bot last fetched it.
type mirror struct {
	w     *World
	heads map[string]bot.SHA
	known int // commits that existed at the last fetch
}

var _ bot.History = (*mirror)(nil)

// Fetch implements bot.History.
func (m *mirror) Fetch(context.Context, bot.RepoName) error {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	return m.fetch()
}

func (m *mirror) fetch() error {
	if err := m.w.reach(); err != nil {
		return err
	}
	m.heads, m.known = maps.Clone(m.w.repo.heads), len(m.w.repo.nodes)
	return nil
}

// node is a commit of the mirror. As the real one does, it fetches once for a
// commit that it lacks.
func (m *mirror) node(sha bot.SHA) (*node, error) {
	n := m.w.repo.nodes[sha]
	if n == nil || n.order >= m.known {
		if err := m.fetch(); err != nil {
			return nil, err
		}
	}
	if n == nil {
		return nil, bot.NewTrouble(bot.TroubleNotFound, nil, "There is no commit %s.", sha.Short())
	}
	return n, nil
}

func read[T any](m *mirror, get func() (T, error)) (T, error) {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	return get()
}

// Resolve implements bot.History.
func (m *mirror) Resolve(_ context.Context, _ bot.RepoName, rev string) (bot.SHA, error) {
	return read(m, func() (bot.SHA, error) {
		if sha, ok := m.heads[rev]; ok {
			return sha, nil
		}
		found := slices.DeleteFunc(m.w.repo.abbreviated(rev), func(n *node) bool { return n.order >= m.known })
		switch {
		case len(rev) < 7 || len(found) == 0:
			return "", bot.NewTrouble(bot.TroubleNotFound, nil, "There is no commit %s.", rev)
		case len(found) > 1:
			return "", bot.NewTrouble(bot.TroubleInvalid, nil, "%s is ambiguous.", rev)
		}
		return found[0].SHA, nil
	})
}

// Default implements bot.History.
func (m *mirror) Default(context.Context, bot.RepoName) (string, error) { return "main", nil }

// Commit implements bot.History.
func (m *mirror) Commit(_ context.Context, _ bot.RepoName, sha bot.SHA) (bot.Commit, error) {
	return read(m, func() (bot.Commit, error) {
		n, err := m.node(sha)
		if err != nil {
			return bot.Commit{}, err
		}
		return n.Commit, nil
	})
}

// Log implements bot.History.
func (m *mirror) Log(_ context.Context, q bot.LogQuery) ([]bot.Commit, error) {
	return read(m, func() ([]bot.Commit, error) {
		from, err := m.node(q.From)
		if err != nil {
			return nil, err
		}
		var out []bot.Commit
		for _, n := range m.w.repo.firstParents(from) {
			if n.SHA == q.Until || q.Limit > 0 && len(out) == q.Limit {
				break
			}
			if len(q.Paths) == 0 || slices.ContainsFunc(n.Paths, func(p string) bool { return below(p, q.Paths) }) {
				out = append(out, n.Commit)
			}
		}
		return out, nil
	})
}

func below(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return root == "." || path == root || len(path) > len(root) && path[:len(root)+1] == root+"/"
	})
}

// Contains implements bot.History.
func (m *mirror) Contains(_ context.Context, _ bot.RepoName, tip, commit bot.SHA) (bool, error) {
	return read(m, func() (bool, error) {
		t, err := m.node(tip)
		if err != nil {
			return false, err
		}
		_, err = m.node(commit)
		return t.past[commit] != nil, err
	})
}

// Revert implements bot.History.
func (m *mirror) Revert(_ context.Context, _ bot.RepoName, onto bot.SHA, c bot.Change) (bot.Revert, error) {
	return read(m, func() (bot.Revert, error) {
		out := bot.Revert{Onto: onto}
		n, err := m.node(onto)
		if err != nil {
			return out, err
		}
		tree, conflicts := m.w.repo.revert(n, c)
		switch {
		case len(conflicts) > 0:
			out.Status = bot.RevertConflict
			for _, p := range conflicts {
				out.Conflicts = append(out.Conflicts, bot.Conflict{Path: p, Kind: "content"})
			}
		case tree.tree() == n.Tree:
			out.Status, out.By = bot.RevertEmpty, ""
		default:
			out.Status, out.Tree, out.Files = bot.RevertClean, tree.tree(), changes(n.files, tree, nil)
		}
		return out, nil
	})
}

// changes lists what differs between two trees below roots.
func changes(before, after files, roots []string) []bot.FileChange {
	var out []bot.FileChange
	for _, path := range differ(before, after) {
		if len(roots) > 0 && !below(path, roots) {
			continue
		}
		c := bot.FileChange{Path: path}
		if has(before, path) {
			c.Before, c.BeforeMode = []byte(before[path]), "100644"
		}
		if has(after, path) {
			c.After, c.AfterMode = []byte(after[path]), "100644"
		}
		out = append(out, c)
	}
	return out
}

// Tree implements bot.History.
func (m *mirror) Tree(_ context.Context, _ bot.RepoName, rev bot.SHA) (fs.FS, error) {
	return read(m, func() (fs.FS, error) {
		n, err := m.node(rev)
		if err != nil {
			return nil, err
		}
		out := fstest.MapFS{}
		for path, text := range n.files {
			out[path] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
		}
		return out, nil
	})
}

// Diff implements bot.History.
func (m *mirror) Diff(_ context.Context, _ bot.RepoName, from, to bot.SHA, paths []string) ([]bot.FileChange, error) {
	return read(m, func() ([]bot.FileChange, error) {
		a, err := m.node(from)
		if err != nil {
			return nil, err
		}
		b, err := m.node(to)
		if err != nil {
			return nil, err
		}
		return changes(a.files, b.files, paths), nil
	})
}
