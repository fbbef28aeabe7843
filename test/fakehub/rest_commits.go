package fakehub

import (
	"maps"
	"net/http"
	"strings"
)

// theCommit is the commit that the path names by SHA, branch or tag.
func (c *call) theCommit() (*commit, error) {
	ref := c.arg("ref") + c.arg("commit_sha") // one of them.
	for _, name := range []string{"refs/heads/" + ref, "refs/tags/" + ref, "refs/" + ref} {
		if c.repo.git.ref(name) != "" {
			ref = name
			break
		}
	}
	x, err := c.repo.git.commit(ref)
	if err != nil {
		return nil, errUnprocessable("No commit found for SHA: " + ref)
	}
	return x, nil
}

func (c *call) getCommit() (int, any, error) {
	x, err := c.theCommit()
	if err != nil {
		return 0, nil, err
	}
	body := c.repo.commitJSON(x)
	base := ""
	if len(x.parents) > 0 {
		base = x.parents[0]
	}
	stats := obj{"additions": 0, "deletions": 0, "total": 0}
	for _, f := range c.repo.diff(base, x.oid) {
		stats["additions"] = stats["additions"].(int) + f.additions
		stats["deletions"] = stats["deletions"].(int) + f.deletions
		stats["total"] = stats["total"].(int) + f.additions + f.deletions
	}
	body["stats"] = stats
	body["files"] = page(c, c.repo.filesJSON(base, x.oid))
	return http.StatusOK, body, nil
}

func (c *call) listCommits() (int, any, error) {
	from := c.query("sha")
	if from == "" {
		from = c.repo.defaultBranch
	}
	args := []string{"rev-list", from}
	if path := c.query("path"); path != "" {
		args = append(args, "--", path)
	}
	if strings.HasPrefix(from, "-") {
		return 0, nil, errNotFound()
	}
	out, err := c.repo.git.run("", args...)
	if err != nil {
		return 0, nil, errNotFound()
	}
	list := []obj{}
	for _, sha := range page(c, strings.Fields(out)) {
		x, err := c.repo.git.commit(sha)
		if err != nil {
			return 0, nil, err
		}
		list = append(list, c.repo.commitJSON(x))
	}
	return http.StatusOK, list, nil
}

// commitPulls lists the pull requests that a commit belongs to: merged ones
// that brought it to the default branch, else open ones that contain it.
func (c *call) commitPulls() (int, any, error) {
	x, err := c.theCommit()
	if err != nil {
		return 0, nil, err
	}
	var merged, open []obj
	for _, p := range c.repo.pulls() {
		has := p.mergeSHA == x.oid || p.headSHA == x.oid
		if !has && c.repo.git.isAncestor(x.oid, p.headSHA) {
			has = !c.repo.git.isAncestor(x.oid, p.baseSHA)
		}
		switch {
		case !has:
		case p.merged:
			merged = append(merged, c.repo.pullJSON(p))
		case p.state == "open":
			open = append(open, c.repo.pullJSON(p))
		}
	}
	if len(merged) > 0 {
		return http.StatusOK, page(c, merged), nil
	}
	return http.StatusOK, page(c, open), nil
}

// compare answers BASE...HEAD.
func (c *call) compare() (int, any, error) {
	base, head, ok := strings.Cut(c.arg("basehead"), "...")
	if !ok {
		return 0, nil, errNotFound()
	}
	b, err1 := c.repo.git.commit(base)
	x, err2 := c.repo.git.commit(head)
	if err1 != nil || err2 != nil {
		return 0, nil, errNotFound()
	}
	ahead, err := c.repo.git.between(b.oid, x.oid)
	if err != nil {
		return 0, nil, err
	}
	behind, err := c.repo.git.between(x.oid, b.oid)
	if err != nil {
		return 0, nil, err
	}
	fork, err := c.repo.git.commit(c.repo.git.mergeBase(b.oid, x.oid))
	if err != nil {
		return 0, nil, errNotFound()
	}
	status := "diverged"
	switch {
	case len(ahead)+len(behind) == 0:
		status = "identical"
	case len(behind) == 0:
		status = "ahead"
	case len(ahead) == 0:
		status = "behind"
	}
	list := []obj{}
	for _, y := range ahead {
		list = append(list, c.repo.commitJSON(y))
	}
	url := c.repo.apiURL() + "/compare/" + base + "..." + head
	html := c.repo.HTMLURL() + "/compare/" + base + "..." + head
	body := obj{
		"url": url, "html_url": html, "permalink_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch",
		"base_commit": c.repo.commitJSON(b), "merge_base_commit": c.repo.commitJSON(fork),
	}
	maps.Copy(body, obj{
		"status": status, "ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead),
		"commits": page(c, list), "files": c.repo.filesJSON(fork.oid, x.oid),
	})
	return http.StatusOK, body, nil
}
