package fakehub

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

func (r *Repo) refJSON(name, sha string) obj {
	kind := "commit"
	if _, k, _, err := r.git.read(sha); err == nil {
		kind = k
	}
	return obj{
		"ref": name, "node_id": shaNodeID("REF", r.id, name), "url": r.apiURL() + "/git/" + name,
		"object": obj{"sha": sha, "type": kind, "url": r.apiURL() + "/git/" + kind + "s/" + sha},
	}
}

// makeRef creates a ref for somebody, or refuses as GitHub does.
func (r *Repo) makeRef(a *actor, name, sha string) error {
	if !validRef(name) {
		return &apiError{
			status: http.StatusUnprocessableEntity, kind: "UNPROCESSABLE", message: "Reference name is not valid",
			graph: "A ref with the name \"" + name + "\" is not valid.",
		}
	}
	if _, err := r.git.commit(sha); err != nil {
		return &apiError{
			status: http.StatusUnprocessableEntity, kind: "UNPROCESSABLE", message: "Object does not exist",
			graph: "Object does not exist",
		}
	}
	if r.git.ref(name) == "" {
		err := r.moveRef(a.account, refUpdate{name, "", sha})
		if err == nil {
			return nil
		}
		if !strings.Contains(err.Error(), "already exists") {
			return errUnprocessable("Reference update failed")
		}
	}
	return &apiError{
		status: http.StatusUnprocessableEntity, kind: "UNPROCESSABLE", message: "Reference already exists",
		graph: "A ref named \"" + name + "\" already exists in the repository.",
	}
}

// changeRef moves or (sha "") deletes a ref for somebody.
func (r *Repo) changeRef(a *actor, name, sha string, force bool) error {
	old := r.git.ref(name)
	switch {
	case old == "":
		return &apiError{status: http.StatusUnprocessableEntity, kind: "NOT_FOUND", message: "Reference does not exist"}
	case sha != "" && !force && !r.git.isAncestor(old, sha):
		if _, err := r.git.commit(sha); err != nil {
			return errUnprocessable("Object does not exist")
		}
		return errUnprocessable("Update is not a fast forward")
	}
	branch := strings.TrimPrefix(name, "refs/heads/")
	rules := r.rules(branch)
	switch {
	case sha == "" && branch == r.defaultBranch:
		return errUnprocessable("Cannot delete the default branch")
	case sha != "" && rules != nil && !rules.bypassedBy(a.account) && !r.git.isAncestor(old, sha):
		return errUnprocessable("Cannot force-push to this branch")
	}
	if why := r.refusePush(a.account, refUpdate{name, old, sha}); len(why) > 0 {
		return errUnprocessable(rules.phrase(why))
	}
	if err := r.moveRef(a.account, refUpdate{name, old, sha}); err != nil {
		return errUnprocessable("Reference update failed")
	}
	return nil
}

func (c *call) createRef() (int, any, error) {
	var req struct{ Ref, SHA string }
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	if err := c.repo.makeRef(c.actor, req.Ref, req.SHA); err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, c.repo.refJSON(req.Ref, req.SHA), nil
}

func (c *call) getRef() (int, any, error) {
	name := "refs/" + c.arg("ref")
	sha := c.repo.git.ref(name)
	if sha == "" {
		return 0, nil, errNotFound()
	}
	return http.StatusOK, c.repo.refJSON(name, sha), nil
}

func (c *call) matchingRefs() (int, any, error) {
	refs, err := c.repo.git.refs("refs/" + c.arg("ref"))
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, ref := range refs {
		list = append(list, c.repo.refJSON(ref.name, ref.new))
	}
	return http.StatusOK, page(c, list), nil
}

func (c *call) updateRef() (int, any, error) {
	var req struct {
		SHA   string
		Force bool
	}
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	name := "refs/" + c.arg("ref")
	if err := c.repo.changeRef(c.actor, name, req.SHA, req.Force); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.repo.refJSON(name, req.SHA), nil
}

func (c *call) deleteRef() (int, any, error) {
	if err := c.repo.changeRef(c.actor, "refs/"+c.arg("ref"), "", true); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}

func (c *call) createBlob() (int, any, error) {
	var req struct{ Content, Encoding string }
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	data := []byte(req.Content)
	if req.Encoding == "base64" {
		var err error
		if data, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(req.Content, "\n", "")); err != nil {
			return 0, nil, errUnprocessable("content is not valid Base64")
		}
	}
	oid, err := c.repo.git.write("blob", data)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, obj{"sha": oid, "url": c.repo.apiURL() + "/git/blobs/" + oid}, nil
}

func (c *call) getBlob() (int, any, error) {
	oid, kind, data, err := c.repo.git.read(c.arg("file_sha"))
	if err != nil || kind != "blob" {
		return 0, nil, errNotFound()
	}
	return http.StatusOK, obj{
		"sha": oid, "node_id": shaNodeID("B", c.repo.id, oid), "size": len(data), "encoding": "base64",
		"url": c.repo.apiURL() + "/git/blobs/" + oid, "content": base64.StdEncoding.EncodeToString(data),
	}, nil
}

// treeItem is one line of a tree to make. `"sha": null` removes the path.
type treeItem struct {
	Path    string          `json:"path"`
	Mode    string          `json:"mode"`
	Type    string          `json:"type"`
	SHA     json.RawMessage `json:"sha"`
	Content *string         `json:"content"`
}

func (c *call) createTree() (int, any, error) {
	var req struct {
		BaseTree string     `json:"base_tree"`
		Tree     []treeItem `json:"tree"`
	}
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	base := emptyTree
	if req.BaseTree != "" {
		oid, kind, _, err := c.repo.git.read(req.BaseTree + "^{tree}")
		if err != nil || kind != "tree" {
			return 0, nil, errUnprocessable("base_tree is not a valid tree oid")
		}
		base = oid
	}
	changes := map[string]*entry{}
	for _, item := range req.Tree {
		e, err := c.treeEntry(item)
		if err != nil {
			return 0, nil, err
		}
		if strings.HasPrefix(item.Path, workflowsDir) && !c.actor.mayWorkflows() {
			return 0, nil, errForbidden("contents=write,workflows=write")
		}
		changes[item.Path] = e
	}
	oid, err := c.repo.git.edit(base, changes)
	if err != nil {
		return 0, nil, err
	}
	body, err := c.treeJSON(oid, false)
	return http.StatusCreated, body, err
}

func (c *call) treeEntry(item treeItem) (*entry, error) {
	modes := []string{"100644", "100755", "040000", "160000", "120000"}
	switch {
	case item.Path == "" || strings.HasPrefix(item.Path, "/") || slices.Contains(strings.Split(item.Path, "/"), ".."):
		return nil, errUnprocessable("tree.path contains a malformed path component")
	case bytes.Equal(item.SHA, []byte("null")):
		return nil, nil //nolint:nilnil // the path goes.
	case !slices.Contains(modes, item.Mode):
		return nil, errUnprocessable("Must supply a valid tree.mode")
	case item.Content != nil:
		oid, err := c.repo.git.write("blob", []byte(*item.Content))
		return &entry{mode: item.Mode, oid: oid}, err
	}
	var sha string
	if json.Unmarshal(item.SHA, &sha) != nil || len(sha) != 40 {
		return nil, errUnprocessable("Must supply either tree.sha or tree.content")
	}
	mode := strings.TrimPrefix(item.Mode, "0")
	if mode != "160000" {
		if _, kind, _, err := c.repo.git.read(sha); err != nil || kind != (entry{mode: mode}).kind() {
			return nil, errUnprocessable("tree.sha " + sha + " is not a valid " + (entry{mode: mode}).kind())
		}
	}
	return &entry{mode: mode, oid: sha}, nil
}

func (c *call) treeJSON(oid string, recursive bool) (obj, error) {
	list := []obj{}
	add := func(path string, e entry) {
		item := obj{"path": path, "mode": strings.Repeat("0", 6-len(e.mode)) + e.mode, "type": e.kind(), "sha": e.oid}
		if e.kind() != "commit" {
			item["url"] = c.repo.apiURL() + "/git/" + e.kind() + "s/" + e.oid
		}
		if e.kind() == "blob" {
			if _, _, data, err := c.repo.git.read(e.oid); err == nil {
				item["size"] = len(data)
			}
		}
		list = append(list, item)
	}
	if recursive {
		if err := c.repo.git.walk(oid, "", add); err != nil {
			return nil, errNotFound()
		}
	} else {
		entries, err := c.repo.git.tree(oid)
		if err != nil {
			return nil, errNotFound()
		}
		for _, e := range entries {
			add(e.name, e)
		}
	}
	return obj{"sha": oid, "url": c.repo.apiURL() + "/git/trees/" + oid, "tree": list, "truncated": false}, nil
}

func (c *call) getTree() (int, any, error) {
	oid, _, _, err := c.repo.git.read(c.arg("tree_sha") + "^{tree}")
	if err != nil {
		return 0, nil, errNotFound()
	}
	body, err := c.treeJSON(oid, c.query("recursive") != "" && c.query("recursive") != "0")
	return http.StatusOK, body, err
}

type gitPerson struct {
	Name, Email string
	Date        *time.Time
}

// createCommit writes a commit. It is signed, and so verified, only for an
// App that names neither author nor committer and brings no signature.
func (c *call) createCommit() (int, any, error) {
	var req struct {
		Message, Tree     string
		Parents           []string
		Author, Committer *gitPerson
		Signature         *string
	}
	if err := c.decode(&req); err != nil {
		return 0, nil, err
	}
	if _, kind, _, err := c.repo.git.read(req.Tree); err != nil || kind != "tree" {
		return 0, nil, errUnprocessable("Tree SHA does not exist")
	}
	for _, p := range req.Parents {
		if _, err := c.repo.git.commit(p); err != nil {
			return 0, nil, errUnprocessable("Parent SHA does not exist or is not a commit object")
		}
	}
	x := commit{tree: req.Tree, parents: req.Parents, message: req.Message, author: c.repo.signatureOf(c.actor.account)}
	sign := c.actor.token != nil && req.Author == nil && req.Committer == nil && req.Signature == nil
	if req.Author != nil {
		x.author = req.Author.signature(c.h.now())
	}
	x.committer = x.author
	if sign {
		x.committer = webFlow(c.h.now())
	}
	if req.Committer != nil {
		x.committer = req.Committer.signature(c.h.now())
	}
	write := c.repo.signed
	if !sign {
		write = func(x commit) (string, error) { return c.repo.git.writeCommit(x, false) }
	}
	oid, err := write(x)
	if err != nil {
		return 0, nil, err
	}
	made, err := c.repo.git.commit(oid)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, c.repo.gitCommitJSON(made), nil
}

func (p *gitPerson) signature(now time.Time) signature {
	s := signature{name: p.Name, email: p.Email, at: now}
	if p.Date != nil {
		s.at = *p.Date
	}
	return s
}

func (c *call) getGitCommit() (int, any, error) {
	x, err := c.repo.git.commit(c.arg("commit_sha"))
	if err != nil {
		return 0, nil, errNotFound()
	}
	return http.StatusOK, c.repo.gitCommitJSON(x), nil
}
