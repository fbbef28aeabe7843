package git

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/backout-dev/backout/bot"
)

// maxDiffContent is how much of each file Diff returns: its readers look for what
// changed in manifests, and none is that long.
const maxDiffContent = 1 << 20

// Diff lists the files that differ between two commits below paths (all, when
// empty), sorted by path. A rename is a file gone and a file come. Contents are cut
// after 1 MiB. A symlink's content is its target; a submodule's is the line "Subproject
// commit <sha>", as git diff has it.
func (ms *Mirrors) Diff(ctx context.Context, repo bot.RepoName, from, to bot.SHA, paths []string) ([]bot.FileChange, error) {
	s, err := ms.read(ctx, repo, from, to)
	if err != nil {
		return nil, err
	}
	files, err := s.diff(ctx, toHash(from), toHash(to), newScope(paths...))
	if err != nil {
		return nil, ms.failed(fmt.Sprintf("diff %s..%s", from.Short(), to.Short()), repo, s, err)
	}
	return files, nil
}

func (s *store) diff(ctx context.Context, from, to hash, in *scope) ([]bot.FileChange, error) {
	var trees [2]hash
	for i, h := range []hash{from, to} {
		c, err := s.commit(h)
		if err != nil {
			return nil, err
		}
		trees[i] = c.TreeHash
	}
	return fileChanges(ctx, s, trees[0], trees[1], in, maxDiffContent)
}

// maxContents is how much of all files together is read for one answer.
const maxContents = 512 << 20

// fileChanges compares two trees and reads both contents of each file, up to keep
// bytes of each.
func fileChanges(ctx context.Context, from objects, a, b hash, in *scope, keep int) ([]bot.FileChange, error) {
	all, err := changes(from, a, b, in)
	if err != nil {
		return nil, err
	}
	files := make([]bot.FileChange, 0, len(all))
	held := 0
	for _, c := range all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f := bot.FileChange{
			Path:       c.path,
			BeforeMode: c.before.mode.String(),
			AfterMode:  c.after.mode.String(),
		}
		if !c.after.absent() {
			f.Blob = toSHA(c.after.hash)
		}
		if f.Before, err = content(from, c.before, keep); err == nil {
			f.After, err = content(from, c.after, keep)
		}
		if held += len(f.Before) + len(f.After); err == nil && held > maxContents {
			err = errTooBig
		}
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", c.path, err)
		}
		files = append(files, f)
	}
	// Git's order puts a directory as if its name ended in a slash, which few expect.
	slices.SortStableFunc(files, func(x, y bot.FileChange) int { return cmp.Compare(x.Path, y.Path) })
	return files, nil
}

// content is what a file holds, up to keep bytes of it: nil when it is absent,
// never nil when it is there.
func content(from objects, e entry, keep int) ([]byte, error) {
	switch {
	case e.absent():
		return nil, nil
	case e.mode == modeModule:
		return fmt.Appendf(nil, "Subproject commit %s\n", e.hash), nil
	}
	b, err := from.blob(e.hash)
	switch {
	case err != nil:
		return nil, err
	case len(b) == 0:
		return []byte{}, nil
	}
	// A copy: what is read is shared, and nobody outside should have to know.
	return bytes.Clone(b[:min(len(b), keep)]), nil
}
