package git

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/backout-dev/backout/bot"
)

// Commit makes a branch on top of onto with one commit for each one taken back, and
// returns its tip. Messages are those of git revert; author and committer are
// who git would take. Commits that change nothing are left out. TroubleInvalid when
// the revert is not clean, the branch exists or its name is none, or git was not
// told who the user is.
func (t *TakenBack) Commit(branch string) (bot.SHA, error) {
	if t.Status != bot.RevertClean {
		return "", bot.NewTrouble(bot.TroubleInvalid, nil, "only a clean revert can be committed, this is %s", t.Status)
	}
	if !plausible(branch) || branch == "HEAD" {
		return "", bot.NewTrouble(bot.TroubleInvalid, nil, "%q can't be the name of a branch", branch)
	}
	if err := t.repo.free(headPrefix + branch); err != nil {
		return "", err
	}
	author, committer, err := t.repo.identities()
	if err != nil {
		return "", err
	}
	w := &writer{repo: t.repo, made: t.outcome.made}
	tip, tree := t.revert.onto, t.outcome.from
	for i, st := range t.revert.steps {
		if t.outcome.trees[i] == tree {
			continue
		}
		if tree = t.outcome.trees[i]; err == nil {
			err = w.tree(tree)
		}
		var message string
		if err == nil {
			message, err = t.message(st)
		}
		if err == nil {
			text := fmt.Sprintf("tree %s\nparent %s\nauthor %s\ncommitter %s\n\n%s", tree, tip, author, committer, message)
			tip, err = w.write(plumbing.CommitObject, []byte(text))
		}
	}
	if err == nil {
		err = t.repo.create(headPrefix+branch, tip)
	}
	if err != nil {
		return "", t.repo.failed("make branch "+branch, err)
	}
	return toSHA(tip), nil
}

// message is what git revert writes.
func (t *TakenBack) message(st step) (string, error) {
	c, err := t.repo.store.commit(st.commit)
	if err != nil {
		return "", err
	}
	against := ""
	if len(c.ParentHashes) > 1 {
		against = fmt.Sprintf(", reversing\nchanges made to %s", c.ParentHashes[t.Mainline-1])
	}
	return "Revert \"" + subject(c) + "\"\n\nThis reverts commit " + st.commit.String() + against + ".\n", nil
}

func subject(c *commit) string {
	line, _, _ := strings.Cut(strings.TrimLeft(c.Message, "\n"), "\n")
	return line
}

// writer stores objects that a merge made.
type writer struct {
	repo *Repository
	made *overlay
}

// tree stores a tree and everything in it that is new.
func (w *writer) tree(h hash) error {
	entries, made := w.made.trees[h]
	if !made {
		if h == emptyTree {
			_, err := w.write(plumbing.TreeObject, nil)
			return err
		}
		return nil // it was there before
	}
	for _, e := range entries {
		var err error
		if e.isTree() {
			err = w.tree(e.hash)
		} else if content, made := w.made.blobs[e.hash]; made {
			_, err = w.write(plumbing.BlobObject, content)
		}
		if err != nil {
			return err
		}
	}
	_, err := w.write(plumbing.TreeObject, encodeTree(entries))
	return err
}

func (w *writer) write(kind plumbing.ObjectType, content []byte) (hash, error) {
	h := plumbing.ComputeHash(kind, content)
	if w.repo.store.has(h) {
		return h, nil
	}
	s := w.repo.store
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.git.NewEncodedObject()
	o.SetType(kind)
	o.SetSize(int64(len(content)))
	to, err := o.Writer()
	if err == nil {
		_, err = bytes.NewReader(content).WriteTo(to)
		err = errors.Join(err, to.Close())
	}
	if err == nil {
		_, err = s.git.SetEncodedObject(o)
	}
	if err != nil {
		return h, fmt.Errorf("write %s %s: %w", kind, h, err)
	}
	return h, nil
}

// free reports, as an error, that a branch exists, or one whose name leaves no room
// for it.
func (r *Repository) free(full string) error {
	refs, err := r.store.git.IterReferences()
	if err != nil {
		return r.failed("read branches", err)
	}
	defer refs.Close()
	return refs.ForEach(func(ref *plumbing.Reference) error {
		other := string(ref.Name())
		if other == full || strings.HasPrefix(other, full+"/") || strings.HasPrefix(full, other+"/") {
			return bot.NewTrouble(bot.TroubleInvalid, nil, "branch %s exists already", strings.TrimPrefix(other, headPrefix)).
				WithAdvice("Choose another name, or delete it with git branch -D.")
		}
		return nil
	})
}

// create makes a reference as git does: under a lock that every git honours, and
// only if it is not there.
func (r *Repository) create(full string, at hash) (err error) {
	path := filepath.Join(r.common, filepath.FromSlash(full))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil { //nolint:gosec // As git makes them; the umask decides.
		return err
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666) //nolint:gosec // Likewise.
	if errors.Is(err, fs.ErrExist) {
		return bot.NewTrouble(bot.TroubleInvalid, nil, "somebody else is making %s at this moment", full)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(path + ".lock")
		}
	}()
	_, err = fmt.Fprintf(lock, "%s\n", at)
	err = errors.Join(err, lock.Sync(), lock.Close())
	if err == nil {
		err = r.free(full)
	}
	if err == nil {
		err = os.Rename(path+".lock", path)
	}
	return err
}
