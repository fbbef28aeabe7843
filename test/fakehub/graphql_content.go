package fakehub

import (
	"encoding/base64"
	"fmt"
	"strings"
)

func createRef(x *execution, in obj) (obj, error) {
	r, err := x.repoFor(argText(in, "repositoryId"), need{"contents=write"})
	if err != nil {
		return nil, err
	}
	name := argText(in, "name")
	if err := r.makeRef(x.c.actor, name, argText(in, "oid")); err != nil {
		return nil, err
	}
	return obj{"ref": orNil(x.ref(r, name))}, nil
}

func (x *execution) refFor(in obj) (refNode, error) {
	ref, err := find[refNode](x, argText(in, "refId"))
	if err != nil {
		return ref, err
	}
	return ref, x.c.actor.allow(ref.repo, need{"contents=write"})
}

func updateRef(x *execution, in obj) (obj, error) {
	ref, err := x.refFor(in)
	if err != nil {
		return nil, err
	}
	if err := ref.repo.changeRef(x.c.actor, ref.name, argText(in, "oid"), argBool(in, "force")); err != nil {
		return nil, err
	}
	return obj{"ref": orNil(x.ref(ref.repo, ref.name))}, nil
}

func deleteRef(x *execution, in obj) (obj, error) {
	ref, err := x.refFor(in)
	if err != nil {
		return nil, err
	}
	return nil, ref.repo.changeRef(x.c.actor, ref.name, "", true)
}

// branchFor resolves a CommittableBranch.
func (x *execution) branchFor(b obj) (*Repo, string, error) {
	if id := argText(b, "id"); id != "" {
		ref, err := find[refNode](x, id)
		return ref.repo, ref.name, err
	}
	full, branch := argText(b, "repositoryNameWithOwner"), argText(b, "branchName")
	r := x.h.repos[strings.ToLower(full)]
	if !x.c.actor.sees(r) {
		return nil, "", notResolved("Repository", "name '"+full+"'")
	}
	return r, "refs/heads/" + strings.TrimPrefix(branch, "refs/heads/"), nil
}

// createCommitOnBranch commits to a branch that is where it is expected to
// be. The commit is signed: author is the caller, committer GitHub.
func createCommitOnBranch(x *execution, in obj) (obj, error) {
	r, ref, err := x.branchFor(argObject(in, "branch"))
	if err != nil {
		return nil, err
	}
	if err := x.c.actor.allow(r, need{"contents=write"}); err != nil {
		return nil, err
	}
	head, want := r.git.ref(ref), argText(in, "expectedHeadOid")
	switch {
	case head == "":
		return nil, notResolved("Ref", "name '"+strings.TrimPrefix(ref, "refs/heads/")+"'")
	case head != want:
		return nil, &apiError{kind: "STALE_DATA", message: fmt.Sprintf("Expected branch to point to %q but it did not.  Pull and try again.", want)}
	}
	parent, err := r.git.commit(head)
	if err != nil {
		return nil, err
	}
	changes, err := x.fileChanges(r, parent, argObject(in, "fileChanges"))
	if err != nil {
		return nil, err
	}
	tree, err := r.git.edit(parent.tree, changes)
	if err != nil {
		return nil, err
	}
	message := argObject(in, "message")
	text := argText(message, "headline")
	if body := argText(message, "body"); body != "" {
		text += "\n\n" + body
	}
	c := commit{
		tree: tree, parents: []string{head}, message: text,
		author: r.signatureOf(x.c.actor.account), committer: webFlow(x.h.now()),
	}
	sha, err := r.signed(c)
	if err != nil {
		return nil, err
	}
	u := refUpdate{ref, head, sha}
	if why := r.refusePush(x.c.actor.account, u); len(why) > 0 {
		return nil, errUnprocessable(r.rules(strings.TrimPrefix(ref, "refs/heads/")).phrase(why))
	}
	if err := r.moveRef(x.c.actor.account, u); err != nil {
		return nil, &apiError{kind: "STALE_DATA", message: fmt.Sprintf("Expected branch to point to %q but it did not.  Pull and try again.", want)}
	}
	return obj{"commit": orNil(x.commitAt(r, sha)), "ref": orNil(x.ref(r, ref))}, nil
}

// fileChanges turns additions and deletions into an edit of the parent's
// tree: an addition keeps the mode that the path has.
func (x *execution) fileChanges(r *Repo, parent *commit, in obj) (map[string]*entry, error) {
	changes := map[string]*entry{}
	for _, d := range argList[obj](in, "deletions") {
		path := argText(d, "path")
		if e, ok := r.git.lookup(parent.tree, path); !ok || e.isDir() {
			return nil, &apiError{
				kind: "NOT_FOUND", message: "A path was requested for deletion which does not exist as of commit oid `" + parent.oid + "`",
			}
		}
		changes[path] = nil
	}
	for _, a := range argList[obj](in, "additions") {
		path := argText(a, "path")
		data, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(argText(a, "contents"), "\n", ""))
		if err != nil {
			return nil, errUnprocessable("The contents of " + path + " are not valid Base64")
		}
		if path == "" || strings.HasPrefix(path, "/") || strings.Contains("/"+path+"/", "/../") || strings.Contains(path, "//") {
			return nil, errUnprocessable("A path was requested which is malformed: " + path)
		}
		if e, ok := r.git.lookup(parent.tree, path); ok && e.isDir() {
			return nil, errUnprocessable("A path was requested for addition which is a directory: " + path)
		}
		oid, err := r.git.write("blob", data)
		if err != nil {
			return nil, err
		}
		changes[path] = &entry{oid: oid}
	}
	for path := range changes {
		if strings.HasPrefix(path, workflowsDir) && !x.c.actor.mayWorkflows() {
			return nil, errForbidden("")
		}
	}
	return changes, nil
}

// subject finds what may be commented on, or refuses.
func (x *execution) subject(id string) (*issue, error) {
	var i *issue
	switch v := x.h.nodes[id].(type) {
	case *pull:
		i = v.issue
	case *issue:
		i = v
	}
	if i == nil || !x.c.actor.sees(i.repo) {
		return nil, noNode(id)
	}
	return i, x.c.actor.reachesTalk(i, true)
}

func addComment(x *execution, in obj) (obj, error) {
	i, err := x.subject(argText(in, "subjectId"))
	if err != nil {
		return nil, err
	}
	body := argText(in, "body")
	if err := checkComment(body); err != nil {
		return nil, err
	}
	c := i.repo.addComment(i, x.c.actor.account, x.c.actor.bot(), body)
	subject, err := x.node(i.nodeID())
	if err != nil {
		return nil, err
	}
	return obj{
		"commentEdge": &object{"IssueCommentEdge", obj{"cursor": cursor(len(i.comments)), "node": x.comment(c)}},
		"subject":     subject,
	}, nil
}

func (x *execution) commentFor(id string) (*comment, error) {
	c, err := find[*comment](x, id)
	if err != nil {
		return nil, err
	}
	if err := x.c.actor.reachesTalk(c.issue, true); err != nil {
		return nil, err
	}
	return c, nil
}

func updateIssueComment(x *execution, in obj) (obj, error) {
	c, err := x.commentFor(argText(in, "id"))
	if err != nil {
		return nil, err
	}
	if err := x.c.mayEdit(c); err != nil {
		return nil, err
	}
	body := argText(in, "body")
	if err := checkComment(body); err != nil {
		return nil, err
	}
	c.issue.repo.editComment(c, x.c.actor.account, body)
	return obj{"issueComment": x.comment(c)}, nil
}

func deleteIssueComment(x *execution, in obj) (obj, error) {
	c, err := x.commentFor(argText(in, "id"))
	if err != nil {
		return nil, err
	}
	if err := x.c.mayEdit(c); err != nil {
		return nil, err
	}
	c.issue.repo.deleteComment(c, x.c.actor.account)
	return nil, nil //nolint:nilnil // the payload has nothing of its own.
}

func addReaction(x *execution, in obj) (obj, error) {
	c, err := x.commentFor(argText(in, "subjectId"))
	if err != nil {
		return nil, err
	}
	for rest, graph := range reactionNames {
		if graph != argText(in, "content") {
			continue
		}
		r, _ := c.react(x.c.actor.account, rest)
		reaction := &object{"Reaction", obj{
			"id": nodeID("REA", c.issue.repo.id, r.id), "databaseId": r.id, "content": graph, "createdAt": stamp(r.created),
			"user": orNil(x.account(r.by, "User")),
		}}
		subject := x.comment(c)
		return obj{"reaction": reaction, "subject": subject, "reactionGroups": subject.fields["reactionGroups"]}, nil
	}
	return nil, errUnprocessable("content is invalid")
}
