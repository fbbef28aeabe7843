package bot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// CodeOwners reads the syntax of a CODEOWNERS file
// (https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners).
type CodeOwners interface {
	// Owners returns the owners of each path, in the order of the paths: those of
	// the last line that matches, none where none does or it names none. A file
	// with a line that can't be understood is TroubleInvalid.
	Owners(file []byte, paths []string) ([][]string, error)
}

// codeowners is the word that stands for the owners of the touched paths.
const codeowners = "codeowners"

// codeownersAt are the places of the file; the first that is there counts.
var codeownersAt = []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}

// approver tells by which entry of the policy somebody may approve a revert of
// these paths; "" with a reason when by none. Write permission is the right of
// everybody where the policy names nobody.
func (f *Flow) approver(ctx context.Context, repo RepoName, p Policy, paths []string, who Permission, login string) (via, why string, err error) {
	if len(p.Approvers) == 0 {
		if !who.AtLeast(PermissionWrite) {
			return "", "Approving needs write permission on this repository.", nil
		}
		return "write", "", nil
	}
	via, lacks, err := f.listed(ctx, repo, slices.DeleteFunc(slices.Clone(p.Approvers), func(e string) bool { return e == codeowners }), login)
	if via != "" || err != nil {
		return via, "", err
	}
	if slices.Contains(p.Approvers, codeowners) {
		ok, reason, err := f.ownsAll(ctx, repo, paths, who, login)
		if err != nil {
			return "", "", err
		}
		if ok {
			return codeowners, "", nil
		}
		lacks = strings.TrimSpace(lacks + " " + reason)
	}
	return "", strings.TrimSpace(fmt.Sprintf("The policy lets only %s approve. %s", strings.Join(p.Approvers, ", "), lacks)), nil
}

// ownsAll reports whether somebody owns each of the paths, by the CODEOWNERS
// file of the default branch. A path without an owner is everybody's who may
// write. By a file that can't be read nobody owns anything.
func (f *Flow) ownsAll(ctx context.Context, repo RepoName, paths []string, who Permission, login string) (ok bool, why string, err error) {
	file, err := f.codeownersFile(ctx, repo)
	if err != nil {
		return false, "", err
	}
	if f.Ports.Owners == nil || file == nil {
		return false, "There is no CODEOWNERS file on the default branch.", nil
	}
	owners, err := f.Ports.Owners.Owners(file, paths)
	if err != nil || len(owners) != len(paths) {
		return false, "The CODEOWNERS file can't be understood: " + AsTrouble(err).text(), nil
	}
	if len(paths) == 0 {
		return false, "It is not known which files the revert changes.", nil
	}
	owned := map[string]bool{} // lists of owners of whom they are known to be one
	for i, list := range owners {
		if owned[strings.Join(list, " ")] {
			continue
		}
		if len(list) == 0 {
			if !who.AtLeast(PermissionWrite) {
				return false, fmt.Sprintf("Nobody owns %s, so approving needs write permission.", paths[i]), nil
			}
			continue
		}
		via, lacks, err := f.listed(ctx, repo, list, login)
		if err != nil {
			return false, "", err
		}
		if via == "" {
			return false, strings.TrimSpace(fmt.Sprintf("%s is owned by %s. %s", paths[i], strings.Join(list, ", "), lacks)), nil
		}
		owned[strings.Join(list, " ")] = true
	}
	return true, "", nil
}

// text is what people are told; nothing where there is no trouble.
func (t *Trouble) text() string {
	if t == nil {
		return ""
	}
	return t.Text
}

// codeownersFile reads the file off the mirror's default branch; nil when there
// is none.
func (f *Flow) codeownersFile(ctx context.Context, repo RepoName) ([]byte, error) {
	branch, err := f.Ports.History.Default(ctx, repo)
	if err != nil {
		return nil, fmt.Errorf("find the default branch of %s: %w", repo, err)
	}
	head, err := f.Ports.History.Resolve(ctx, repo, branch)
	if err != nil {
		return nil, fmt.Errorf("resolve branch %s: %w", branch, err)
	}
	tree, err := f.Ports.History.Tree(ctx, repo, head)
	if err != nil {
		return nil, fmt.Errorf("read tree of %s: %w", head.Short(), err)
	}
	for _, name := range codeownersAt {
		b, err := fs.ReadFile(tree, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		return b, nil
	}
	return nil, nil
}

// mayApprove tells by what right somebody approves a Rollback, or why their
// approval does not count.
func (f *Flow) mayApprove(ctx context.Context, rec Record, c Comment, who authority) (via, why string, err error) {
	switch {
	case c.AuthorIsBot || c.Via != "":
		return "", "An approval must come from a person's own hand, not through an App.", nil
	case strings.EqualFold(rec.Incident.Requester, c.Author):
		return "", "The person who asked for a rollback can't approve it.", nil
	case rec.Incident.Kind != IncidentCommand:
		if why, err := f.mayHaveWritten(ctx, rec.Rollback, c.Author, who.Permission); why != "" || err != nil {
			return "", why, err
		}
	}
	rules, _, err := f.rules(ctx, rec.Repo)
	if err != nil {
		return "", "", fmt.Errorf("read the policy: %w", err)
	}
	via, why, err = f.approver(ctx, rec.Repo, rules.Policy(rec.Apps...), rec.touched(), who.Permission, c.Author)
	if via == "" || err != nil {
		return "", why, err
	}
	if !who.Permission.AtLeast(PermissionWrite) && (rec.Incident.Requester == "" || rec.Incident.Via != "") {
		return "", "Nobody who could merge this has asked for it, so the approval must come from somebody with write permission.", nil
	}
	if via == "write" {
		via = "" // as words were recorded before
	}
	return via, "", nil
}

// touched are the paths that the revert writes, or those of the change while
// the revert is not known.
func (r Record) touched() []string {
	if r.View != nil && len(r.View.Changed) > 0 {
		return r.View.Changed
	}
	return r.Culprit.Paths
}

// mayHaveWritten says why somebody counts as the author of a change, which
// nobody may take back on their own word alone. Where GitHub does not know who
// wrote it, only those who answer for the repository are believed.
func (f *Flow) mayHaveWritten(ctx context.Context, rb Rollback, login string, may Permission) (string, error) {
	by := Authors{Logins: []string{rb.Culprit.Author}}
	if f.Ports.Authorship != nil {
		var err error
		if by, err = f.Ports.Authorship.Authors(ctx, rb.Repo, rb.Culprit); err != nil {
			return "", fmt.Errorf("read who wrote %s: %w", rb.Culprit.Head().Short(), err)
		}
		by.Logins = append(by.Logins, rb.Culprit.Author)
	} else if rb.Culprit.PR == 0 {
		by.Unknown = 1 // what stands in a commit is a name, not an account
	}
	if slices.ContainsFunc(by.Logins, func(l string) bool { return strings.EqualFold(l, login) }) {
		return "The author of the change can't approve taking it back.", nil
	}
	if by.Unknown > 0 && !may.AtLeast(PermissionMaintain) {
		return "GitHub does not know who wrote this change, so it can't be ruled out that you did. Approving it needs maintain or admin permission.", nil
	}
	return "", nil
}
