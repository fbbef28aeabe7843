package fakehub

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // git's object names.
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// write stores an object as a loose file and returns its name.
func (g *gitRepo) write(kind string, data []byte) (string, error) {
	raw := append(fmt.Appendf(nil, "%s %d\x00", kind, len(data)), data...)
	sum := sha1.Sum(raw) //nolint:gosec // git's object names.
	oid := hex.EncodeToString(sum[:])
	path := filepath.Join(g.dir, "objects", oid[:2], oid[2:])
	if _, err := os.Stat(path); err == nil {
		return oid, nil
	}
	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, zlib.BestSpeed)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", kind, err)
	}
	z.Write(raw) //nolint:errcheck // a buffer takes everything.
	z.Close()    //nolint:errcheck // likewise.
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("write %s: %w", kind, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "tmp_obj_")
	if err != nil {
		return "", fmt.Errorf("write %s: %w", kind, err)
	}
	_, err = tmp.Write(packed.Bytes())
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return "", fmt.Errorf("write %s: %w", kind, err)
	}
	return oid, nil
}

// person of a commit: who and when.
type signature struct {
	name, email string
	at          time.Time
}

func (s signature) String() string {
	_, offset := s.at.Zone()
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	return fmt.Sprintf("%s <%s> %d %c%02d%02d", s.name, s.email, s.at.Unix(), sign, offset/3600, offset/60%60)
}

// commit is a parsed commit object. Commits are immutable and cached.
type commit struct {
	oid, tree         string
	parents           []string
	author, committer signature
	gpgsig            string
	message           string
	payload           string // what gpgsig signs: the object without it
}

// subject is the first line of the message.
func (c *commit) subject() string {
	line, _, _ := strings.Cut(c.message, "\n")
	return line
}

// body is the message without its subject.
func (c *commit) body() string {
	_, rest, _ := strings.Cut(c.message, "\n")
	return strings.Trim(rest, "\n")
}

// commit reads a commit by any name that git understands, peeling tags.
func (g *gitRepo) commit(name string) (*commit, error) {
	g.mu.Lock()
	c := g.commits[name]
	g.mu.Unlock()
	if c != nil {
		return c, nil
	}
	oid, kind, data, err := g.read(name)
	if err == nil && kind == "tag" {
		oid, kind, data, err = g.read(name + "^{commit}")
	}
	if err != nil {
		return nil, err
	}
	if kind != "commit" {
		return nil, fmt.Errorf("%s is a %s: %w", name, kind, errNoObject)
	}
	c = parseCommit(oid, string(data))
	g.mu.Lock()
	g.commits[oid] = c
	g.mu.Unlock()
	return c, nil
}

func parseCommit(oid, text string) *commit {
	c := &commit{oid: oid}
	head, message, _ := strings.Cut(text, "\n\n")
	c.message = message
	var unsigned []string
	inSig := false
	for line := range strings.SplitSeq(head, "\n") {
		if rest, ok := strings.CutPrefix(line, " "); ok {
			if inSig {
				c.gpgsig += "\n" + rest
			} else {
				unsigned = append(unsigned, line)
			}
			continue
		}
		key, value, _ := strings.Cut(line, " ")
		if inSig = key == "gpgsig"; inSig {
			c.gpgsig = value
			continue
		}
		unsigned = append(unsigned, line)
		switch key {
		case "tree":
			c.tree = value
		case "parent":
			c.parents = append(c.parents, value)
		case "author":
			c.author = parseSignature(value)
		case "committer":
			c.committer = parseSignature(value)
		}
	}
	c.payload = strings.Join(unsigned, "\n") + "\n\n" + message
	return c
}

func parseSignature(text string) signature {
	open, end := strings.LastIndex(text, "<"), strings.LastIndex(text, ">")
	if open < 0 || end < open {
		return signature{name: text}
	}
	s := signature{name: strings.TrimSpace(text[:open]), email: text[open+1 : end]}
	if f := strings.Fields(text[end+1:]); len(f) > 0 {
		unix, _ := strconv.ParseInt(f[0], 10, 64)
		s.at = time.Unix(unix, 0).UTC()
	}
	return s
}

// fakeSignature stands where GitHub's web-flow signature stands: it has the
// right shape for parsers, and no key will ever verify it.
const fakeSignature = `-----BEGIN PGP SIGNATURE-----

wsFcBAABCAAQBQJfakehubCRC1aQ7uu5UhlAAAnotAnActualSignatureByAnyKey
=fake
-----END PGP SIGNATURE-----
`

// writeCommit stores a commit; when sign is set it carries the hub's
// signature, and the API calls it verified.
func (g *gitRepo) writeCommit(c commit, sign bool) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", c.tree)
	for _, p := range c.parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	fmt.Fprintf(&b, "author %s\ncommitter %s\n", c.author, c.committer)
	if sign {
		b.WriteString("gpgsig " + strings.ReplaceAll(strings.TrimSuffix(fakeSignature, "\n"), "\n", "\n ") + "\n \n")
	}
	b.WriteString("\n" + c.message)
	return g.write("commit", []byte(b.String()))
}
