package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// What a request is, as the figures tell it.
const (
	kindAlert      = "alert"
	kindComment    = "comment"
	kindOther      = "other webhook" // pushes, checks and the like
	kindRedelivery = "redelivery"
)

// request is one webhook to be sent.
type request struct {
	kind string
	path string
	head http.Header
	body []byte
	// again is set where the sender sends again after a 5xx, as Alertmanager
	// does, and we by sweeping GitHub's delivery log.
	again bool
	// due is when it was to be sent, from the start of the storm.
	due time.Duration
}

// answer is what one attempt came to.
type answer struct {
	status int // 0: no answer
	took   time.Duration
	at     time.Time
	kind   string
}

// gun sends to one address and remembers what came of it.
type gun struct {
	url    string
	client *http.Client

	mu       sync.Mutex
	landed   *sync.Cond
	flying   int // requests whose sender has not done with them
	answers  []answer
	accepted []request // answered 2xx
	refused  int       // given up without a 2xx
}

// The pauses of a sender that sends again, as Alertmanager's
// (notify/notify.go: exponential, from half a second).
const (
	firstPause = 500 * time.Millisecond
	lastPause  = 10 * time.Second
	giveUp     = 5 * time.Minute
	patience   = 10 * time.Second // GitHub's for one answer
)

func newGun(url string) *gun {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 256
	g := &gun{url: url, client: &http.Client{Transport: t, Timeout: patience}}
	g.landed = sync.NewCond(&g.mu)
	return g
}

// wait returns when nothing is flying. More may be shot meanwhile.
func (g *gun) wait() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.flying > 0 {
		g.landed.Wait()
	}
}

// shoot sends a request beside the caller; since is when it was due.
func (g *gun) shoot(ctx context.Context, r request, since time.Time) {
	g.mu.Lock()
	g.flying++
	g.mu.Unlock()
	go func() {
		pause, began := firstPause, time.Now()
		for !g.note(r, g.once(ctx, r, since), ctx.Err() != nil || time.Since(began) > giveUp) {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			pause, since = min(pause*3/2, lastPause), time.Now()
		}
	}()
}

// note keeps an answer and reports whether the sender has done with the request.
func (g *gun) note(r request, a answer, last bool) (over bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answers = append(g.answers, a)
	ok, retry := a.status/100 == 2, a.status == 0 || a.status/100 == 5
	if over = ok || last || !r.again || !retry; !over {
		return false
	}
	if ok {
		g.accepted = append(g.accepted, r)
	} else {
		g.refused++
	}
	g.flying--
	g.landed.Broadcast()
	return true
}

func (g *gun) once(ctx context.Context, r request, since time.Time) answer {
	a := answer{kind: r.kind}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+r.path, bytes.NewReader(r.body))
	if err != nil {
		return a
	}
	req.Header = r.head
	resp, err := g.client.Do(req)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close() // it was only read
	}
	a.at = time.Now()
	a.took = a.at.Sub(since)
	if err == nil {
		a.status = resp.StatusCode
	}
	return a
}

// play sends requests when they are due, whatever comes back.
func (g *gun) play(ctx context.Context, list []request, began time.Time) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b request) int { return int(a.due - b.due) })
	for _, r := range list {
		at := began.Add(r.due)
		select {
		case <-time.After(time.Until(at)):
		case <-ctx.Done():
			return
		}
		g.shoot(ctx, r, at)
	}
}

// spread makes requests of notices, evenly over a time.
func spread(list []notice, within time.Duration) []request {
	var out []request
	for i, n := range list {
		out = append(out, request{
			kind: kindAlert, path: "/webhooks/alertmanager", body: n.body(), again: true,
			head: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}, "User-Agent": {"Alertmanager/0.27.0"}},
			due:  within * time.Duration(i) / time.Duration(len(list)),
		})
	}
	return out
}
