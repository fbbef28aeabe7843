package fakehub

import (
	"bytes"
	"strconv"
)

// gitObject resolves a SHA or an expression such as "main:apps/web.yaml".
func (x *execution) gitObject(r *Repo, name string) *object {
	oid, kind, data, err := r.git.read(name)
	if err != nil {
		return nil
	}
	base := obj{"oid": oid, "abbreviatedOid": oid[:7], "repository": lazy(func() any { return x.repo(r) })}
	switch kind {
	case "commit":
		if c, err := r.git.commit(oid); err == nil {
			return x.commit(r, c)
		}
	case "tree":
		return x.tree(r, oid)
	case "blob":
		base["id"], base["byteSize"] = shaNodeID("B", r.id, oid), len(data)
		binary := bytes.IndexByte(data, 0) >= 0
		base["isBinary"], base["text"] = binary, nil
		if !binary {
			base["text"] = string(data)
		}
		return &object{"Blob", base}
	}
	return nil
}

func (x *execution) tree(r *Repo, oid string) *object {
	return &object{"Tree", obj{
		"id": shaNodeID("T", r.id, oid), "oid": oid, "abbreviatedOid": oid[:7],
		"repository": lazy(func() any { return x.repo(r) }),
		"entries": lazy(func() any {
			entries, err := r.git.tree(oid)
			if err != nil {
				return nil
			}
			list := []*object{}
			for _, e := range entries {
				list = append(list, x.treeEntry(r, e.name, e))
			}
			return list
		}),
	}}
}

func (x *execution) treeEntry(r *Repo, path string, e entry) *object {
	mode, _ := strconv.ParseInt(e.mode, 8, 64)
	return &object{"TreeEntry", obj{
		"name": e.name, "path": path, "mode": mode, "type": e.kind(), "oid": e.oid,
		"object": lazy(func() any { return orNil(x.gitObject(r, e.oid)) }),
	}}
}

func (x *execution) commit(r *Repo, c *commit) *object {
	if c == nil {
		return nil
	}
	id := shaNodeID("C", r.id, c.oid)
	x.h.nodes[id] = commitNode{r, c.oid}
	return &object{"Commit", obj{
		"id": id, "oid": c.oid, "abbreviatedOid": c.oid[:7], "message": c.message, "messageHeadline": c.subject(),
		"messageBody": c.body(), "url": r.HTMLURL() + "/commit/" + c.oid, "committedDate": stamp(c.committer.at),
		"author": x.gitActor(c.author), "committer": x.gitActor(c.committer),
		"repository": lazy(func() any { return x.repo(r) }), "tree": lazy(func() any { return x.tree(r, c.tree) }),
		"parents": connection("CommitConnection", c.parents, func(sha string) *object { return x.commitAt(r, sha) }, nil),
		"signature": lazy(func() any {
			if c.gpgsig == "" {
				return nil
			}
			_, ours := r.verified[c.oid]
			return &object{"GpgSignature", obj{"isValid": ours, "wasSignedByGitHub": ours}}
		}),
		"statusCheckRollup": x.rollup(r, c.oid),
		"file": resolver(func(args obj) (any, error) {
			e, ok := r.git.lookup(c.tree, argText(args, "path"))
			if !ok {
				return nil, nil //nolint:nilnil // null.
			}
			return x.treeEntry(r, argText(args, "path"), e), nil
		}),
		"associatedPullRequests": resolver(func(args obj) (any, error) {
			var list []*pull
			for _, p := range r.pulls() {
				if p.mergeSHA == c.oid || p.headSHA == c.oid {
					list = append(list, p)
				}
			}
			return connection("PullRequestConnection", list, x.pull, nil)(args)
		}),
	}}
}

// commitAt is a commit by its SHA, or nil where there is none.
func (x *execution) commitAt(r *Repo, sha string) *object {
	c, err := r.git.commit(sha)
	if err != nil {
		return nil
	}
	return x.commit(r, c)
}

func (x *execution) gitActor(s signature) *object {
	return &object{"GitActor", obj{
		"name": s.name, "email": s.email, "date": stamp(s.at),
		"user": lazy(func() any {
			if a := x.h.accountOf(s.email); a != nil && a.kind == "User" {
				return x.account(a, "User")
			}
			return nil
		}),
	}}
}
