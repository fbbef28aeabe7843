package images

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// Pin is the change of a program's configuration that keeps a tag out.
type Pin struct {
	Update bot.ImageUpdate
	// File is the change; nil where no safe edit is known.
	File *bot.FileChange
	// Text says what the change does and how it is lifted or, without one, what
	// a person can do. One or two sentences.
	Text string
}

// errUnsafe says why a text can't be edited safely: a clause.
type errUnsafe string

func (e errUnsafe) Error() string { return string(e) }

func unsafe(format string, args ...any) error { return errUnsafe(fmt.Sprintf(format, args...)) }

// Pins computes a pin for each update. tree is the repository as the revert
// leaves it; of a file that several updates change, the last pin has all
// changes. The error is that of a tree that can't be read.
func Pins(tree fs.FS, updates []bot.ImageUpdate) ([]Pin, error) {
	edited := map[string]*bot.FileChange{}
	var out []Pin
	for _, u := range updates {
		p := Pin{Update: u}
		var at string
		var edit func([]byte, bot.ImageUpdate) ([]byte, error)
		var err error
		switch u.By {
		case bot.ImageFlux:
			at, err = findPolicy(tree, u.Ref)
			edit = pinFlux
		case bot.ImageRenovate:
			at, err = findRenovate(tree)
			edit = pinRenovate
		default:
			err = unsafe("it keeps no list of such tags in a file that Backout edits")
		}
		if err == nil {
			p.File, err = apply(tree, at, u, edited, edit)
		}
		var why errUnsafe
		if err != nil && !errors.As(err, &why) {
			return nil, fmt.Errorf("pin %s: %w", u.Bad, err)
		}
		p.Text = text(u, at, why)
		out = append(out, p)
	}
	return out, nil
}

// apply edits a file, on top of earlier edits of it.
func apply(tree fs.FS, at string, u bot.ImageUpdate, edited map[string]*bot.FileChange, edit func([]byte, bot.ImageUpdate) ([]byte, error)) (*bot.FileChange, error) {
	f := bot.FileChange{Path: at, BeforeMode: "100644", AfterMode: "100644"}
	if earlier := edited[at]; earlier != nil {
		f = *earlier
	} else {
		info, err := fs.Lstat(tree, at)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, unsafe("`%s` is a link", at)
		}
		if info.Mode()&0o111 != 0 {
			f.BeforeMode, f.AfterMode = "100755", "100755"
		}
		if f.Before, err = fs.ReadFile(tree, at); err != nil {
			return nil, err
		}
		f.After = f.Before
	}
	after, err := edit(f.After, u)
	if err != nil {
		return nil, err
	}
	f.After = after
	edited[at] = &f
	return &f, nil
}

// text is what people read about a pin.
func text(u bot.ImageUpdate, at string, why errUnsafe) string {
	switch {
	case why == "" && u.By == bot.ImageFlux:
		return fmt.Sprintf("`%s`: ImagePolicy %s no longer chooses %s. Newer tags still come; to allow this one again, take \"!=\" with it out of spec.policy.semver.range.", at, u.Ref, u.Bad)
	case why == "":
		return fmt.Sprintf("`%s`: Renovate no longer offers %s of %s. Newer tags still come; to allow this one again, delete the rule.", at, u.Bad, u.Image)
	case u.By == bot.ImageFlux:
		return fmt.Sprintf("%s is not kept out, since %s. To keep it out, change ImagePolicy %s so that it does not choose it, or suspend the ImageUpdateAutomation.", u.Bad, why, u.Ref)
	case u.By == bot.ImageRenovate:
		return fmt.Sprintf("%s is not kept out, since %s. To keep it out, add a packageRule for %s with \"allowedVersions\" to Renovate's configuration, and close the pull request that Renovate opens.", u.Bad, why, u.Image)
	case u.By == bot.ImageDependabot:
		return fmt.Sprintf("%s is not kept out, since %s. To keep it out, answer Dependabot's next pull request with \"@dependabot ignore this patch version\" (or minor, or major), or add it to ignore in .github/dependabot.yml.", u.Bad, why)
	}
	return fmt.Sprintf("%s is not kept out, since %s. To keep it out, add it to the ignore-tags of Application %s, or to ignoreTags of its ImageUpdater.", u.Bad, why, u.Ref)
}

// The bounds of the search for an ImagePolicy.
const (
	mostFiles = 20_000
	mostBytes = 1 << 20 // of one file
)

// findPolicy finds the one file that holds an ImagePolicy. A policy whose
// manifest names no namespace may be meant, as a kustomization may set it.
func findPolicy(tree fs.FS, ref string) (string, error) {
	namespace, name, ok := strings.Cut(ref, ":")
	if !ok {
		return "", unsafe("the file does not tell which ImagePolicy chose it")
	}
	var found []string
	left := mostFiles
	err := fs.WalkDir(tree, ".", func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !d.Type().IsRegular() || !manifest.IsFile(at) {
			return err
		}
		if left--; left < 0 {
			return unsafe("the repository has too many files to look for ImagePolicy %s", ref)
		}
		if info, err := d.Info(); err != nil || info.Size() > mostBytes {
			return err
		}
		b, err := fs.ReadFile(tree, at)
		if err != nil || !bytes.Contains(b, []byte("ImagePolicy")) {
			return err
		}
		objects, err := manifest.Objects(b)
		if err != nil {
			return nil // a template: what it makes is not known
		}
		if slices.ContainsFunc(objects, func(o manifest.Object) bool { return isPolicy(o, namespace, name) }) {
			found = append(found, at)
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", unsafe("the manifest of ImagePolicy %s is not in this repository", ref)
	case len(found) > 1:
		return "", unsafe("ImagePolicy %s stands in `%s` and in `%s`", ref, found[0], found[1])
	}
	return found[0], nil
}

func isPolicy(o manifest.Object, namespace, name string) bool {
	return o.Kind == "ImagePolicy" && o.Group() == "image.toolkit.fluxcd.io" && o.Name == name &&
		(o.Namespace == "" || o.Namespace == namespace)
}

// findRenovate finds Renovate's configuration, in the order in which it looks
// itself (https://docs.renovatebot.com/configuration-options/).
func findRenovate(tree fs.FS) (string, error) {
	for _, at := range []string{"renovate.json", "renovate.json5", ".github/renovate.json", ".github/renovate.json5", ".renovaterc", ".renovaterc.json", ".renovaterc.json5"} {
		_, err := fs.Lstat(tree, at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return "", err
		case path.Ext(at) == ".json5":
			return at, unsafe("`%s` is JSON5", at)
		default:
			return at, nil
		}
	}
	return "", unsafe("the repository has no configuration of Renovate that Backout knows")
}
