package git

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// commit is a decoded commit. Message is as it was written, whatever its encoding.
type commit struct {
	Hash, TreeHash    hash
	ParentHashes      []hash
	Author, Committer object.Signature
	Message           string
}

// first is the first parent; zero for a root commit.
func (c *commit) first() hash {
	if len(c.ParentHashes) == 0 {
		return hash{}
	}
	return c.ParentHashes[0]
}

// commit reads a commit. It is shared.
func (s *store) commit(h hash) (*commit, error) {
	if c, ok := s.commits.get(h); ok {
		return c, nil
	}
	raw, err := s.object(plumbing.CommitObject, h, maxBlob)
	if err != nil {
		return nil, err
	}
	c, err := parseCommit(raw)
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", h, err)
	}
	c.Hash = h
	s.commits.put(h, c, 400+len(c.Message))
	return c, nil
}

var errMalformedCommit = errors.New("malformed commit")

// parseCommit decodes a commit: its tree, its parents, author and committer in this
// order, as git reads them, whatever other headers, an empty line and the message.
func parseCommit(raw []byte) (*commit, error) {
	c := &commit{}
	header := func(key string) (value []byte, ok bool) {
		line, rest, _ := bytes.Cut(raw, []byte{'\n'})
		if !bytes.HasPrefix(line, []byte(key)) {
			return nil, false
		}
		raw = rest
		return line[len(key):], true
	}
	tree, ok := header("tree ")
	var err error
	if c.TreeHash, err = parseName(tree); !ok || err != nil {
		return nil, errMalformedCommit
	}
	for {
		value, ok := header("parent ")
		if !ok {
			break
		}
		parent, err := parseName(value)
		if err != nil {
			return nil, err
		}
		c.ParentHashes = append(c.ParentHashes, parent)
	}
	if value, ok := header("author "); ok {
		c.Author.Decode(value)
	}
	if value, ok := header("committer "); ok {
		c.Committer.Decode(value)
	}
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte{'\n'})
		if raw = rest; len(line) == 0 {
			break
		}
	}
	c.Message = string(raw)
	return c, nil
}

func parseName(digits []byte) (h hash, err error) {
	if len(digits) != 2*len(h) {
		return h, errMalformedCommit
	}
	if _, err = hex.Decode(h[:], digits); err != nil {
		return h, errMalformedCommit
	}
	return h, nil
}
