package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/stage"
)

// patience bounds every wait. It is generous: a busy machine is no failure.
const patience = 90 * time.Second

// run is one telling of a story, with the kills of one plan.
type run struct {
	t        *testing.T
	ctx      context.Context
	dir      string
	story    story
	director *director
	stage    *stage.Stage
	world    *httptest.Server
	children *children
	culprit  int    // pull request that broke production
	before   string // head of main when the story began
	pending  bool   // checks do not end by themselves
	comments []int64
	events   int // that were sent
}

// tell tells a story under a plan and checks the world at the end.
func tell(t *testing.T, s story, plan ...kill) *director {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	r := &run{t: t, ctx: ctx, dir: t.TempDir(), story: s, director: newDirector(plan)}
	if err := r.play(); err != nil {
		t.Errorf("%v\n%s", err, r.state())
	}
	return r.director
}

func (r *run) play() (err error) {
	if err := r.open(); err != nil {
		return errors.Join(err, r.close())
	}
	if err = r.story.tell(r); err == nil {
		err = r.settle()
	}
	if err = errors.Join(err, r.children.end(), r.close()); err != nil {
		return err
	}
	return r.check()
}

// hello lets webhooks go to the process that runs now.
func (r *run) hello(_ http.ResponseWriter, req *http.Request) {
	var h hello
	if json.NewDecoder(req.Body).Decode(&h) == nil && r.children.is(h.Pid) {
		r.stage.ServedAt(h.URL)
	}
}

// local hears of a commit of the bot's; who is dead gets no answer.
func (r *run) local(_ http.ResponseWriter, req *http.Request) {
	var l local
	if json.NewDecoder(req.Body).Decode(&l) != nil || !r.children.is(l.Pid) || r.director.at(l.Effect, l.When) {
		panic(http.ErrAbortHandler)
	}
}

// until waits for a condition; what names it. Webhooks that nobody took are
// delivered again meanwhile.
func (r *run) until(what string, cond func() (bool, string)) error {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, seen := cond()
		if ok {
			return nil
		}
		if r.children != nil {
			if err := r.children.err(); err != nil {
				return err
			}
			r.redeliver()
		}
		if time.Now().After(deadline) || r.ctx.Err() != nil {
			return fmt.Errorf("waited for %s; last seen: %s", what, seen)
		}
		<-tick.C
	}
}

// redeliver sends comments again that nobody took. What was answered with 2xx
// is never sent again, and hints (pushes, checks) are not either.
func (r *run) redeliver() {
	last := map[string]fakehub.Delivery{}
	for _, d := range r.stage.GitHub.Deliveries() {
		if d.Event == "issue_comment" && last[d.GUID].StatusCode/100 != 2 {
			last[d.GUID] = d
		}
	}
	for _, d := range last {
		if d.StatusCode/100 != 2 && r.children.again(d.ID) {
			r.stage.GitHub.Redeliver(d.ID)
		}
	}
}

func (r *run) close() error {
	var errs []error
	if r.stage != nil {
		errs = append(errs, r.stage.Close())
	}
	if r.world != nil {
		r.director.land()
		r.world.CloseClientConnections()
		r.world.Close()
	}
	return errors.Join(errs...)
}
