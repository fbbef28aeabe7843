package fakehub

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const zeroOID = "0000000000000000000000000000000000000000"

// ref returns the SHA that a full ref name points at, or "".
func (g *gitRepo) ref(name string) string {
	if raw, err := os.ReadFile(filepath.Join(g.dir, filepath.FromSlash(name))); err == nil {
		return strings.TrimSpace(string(raw))
	}
	packed, err := os.ReadFile(filepath.Join(g.dir, "packed-refs"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(packed)) {
		if sha, ref, ok := strings.Cut(strings.TrimSpace(line), " "); ok && ref == name {
			return sha
		}
	}
	return ""
}

// branch returns the head of a branch, or "".
func (g *gitRepo) branch(name string) string {
	if name == "" {
		return ""
	}
	return g.ref("refs/heads/" + name)
}

// refUpdate moves one ref; an empty old creates it, an empty new deletes it.
type refUpdate struct{ name, old, new string }

// update moves refs, all or none, if each still has its old value.
func (g *gitRepo) update(updates ...refUpdate) error {
	var in strings.Builder
	for _, u := range updates {
		switch {
		case u.new == "":
			fmt.Fprintf(&in, "delete %s %s\n", u.name, u.old)
		case u.old == "":
			fmt.Fprintf(&in, "create %s %s\n", u.name, u.new)
		default:
			fmt.Fprintf(&in, "update %s %s %s\n", u.name, u.new, u.old)
		}
	}
	_, err := g.run(in.String(), "update-ref", "--stdin")
	return err
}

// refs lists refs below a prefix such as "refs/heads/", by name.
func (g *gitRepo) refs(prefix string) ([]refUpdate, error) {
	out, err := g.run("", "for-each-ref", "--format=%(objectname) %(refname)", "refs/")
	if err != nil {
		return nil, err
	}
	var list []refUpdate
	for line := range strings.Lines(out) {
		sha, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(name, prefix) {
			list = append(list, refUpdate{name: name, new: sha})
		}
	}
	return list, nil
}

// validRef tells whether git would take this as a full ref name, by the rules
// of git-check-ref-format(1).
func validRef(name string) bool {
	if !strings.HasPrefix(name, "refs/") || strings.Count(name, "/") < 2 ||
		strings.ContainsAny(name, " ~^:?*[\\\x7f") || strings.Contains(name, "..") ||
		strings.Contains(name, "@{") || strings.Contains(name, "//") ||
		strings.HasSuffix(name, ".") || strings.HasSuffix(name, "/") {
		return false
	}
	for _, c := range name {
		if c < ' ' {
			return false
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return true
}
