package fakehub

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi" //nolint:gosec // git's own server side speaks CGI.
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// updateHook refuses single refs of a push: it runs in git's receive-pack,
// where the new objects can be seen before they are taken.
const updateHook = `#!/bin/sh
case "$1" in refs/pull/*)
	echo "error: deny updating a hidden ref" >&2; exit 1;;
esac
if [ -n "$FAKEHUB_REFUSE" ]; then
	while IFS=' ' read -r ref why; do
		if [ "$ref" = "$1" ]; then
			echo "error: GH006: Protected branch update failed for $1." >&2
			echo "error: $why" >&2
			exit 1
		fi
	done <<END
$FAKEHUB_REFUSE
END
fi
if [ -n "$FAKEHUB_GUARDED" ] && [ "$3" != "$FAKEHUB_ZERO" ]; then
	for ref in $FAKEHUB_GUARDED; do
		if [ "$ref" = "$1" ] && ! git merge-base --is-ancestor "$2" "$3"; then
			echo "error: GH006: Protected branch update failed for $1." >&2
			echo "error: Cannot force-push to this branch" >&2
			exit 1
		fi
	done
fi
if [ -n "$FAKEHUB_NO_WORKFLOWS" ] && [ "$3" != "$FAKEHUB_ZERO" ]; then
	file=$(git rev-list "$3" --not --all | git diff-tree --stdin -r --root --no-commit-id --name-only -- .github/workflows | head -n 1)
	if [ -n "$file" ]; then
		echo "error: refusing to allow a GitHub App to create or update workflow \` + "`$file\\`" + ` without \` + "`workflows\\`" + ` permission" >&2
		exit 1
	fi
fi
exit 0
`

// serveGit answers git's smart HTTP protocol through git http-backend.
func (h *Hub) serveGit(w http.ResponseWriter, r *http.Request) {
	s := &gitSession{h: h, r: r, w: w}
	s.req = Request{Kind: "git", Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Route: "git"}
	s.req.Start, s.req.began = h.journal.begin()
	path, service, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), ".git/")
	s.service = service
	s.push = service == "git-receive-pack" || r.URL.Query().Get("service") == "git-receive-pack"
	var status int
	s.actor, s.repo, status = h.admit(r, path, s.push)
	s.req.Actor = s.actor.name()
	fault := h.faults.take(s.req)
	if fault != nil && (!fault.wait(r) || fault.CutBefore) {
		s.cut()
	}
	switch {
	case fault != nil && fault.Status != 0:
		s.buffered(fault.answer)
	case status != http.StatusOK:
		s.buffered(func(w http.ResponseWriter) { refuseGit(w, status) })
	case service == "git-receive-pack":
		s.receive(fault != nil && fault.CutAfter)
	default:
		s.upload(fault != nil && fault.CutAfter)
	}
}

// gitSession is one request of git's.
type gitSession struct {
	h       *Hub
	r       *http.Request
	w       http.ResponseWriter
	req     Request
	actor   *actor
	repo    *Repo
	service string
	push    bool
}

// done logs the request; like every other it is in the log before the client
// can have the whole answer.
func (s *gitSession) done(status int) {
	s.req.Status = status
	s.req = s.h.journal.end(s.req)
	s.h.log.Debug("request", "request", s.req.String(), "actor", s.req.Actor, "status", status)
}

// cut closes the connection.
func (s *gitSession) cut() {
	s.done(0)
	panic(http.ErrAbortHandler)
}

// buffered answers when all is done.
func (s *gitSession) buffered(f func(http.ResponseWriter)) {
	out := &answer{header: http.Header{}, status: http.StatusOK}
	f(out)
	s.done(out.status)
	out.send(s.w)
}

func refuseGit(w http.ResponseWriter, status int) {
	text := "Repository not found."
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
	case http.StatusForbidden:
		text = "Write access to repository not granted."
	}
	http.Error(w, text, status)
}

// upload answers a fetch. It streams, since a clone may be big.
func (s *gitSession) upload(cut bool) {
	body, err := readGitBody(s.r)
	if err != nil {
		s.buffered(func(w http.ResponseWriter) { http.Error(w, err.Error(), http.StatusBadRequest) })
		return
	}
	if cut {
		s.cut()
	}
	backend(s.repo, s.service, gitEnv(s.h.dir), s.w, s.r, body)
	s.done(http.StatusOK)
}

// receive takes a push. The client hears of it only when all that follows
// from it has been done.
func (s *gitSession) receive(cut bool) {
	body, err := readGitBody(s.r)
	if err != nil {
		s.buffered(func(w http.ResponseWriter) { http.Error(w, err.Error(), http.StatusBadRequest) })
		return
	}
	updates := parseCommands(body)
	out := &answer{header: http.Header{}, status: http.StatusOK}
	backend(s.repo, s.service, append(gitEnv(s.h.dir), s.h.pushRules(s.actor, s.repo, updates)...), out, s.r, body)
	s.h.pushed(s.actor, s.repo, updates)
	if cut {
		s.cut()
	}
	s.done(out.status)
	out.send(s.w)
}

// admit decides who may fetch from or push to what.
func (h *Hub) admit(r *http.Request, path string, push bool) (*actor, *Repo, int) {
	h.lock()
	defer h.unlock()
	a, err := h.identify(r)
	if err != nil {
		return &actor{}, nil, http.StatusUnauthorized
	}
	repo := h.repos[strings.ToLower(path)]
	anonymous := a.account == nil
	switch {
	case !a.sees(repo):
		if anonymous {
			return a, nil, http.StatusUnauthorized
		}
		return a, nil, http.StatusNotFound
	case a.token != nil && !a.token.in.suspended.IsZero():
		return a, nil, http.StatusForbidden
	case push && anonymous:
		return a, nil, http.StatusUnauthorized
	case push && a.allow(repo, need{"contents=write"}) != nil, a.allow(repo, need{"contents=read"}) != nil:
		return a, nil, http.StatusForbidden
	}
	return a, repo, http.StatusOK
}

// readGitBody takes the whole request, since CGI needs its length.
func readGitBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	if r.Header.Get("Content-Encoding") != "gzip" {
		return body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("unpack request: %w", err)
	}
	r.Header.Del("Content-Encoding")
	return io.ReadAll(z)
}

func backend(repo *Repo, service string, env []string, w http.ResponseWriter, r *http.Request, body []byte) {
	git, err := exec.LookPath("git")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	r = r.Clone(r.Context())
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	r.URL.Path = "/" + filepath.Base(repo.Dir) + "/" + service
	cgiEnv := []string{
		"GIT_PROJECT_ROOT=" + filepath.Dir(repo.Dir), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=fakehub",
		"GIT_PROTOCOL=" + r.Header.Get("Git-Protocol"),
	}
	(&cgi.Handler{Path: git, Args: []string{"http-backend"}, Dir: repo.Dir, Env: append(cgiEnv, env...), Stderr: io.Discard}).ServeHTTP(w, r)
}

// parseCommands reads the ref updates at the head of a receive-pack request.
// See gitprotocol-pack(5), "Reference Update Request".
func parseCommands(body []byte) []refUpdate {
	var list []refUpdate
	for len(body) >= 4 {
		n, err := strconv.ParseUint(string(body[:4]), 16, 16)
		if err != nil || n < 4 || int(n) > len(body) {
			break
		}
		line, _, _ := strings.Cut(string(body[4:n]), "\x00")
		body = body[n:]
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		for i := range 2 {
			if f[i] == zeroOID {
				f[i] = ""
			}
		}
		list = append(list, refUpdate{name: f[2], old: f[0], new: f[1]})
	}
	return list
}

// pushRules tells the update hook what to refuse.
func (h *Hub) pushRules(a *actor, repo *Repo, updates []refUpdate) []string {
	h.lock()
	defer h.unlock()
	var refuse, guarded []string
	for _, u := range updates {
		if why := repo.refusePush(a.account, u); len(why) > 0 {
			refuse = append(refuse, u.name+" "+strings.Join(why, " "))
		}
		if rules := repo.rules(strings.TrimPrefix(u.name, "refs/heads/")); rules != nil && !rules.bypassedBy(a.account) {
			guarded = append(guarded, u.name)
		}
	}
	env := []string{
		"FAKEHUB_ZERO=" + zeroOID, "FAKEHUB_REFUSE=" + strings.Join(refuse, "\n"),
		"FAKEHUB_GUARDED=" + strings.Join(guarded, " "),
	}
	if !a.mayWorkflows() {
		env = append(env, "FAKEHUB_NO_WORKFLOWS=1")
	}
	return env
}

// pushed does what follows from the updates that git took.
func (h *Hub) pushed(a *actor, repo *Repo, updates []refUpdate) {
	h.lock()
	defer h.unlock()
	for _, u := range updates {
		if repo.git.ref(u.name) == u.new && u.old != u.new {
			repo.refMoved(a.account, u)
		}
	}
}
