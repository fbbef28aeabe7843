package git

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/backout-dev/backout/bot"
)

// Resolve turns what people write for a commit into its SHA: HEAD, a branch, a
// tag, a remote's branch, a full or abbreviated SHA (4 digits or more), each with
// any number of ~N and ^N behind it (git help revisions). TroubleNotFound when there is none,
// TroubleInvalid when it is ambiguous or of a form that is not read.
func (r *Repository) Resolve(rev string) (bot.SHA, error) {
	name, steps := rev, ""
	if i := strings.IndexAny(rev, "~^"); i >= 0 {
		name, steps = rev[:i], rev[i:]
	}
	h, err := r.named(name)
	if err == nil {
		h, err = r.climb(rev, h, steps)
	}
	if err != nil {
		return "", r.failed("resolve "+strconv.Quote(rev), err)
	}
	return toSHA(h), nil
}

func unknown(rev string) error {
	return bot.NewTrouble(bot.TroubleNotFound, nil, "%q is not a commit, branch or tag of this repository", rev).
		WithAdvice("Check the name, or fetch it first.")
}

// named finds the commit of a name without steps.
func (r *Repository) named(name string) (hash, error) {
	if name == "" || strings.ContainsAny(name, "{}: \t\n\\?*[") || name[0] == '-' {
		return hash{}, bot.NewTrouble(bot.TroubleInvalid, nil, "%q is not a name that Backout reads", name).
			WithAdvice("Give a SHA, a branch, a tag, or one of these with ~N or ^N behind it.")
	}
	digits := strings.ToLower(name)
	isHex := strings.Trim(digits, "0123456789abcdef") == ""
	if isHex && len(digits) == 40 {
		return r.peel(name, plumbing.NewHash(digits))
	}
	found, err := r.references(name)
	switch {
	case err != nil:
		return hash{}, err
	case len(found) > 1:
		return hash{}, bot.NewTrouble(bot.TroubleInvalid, nil, "%q is the name of both %s and %s", name, found[0].name, found[1].name).
			WithAdvice("Give the full name of one.")
	case len(found) == 1:
		return r.peel(name, found[0].hash)
	case !isHex || len(digits) < 4:
		return hash{}, unknown(name)
	}
	commits, err := r.store.commitsWithPrefix(digits)
	switch {
	case err != nil:
		return hash{}, err
	case len(commits) == 0:
		return hash{}, unknown(name)
	case len(commits) > 1:
		return hash{}, ambiguous(name, "this repository", commits)
	}
	return commits[0], nil
}

// named reference.
type reference struct {
	name string
	hash hash
}

// references lists what name may stand for, as git looks for it.
func (r *Repository) references(name string) ([]reference, error) {
	if name == "HEAD" || name == "@" {
		h, err := r.head()
		if err != nil {
			return nil, err
		}
		return []reference{{"HEAD", h}}, nil
	}
	var found []reference
	for _, full := range []string{name, "refs/" + name, "refs/tags/" + name, headPrefix + name, "refs/remotes/" + name, "refs/remotes/" + name + "/HEAD"} {
		if !strings.HasPrefix(full, "refs/") || plumbing.ReferenceName(full).Validate() != nil {
			continue
		}
		h, err := r.reference(full)
		if errors.Is(err, plumbing.ErrReferenceNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, reference{full, h})
	}
	return found, nil
}

// reference follows a full name, through symbolic ones, to an object.
func (r *Repository) reference(full string) (hash, error) {
	for range 5 {
		r.store.mu.Lock()
		ref, err := r.store.git.Reference(plumbing.ReferenceName(full))
		r.store.mu.Unlock()
		if err != nil {
			return hash{}, err
		}
		if ref.Type() == plumbing.HashReference {
			return ref.Hash(), nil
		}
		full = string(ref.Target())
	}
	return hash{}, plumbing.ErrReferenceNotFound
}

// head is the commit of HEAD, which each worktree has for itself.
func (r *Repository) head() (hash, error) {
	text, err := os.ReadFile(filepath.Join(r.own, "HEAD"))
	if err != nil {
		return hash{}, err
	}
	line := strings.TrimSpace(string(text))
	full, symbolic := strings.CutPrefix(line, "ref:")
	if !symbolic {
		return plumbing.NewHash(line), nil
	}
	h, err := r.reference(strings.TrimSpace(full))
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return hash{}, bot.NewTrouble(bot.TroubleNotFound, nil, "HEAD has no commit yet").
			WithAdvice("Name the commit or branch to start from.")
	}
	return h, err
}

// peel follows annotated tags to a commit.
func (r *Repository) peel(name string, h hash) (hash, error) {
	for range 5 {
		_, err := r.store.commit(h)
		if err == nil {
			return h, nil
		}
		if !errors.Is(err, errMissing) {
			return hash{}, err
		}
		raw, err := r.store.object(plumbing.TagObject, h, maxBlob)
		if errors.Is(err, errMissing) {
			if !r.store.has(h) {
				return hash{}, unknown(name)
			}
			break
		}
		if err != nil {
			return hash{}, err
		}
		to, _, _ := strings.Cut(strings.TrimPrefix(string(raw), "object "), "\n")
		h = plumbing.NewHash(to)
	}
	return hash{}, bot.NewTrouble(bot.TroubleInvalid, nil, "%q is not a commit", name)
}

// climb follows ~N and ^N from a commit.
func (r *Repository) climb(rev string, h hash, steps string) (hash, error) {
	for steps != "" {
		kind := steps[0]
		steps = steps[1:]
		digits := len(steps) - len(strings.TrimLeft(steps, "0123456789"))
		n := 1
		if digits > 0 {
			var err error
			if n, err = strconv.Atoi(steps[:digits]); err != nil {
				return hash{}, unknown(rev)
			}
			steps = steps[digits:]
		}
		if kind != '~' && kind != '^' || steps != "" && steps[0] != '~' && steps[0] != '^' {
			return hash{}, bot.NewTrouble(bot.TroubleInvalid, nil, "%q is not a name that Backout reads", rev)
		}
		times, parent := n, 1
		if kind == '^' {
			times, parent = min(n, 1), n
		}
		for range times {
			c, err := r.store.commit(h)
			if err != nil {
				return hash{}, err
			}
			if r.shallow[h] {
				return hash{}, errShallow
			}
			if parent > len(c.ParentHashes) {
				return hash{}, unknown(rev)
			}
			h = c.ParentHashes[parent-1]
		}
	}
	return r.peel(rev, h)
}

// Range lists the commits to take back for one argument, newest first: a single
// one, or for "A..B" those on the first-parent line of B that A does not have.
func (r *Repository) Range(ctx context.Context, arg string) ([]bot.SHA, error) {
	from, to, isRange := strings.Cut(arg, "..")
	if !isRange {
		sha, err := r.Resolve(arg)
		return []bot.SHA{sha}, err
	}
	if strings.HasPrefix(to, ".") {
		return nil, bot.NewTrouble(bot.TroubleInvalid, nil, "%q compares two lines of history, which can't be taken back", arg).
			WithAdvice("Write A..B for what B has and A has not.")
	}
	old, err := r.Resolve(or(from, "HEAD"))
	if err != nil {
		return nil, err
	}
	last, err := r.Resolve(or(to, "HEAD"))
	if err != nil {
		return nil, err
	}
	line, met, err := r.store.beyond(ctx, toHash(last), toHash(old))
	if n := len(line); err == nil && !met && n > 0 && r.shallow[line[n-1]] {
		err = errShallow
	}
	all := make([]bot.SHA, 0, len(line))
	for _, h := range line {
		all = append(all, toSHA(h))
	}
	if err == nil && len(all) == 0 {
		err = bot.NewTrouble(bot.TroubleInvalid, nil, "%q holds no commit", arg).
			WithAdvice("Write the older end first.")
	}
	return all, r.failed("list "+arg, err)
}
