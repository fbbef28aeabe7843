package main

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// postman takes the hub's webhooks and passes them on at once, side by side,
// with some of them a second time: GitHub waits for nobody, and redelivers
// under the same GUID.
type postman struct {
	server *httptest.Server
	gun    *gun
	ctx    context.Context //nolint:containedctx // the life of what it sends

	mu      sync.Mutex
	began   time.Time // of the storm; zero before
	rnd     *rand.Rand
	passed  []request // during the storm, to be played to another
	again   int       // redeliveries
	waiting sync.WaitGroup
}

// Every tenth comment comes twice, up to two seconds later.
const (
	redelivered  = 10
	longestDelay = 2 * time.Second
)

func newPostman(ctx context.Context, g *gun) *postman {
	p := &postman{gun: g, ctx: ctx, rnd: rand.New(rand.NewPCG(2, 2))}
	p.server = httptest.NewServer(http.HandlerFunc(p.take))
	return p
}

func (p *postman) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "read", http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusOK)
	one := request{kind: kindOther, path: "/webhooks/github", head: r.Header.Clone(), body: body, again: true}
	if isPersonsComment(r.Header, body) {
		one.kind = kindComment
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pass(one)
	if one.kind == kindComment && p.rnd.IntN(redelivered) == 0 && !p.began.IsZero() {
		one.kind = kindRedelivery
		p.again++
		p.waiting.Add(1)
		time.AfterFunc(time.Duration(p.rnd.Int64N(int64(longestDelay))), func() {
			defer p.waiting.Done()
			p.mu.Lock()
			defer p.mu.Unlock()
			p.pass(one)
		})
	}
}

// pass sends one on. p.mu is held.
func (p *postman) pass(r request) {
	now := time.Now()
	if !p.began.IsZero() {
		r.due = now.Sub(p.began)
		p.passed = append(p.passed, r)
	}
	p.gun.shoot(p.ctx, r, now)
}

// isPersonsComment reports whether a delivery tells of a comment by a person.
func isPersonsComment(h http.Header, body []byte) bool {
	var d struct {
		Action string `json:"action"`
		Sender struct {
			Type string `json:"type"`
		} `json:"sender"`
	}
	return h.Get("X-GitHub-Event") == "issue_comment" && json.Unmarshal(body, &d) == nil && d.Action == "created" && d.Sender.Type == "User"
}

func (p *postman) start(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = t
}
