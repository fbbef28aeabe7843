package fakehub

import (
	"maps"
)

func personJSON(s signature) obj {
	return obj{"name": s.name, "email": s.email, "date": stamp(s.at)}
}

// verificationJSON says who signed a commit: the hub, for what was made
// through it by an App with no author given and for merges; nobody else's
// signature is known.
func (r *Repo) verificationJSON(c *commit) obj {
	v := obj{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
	if c.gpgsig == "" {
		return v
	}
	v["reason"], v["signature"], v["payload"] = "unknown_key", c.gpgsig, c.payload
	if at, ok := r.verified[c.oid]; ok {
		v["verified"], v["reason"], v["verified_at"] = true, "valid", stamp(at)
	}
	return v
}

// accountOf finds whose address a commit carries.
func (h *Hub) accountOf(email string) *account {
	if email == "" {
		return nil
	}
	if email == "noreply@github.com" {
		return h.account("web-flow", "User")
	}
	for _, a := range h.accounts {
		if a.email == email {
			return a
		}
	}
	return nil
}

// commitJSON is commit, as /commits and comparisons carry it.
func (r *Repo) commitJSON(c *commit) obj {
	api := r.apiURL()
	parents := []obj{}
	for _, p := range c.parents {
		parents = append(parents, obj{"sha": p, "url": api + "/commits/" + p, "html_url": r.HTMLURL() + "/commit/" + p})
	}
	return obj{
		"sha": c.oid, "node_id": shaNodeID("C", r.id, c.oid), "url": api + "/commits/" + c.oid,
		"html_url": r.HTMLURL() + "/commit/" + c.oid, "comments_url": api + "/commits/" + c.oid + "/comments",
		"commit": obj{
			"url": api + "/git/commits/" + c.oid, "author": personJSON(c.author), "committer": personJSON(c.committer),
			"message": c.message, "comment_count": 0, "verification": r.verificationJSON(c),
			"tree": obj{"sha": c.tree, "url": api + "/git/trees/" + c.tree},
		},
		"author": r.hub.userOrNil(r.hub.accountOf(c.author.email)), "committer": r.hub.userOrNil(r.hub.accountOf(c.committer.email)),
		"parents": parents,
	}
}

// gitCommitJSON is git-commit, of the Git data API.
func (r *Repo) gitCommitJSON(c *commit) obj {
	api := r.apiURL()
	parents := []obj{}
	for _, p := range c.parents {
		parents = append(parents, obj{"sha": p, "url": api + "/git/commits/" + p, "html_url": r.HTMLURL() + "/commit/" + p})
	}
	return obj{
		"sha": c.oid, "node_id": shaNodeID("C", r.id, c.oid), "url": api + "/git/commits/" + c.oid,
		"html_url": r.HTMLURL() + "/commit/" + c.oid, "author": personJSON(c.author), "committer": personJSON(c.committer),
		"message": c.message, "tree": obj{"sha": c.tree, "url": api + "/git/trees/" + c.tree},
		"parents": parents, "verification": r.verificationJSON(c),
	}
}

// simpleCommitJSON is simple-commit, as events carry it.
func simpleCommitJSON(c *commit) obj {
	return obj{
		"id": c.oid, "tree_id": c.tree, "message": c.message, "timestamp": stamp(c.committer.at),
		"author":    obj{"name": c.author.name, "email": c.author.email},
		"committer": obj{"name": c.committer.name, "email": c.committer.email},
	}
}

// pushCommitJSON is a commit in a push event, with the files it touched.
func (r *Repo) pushCommitJSON(c *commit) obj {
	body := simpleCommitJSON(c)
	files := map[string][]string{"added": {}, "removed": {}, "modified": {}}
	for _, ch := range r.changesOf(c) {
		files[ch.status()] = append(files[ch.status()], ch.path)
	}
	maps.Copy(body, obj{
		"distinct": true, "url": r.HTMLURL() + "/commit/" + c.oid,
		"added": files["added"], "removed": files["removed"], "modified": files["modified"],
	})
	for _, who := range []struct {
		key string
		sig signature
	}{{"author", c.author}, {"committer", c.committer}} {
		if a := r.hub.accountOf(who.sig.email); a != nil {
			body[who.key].(obj)["username"] = a.login
		}
	}
	return body
}

// pushPayload is the part of a push event that is its own.
func (r *Repo) pushPayload(by *account, u refUpdate) obj {
	or0 := func(s string) string {
		if s == "" {
			return zeroOID
		}
		return s
	}
	list := []obj{}
	var head any
	var c *commit
	if u.new != "" {
		c, _ = r.git.commit(u.new)
	}
	if c != nil {
		for _, x := range r.broughtBy(u) {
			list = append(list, r.pushCommitJSON(x))
		}
		head = r.pushCommitJSON(c)
	}
	forced := u.old != "" && c != nil && !r.git.isAncestor(u.old, u.new)
	return obj{
		"ref": u.name, "before": or0(u.old), "after": or0(u.new), "base_ref": nil, "created": u.old == "",
		"deleted": u.new == "", "forced": forced, "compare": r.HTMLURL() + "/compare/" + or0(u.old)[:12] + "..." + or0(u.new)[:12],
		"commits": list, "head_commit": head, "pusher": obj{"name": by.login, "email": by.email},
	}
}
