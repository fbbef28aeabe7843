package fakehub

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody is the most that the API takes in one request.
const maxBody = 64 << 20

// serve takes every request: git, GraphQL, or REST with either prefix.
func (h *Hub) serve(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	owner, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	name, _, isGit := strings.Cut(rest, ".git/")
	switch {
	case isGit && owner != "" && !strings.Contains(name, "/"):
		h.serveGit(w, r)
	case path == "/graphql" || path == "/api/graphql":
		h.serveAPI(w, r, "graphql")
	default:
		if rest, ok := strings.CutPrefix(r.URL.Path, "/api/v3"); ok {
			u := *r.URL
			u.Path, u.RawPath = rest, strings.TrimPrefix(r.URL.RawPath, "/api/v3")
			r = r.Clone(r.Context())
			r.URL = &u
		}
		h.serveAPI(w, r, "rest")
	}
}

// answer buffers a response: it is complete, and logged, before the first
// byte leaves, and it can be lost on demand.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

func (h *Hub) serveAPI(w http.ResponseWriter, r *http.Request, kind string) {
	req := Request{Kind: kind, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery}
	req.Start, req.began = h.journal.begin()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "read body", http.StatusBadRequest)
		return
	}
	req.Body = body
	out := &answer{header: http.Header{}, status: http.StatusOK}
	out.header.Set("Date", h.opts.Now().UTC().Format(http.TimeFormat))
	out.header.Set("X-GitHub-Request-Id", strings.ToUpper(newGUID()[:18]))
	c := &call{h: h, r: r, body: body, out: out.header, seen: reads{}}
	c.actor, err = h.knock(r)
	req.Actor = c.actor.name()
	if kind == "graphql" {
		c.parseDocument()
		req.Route, req.Fields = c.doc.operation, c.doc.fields
	} else if end, args := h.api.find(r); end != nil {
		req.Route, c.route, c.args = end.pattern, end.route, args
	}

	fault := h.strike(req)
	if !fault.wait(r) {
		panic(http.ErrAbortHandler)
	}
	run(fault.Before)
	switch {
	case fault.CutBefore:
	case fault.Status != 0 && !fault.CutAfter:
		fault.answer(out)
		req.Injected = true
	case err != nil:
		c.writeError(out, err)
	case kind == "graphql":
		h.serveGraphQL(out, c)
	case req.Route == "":
		c.writeError(out, errNotFound())
	default:
		h.perform(out, c, c.route)
	}
	c.notModified(out)
	req.Writes, req.Status = c.writes, out.status
	cut := fault.CutBefore || fault.CutAfter
	if cut {
		req.Status = 0
	}
	h.finish(h.journal.end(req), r, out)
	run(fault.After)
	if cut {
		panic(http.ErrAbortHandler)
	}
	if fault.Half || fault.CutInside {
		out.halve(w, fault.CutInside)
	}
	out.send(w)
	if fault.Sent != nil {
		http.NewResponseController(w).Flush() //nolint:errcheck // the client may have gone.
		fault.Sent()
	}
}

// halve leaves only the first half of the body: as if that were all, or sent
// with the whole one's length before the connection is closed.
func (a *answer) halve(w http.ResponseWriter, cut bool) {
	whole := a.body.Len()
	a.body.Truncate(whole / 2)
	if !cut {
		return
	}
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(whole))
	w.WriteHeader(a.status)
	w.Write(a.body.Bytes())               //nolint:errcheck // the client may have gone.
	http.NewResponseController(w).Flush() //nolint:errcheck // likewise.
	panic(http.ErrAbortHandler)
}

// send lets the answer leave.
func (a *answer) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	w.WriteHeader(a.status)
	w.Write(a.body.Bytes()) //nolint:errcheck // the client may have gone.
}

// knock identifies who sends a request.
func (h *Hub) knock(r *http.Request) (*actor, error) {
	h.lock()
	defer h.unlock()
	a, err := h.identify(r)
	if err != nil {
		return &actor{}, err
	}
	if a.token != nil && !a.token.in.suspended.IsZero() {
		return a, &apiError{status: http.StatusForbidden, kind: "FORBIDDEN", message: "This installation has been suspended"}
	}
	return a, nil
}

// wait is a fault's delay; false means that the client has gone.
func (f *Fault) wait(r *http.Request) bool {
	if f.Delay <= 0 {
		return true
	}
	t := time.NewTimer(f.Delay)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// notModified adds an ETag to what was read, and answers 304 to who has it.
func (c *call) notModified(out *answer) {
	if c.r.Method != http.MethodGet || out.status != http.StatusOK {
		return
	}
	sum := sha256.Sum256(out.body.Bytes())
	tag := `W/"` + hex.EncodeToString(sum[:]) + `"`
	out.header.Set("ETag", tag)
	if c.r.Header.Get("If-None-Match") == tag {
		out.status = http.StatusNotModified
		out.body.Reset()
	}
}

func (h *Hub) finish(req Request, r *http.Request, out *answer) {
	h.log.Debug("request", "request", req.String(), "actor", req.Actor, "status", req.Status)
	e := Exchange{
		Request: req, RequestHeader: r.Header, ResponseHeader: out.header, Response: bytes.Clone(out.body.Bytes()),
	}
	h.recorder.exchange(r.URL.EscapedPath(), e)
	if h.opts.OnExchange != nil {
		h.opts.OnExchange(e)
	}
}

// writeError answers with an error as GitHub words it.
func (c *call) writeError(w http.ResponseWriter, err error) {
	var e *apiError
	if !errors.As(err, &e) {
		c.h.log.Error("request", "path", c.r.URL.Path, "error", err)
		e = &apiError{status: http.StatusInternalServerError, message: fmt.Sprintf("fakehub: %v", err)}
	}
	if e.accepts != "" {
		w.Header().Set("X-Accepted-GitHub-Permissions", e.accepts)
	}
	body := obj{
		"message": e.message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(e.status),
	}
	if len(e.details) > 0 {
		body["errors"] = e.details
	}
	c.writeJSON(w, e.status, body)
}
