package git

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5/osfs"
	gitcache "github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/backout-dev/backout/bot"
)

// Repository is a repository of somebody's own: a clone, a worktree or a bare one.
// It is read in process; no work tree, index or hook is ever touched. Only Commit
// writes: objects and one new branch.
type Repository struct {
	store *store
	// own is the directory with this work tree's HEAD; common the one with objects,
	// branches and configuration. They differ in worktrees only.
	own, common string
	shallow     map[hash]bool
	partial     bool
}

// Open finds the repository that dir lies in, as git does: dir itself when it is
// bare, else the nearest directory upwards with a .git. TroubleInvalid, with
// advice, when there is none or it is of a kind that can't be read.
func Open(dir string) (*Repository, error) {
	at, err := filepath.Abs(dir)
	if err == nil {
		_, err = os.Stat(at)
	}
	if err != nil {
		return nil, bot.NewTrouble(bot.TroubleInvalid, nil, "there is no folder %s", dir)
	}
	own, err := discover(at)
	if err != nil {
		return nil, err
	}
	if own == "" {
		return nil, bot.NewTrouble(bot.TroubleInvalid, nil, "%s is not in a git repository", dir).
			WithAdvice("Name one with --repo, or run this inside of it.")
	}
	r := &Repository{own: own, common: own}
	if to, err := os.ReadFile(filepath.Join(own, "commondir")); err == nil {
		r.common = rooted(own, strings.TrimSpace(string(to)))
	}
	if err := r.inspect(); err != nil {
		return nil, err
	}
	r.store = newStore(r.common, filesystem.NewStorageWithOptions(osfs.New(r.common), gitcache.NewObjectLRU(objectCacheBytes),
		filesystem.Options{KeepDescriptors: true, AlternatesFS: osfs.New("/")}))
	r.store.cut = r.shallow
	return r, nil
}

// Close lets go of the files.
func (r *Repository) Close() error { return r.store.close() }

// discover returns the git directory that governs at, "" when there is none.
func discover(at string) (string, error) {
	for {
		dotGit := filepath.Join(at, ".git")
		switch info, err := os.Stat(dotGit); {
		case err == nil && info.IsDir() && isGitDir(dotGit):
			return dotGit, nil
		case err == nil && info.Mode().IsRegular():
			text, err := os.ReadFile(dotGit)
			to, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
			if err != nil || !ok || !isGitDir(rooted(at, to)) {
				return "", bot.NewTrouble(bot.TroubleInvalid, err, "%s does not lead to a git directory", dotGit)
			}
			return rooted(at, to), nil
		case isGitDir(at):
			return at, nil
		}
		up := filepath.Dir(at)
		if up == at {
			return "", nil
		}
		at = up
	}
}

// isGitDir reports whether dir is the git directory of a repository or a worktree.
func isGitDir(dir string) bool {
	has := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	return has("HEAD") && (has("commondir") || has("objects") && has("refs"))
}

func rooted(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// inspect refuses repositories in which reading plain objects would not give the
// answers that git gives.
func (r *Repository) inspect() error {
	settings, err := r.settings()
	if err != nil {
		return bot.NewTrouble(bot.TroubleInvalid, err, "the configuration of %s can't be read", r.common)
	}
	if f := settings.get("extensions.objectformat"); f != "" && !strings.EqualFold(f, "sha1") {
		return bot.NewTrouble(bot.TroubleInvalid, nil, "%s names objects by %s, which Backout does not read", r.common, f)
	}
	if f := settings.get("extensions.refstorage"); f != "" && !strings.EqualFold(f, "files") {
		return bot.NewTrouble(bot.TroubleInvalid, nil, "%s keeps its branches as %s, which Backout does not read", r.common, f).
			WithAdvice("Convert it with git refs migrate --ref-format=files.")
	}
	r.partial = settings.get("extensions.partialclone") != "" || settings.any("remote.", ".promisor")
	if entries, err := os.ReadDir(filepath.Join(r.common, "refs", "replace")); err == nil && len(entries) > 0 {
		return bot.NewTrouble(bot.TroubleInvalid, nil, "%s has replacement objects, which Backout does not follow", r.common).
			WithAdvice("Use a clone without them.")
	}
	text, err := os.ReadFile(filepath.Join(r.common, "shallow"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the limits of a shallow clone: %w", err)
	}
	r.shallow = make(map[hash]bool)
	for line := range strings.FieldsSeq(string(text)) {
		r.shallow[toHash(bot.SHA(line))] = true
	}
	return nil
}

// errShallow says that history was cut off here.
var errShallow = errors.New("history is cut off")

// failed gives an error of reading its meaning.
func (r *Repository) failed(act string, err error) error {
	var known *bot.Trouble
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
	case errors.Is(err, errShallow), errors.Is(err, errMissing) && len(r.shallow) > 0 && !r.partial:
		err = bot.NewTrouble(bot.TroubleInvalid, err, "the clone is shallow and lacks a commit that is needed").
			WithAdvice("Fetch the whole history with git fetch --unshallow.")
	case errors.Is(err, errMissing) && r.partial:
		err = bot.NewTrouble(bot.TroubleInvalid, err, "the clone is partial and lacks an object that is needed").
			WithAdvice("Fetch it with git show, or all with git fetch --refetch and no filter.")
	case errors.Is(err, errMissing), errors.Is(err, errDamaged), errors.Is(err, errMalformed):
		err = bot.NewTrouble(bot.TroubleInvalid, err, "the repository is damaged").
			WithAdvice("See what git fsck says.")
	case errors.Is(err, errTooBig):
		err = bot.NewTrouble(bot.TroubleInvalid, err, "a file is larger than Backout reads")
	}
	return fmt.Errorf("%s: %w", act, err)
}
