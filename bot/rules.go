package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
)

// PolicyPath is where the owners of a repository say what is allowed there: a
// file at the root of its default branch. It is read from nowhere else: what
// stands on another branch, in a pull request or in the culprit's own tree is
// what somebody wishes, not what the owners have merged.
const PolicyPath = ".backout.yaml"

// misnamed is the name by which the file is often written. A file that nobody
// reads would leave the Apps with less care than their owners asked for.
const misnamed = ".backout.yml"

// maxPolicy is the largest policy file that is read, in bytes.
const maxPolicy = 256 << 10

// PolicyFile is a repository's policy file as its default branch has it.
type PolicyFile struct {
	// Found is false where there is none. That is an answer; not being able to
	// look is trouble.
	Found bool
	Text  []byte
	// Broken says in a sentence why the text could not be taken: a link, too large.
	Broken string
}

// PolicyAt names the policy file that something was decided by.
type PolicyAt struct {
	Branch string `json:"branch"` // the default branch
	Commit SHA    `json:"commit"`
	// Hash is the SHA-256 of the file as hex, or says why it has none.
	Hash string `json:"hash"`
}

// rules reads the rules of a repository off its mirror's default branch. The
// caller has fetched.
func (f *Flow) rules(ctx context.Context, repo RepoName) (Rules, PolicyAt, error) {
	branch, err := f.Ports.History.Default(ctx, repo)
	if err != nil {
		return nil, PolicyAt{}, fmt.Errorf("find the default branch of %s: %w", repo, err)
	}
	head, err := f.Ports.History.Resolve(ctx, repo, branch)
	if err != nil {
		return nil, PolicyAt{}, fmt.Errorf("resolve branch %s: %w", branch, err)
	}
	rules, hash, err := f.rulesAt(ctx, repo, head)
	return rules, PolicyAt{Branch: branch, Commit: head, Hash: hash}, err
}

// rulesAt reads the rules as a commit of the default branch has them.
func (f *Flow) rulesAt(ctx context.Context, repo RepoName, commit SHA) (rules Rules, hash string, err error) {
	tree, err := f.Ports.History.Tree(ctx, repo, commit)
	if err != nil {
		return nil, "", fmt.Errorf("read tree of %s: %w", commit.Short(), err)
	}
	file, err := policyFile(tree)
	if err != nil {
		return nil, "", fmt.Errorf("read %s of %s at %s: %w", PolicyPath, repo, commit.Short(), err)
	}
	return f.Ports.Judge.Read(repo, file), file.hash(), nil
}

// policyFile reads the policy file of a tree.
func policyFile(tree fs.FS) (PolicyFile, error) {
	info, err := fs.Lstat(tree, PolicyPath)
	if errors.Is(err, fs.ErrNotExist) {
		return noPolicyFile(tree)
	}
	if err != nil {
		return PolicyFile{}, err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return PolicyFile{Found: true, Broken: "it is a symbolic link; put the file itself there"}, nil
	case !info.Mode().IsRegular():
		return PolicyFile{Found: true, Broken: "it is no file"}, nil
	case info.Size() > maxPolicy:
		return PolicyFile{Found: true, Broken: fmt.Sprintf("it has %d bytes; at most %d are read", info.Size(), maxPolicy)}, nil
	}
	text, err := fs.ReadFile(tree, PolicyPath)
	return PolicyFile{Found: true, Text: text}, err
}

// noPolicyFile answers where the file is not there: it may be misnamed.
func noPolicyFile(tree fs.FS) (PolicyFile, error) {
	_, err := fs.Lstat(tree, misnamed)
	switch {
	case err == nil:
		return PolicyFile{Found: true, Broken: "it is named " + misnamed + "; rename it"}, nil
	case errors.Is(err, fs.ErrNotExist):
		return PolicyFile{}, nil
	}
	return PolicyFile{}, err
}

func (p PolicyFile) hash() string {
	switch {
	case !p.Found:
		return "none"
	case p.Broken != "":
		return "broken"
	}
	sum := sha256.Sum256(p.Text)
	return hex.EncodeToString(sum[:])
}
