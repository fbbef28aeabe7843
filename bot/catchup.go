package bot

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// sweepOverlap is how far a sweep looks back behind the one before: a
	// delivery is dated when it was sent and may stand in the log only later.
	sweepOverlap = 15 * time.Minute
	// sweepRequests bounds one sweep: a fifth of what an App may ask in an hour.
	sweepRequests = 1000
	// blockedSweeps is in how many sweeps a delivery that can't be read holds up
	// those behind it, before they overtake it.
	blockedSweeps = 3
)

// CatchUp finds the webhooks that did not reach us. GitHub never sends one
// again by itself, so its log is read at the start and in intervals, and what
// failed there is taken in, oldest first.
//
// Nothing here is durable, and nothing needs to be. An event has one ID by
// whichever way it comes, and the engine takes it in once, so reading too much
// costs requests and nothing else: the first sweep looks back over all that the
// log keeps. Alerts have no such log; Alertmanager sends them again by itself
// for as long as they fire (repeat_interval) and whenever it got no 2xx.
type CatchUp struct {
	Flow  *Flow
	Log   DeliveryLog
	Inbox Inbox
	// Back is how far the first sweep looks back. GitHub keeps three days.
	Back time.Duration
	// MaxRequests bounds one sweep; 0 means 1000. What is left is done by the
	// next.
	MaxRequests int

	mu      sync.Mutex // one sweep at a time
	walk    *walk      // a walk through the log that has not come to its end
	since   time.Time  // when the last whole walk began, by GitHub's clock; zero before
	pending map[string]*missed
	done    map[string]time.Time // GUIDs that need nothing more, by their date
	pushed  bool                 // a push was missed and the mirrors were not told yet
	resume  time.Time            // until then GitHub wants to be left alone
}

// walk is the way through the log from its newest entry to what was seen before.
type walk struct {
	began, until time.Time
	cursor       string
}

// missed is a delivery that waits to be taken in.
type missed struct {
	Delivery
	tries int
}

// Swept says what one sweep did.
type Swept struct {
	Requests int
	Found    int // failed deliveries that no sweep of this process saw before
	Taken    int // made durable, or durable already
	Ignored  int // held nothing for us
	Lost     int // gone from the log, or not to be understood
	// Whole is true when the log was read to where the last sweep began, and
	// nothing waits.
	Whole bool
}

// Sweep reads the log and takes in what was missed, then lets every unfinished
// Rollback look at the world. Trouble ends it, and the next one goes on: what is
// older is always taken in before what is newer.
func (c *CatchUp) Sweep(ctx context.Context) (Swept, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := sweep{CatchUp: c, left: cmp.Or(c.MaxRequests, sweepRequests)}
	if c.pending == nil {
		c.pending, c.done = map[string]*missed{}, map[string]time.Time{}
	}
	var err error
	if now := c.Flow.Now(); !now.Before(c.resume) {
		err = s.run(ctx)
		if wait := AsTrouble(err); err != nil && wait.RetryAfter > 0 {
			c.resume = now.Add(wait.RetryAfter)
		}
	}
	if trouble := c.nudge(ctx); trouble != nil {
		c.Flow.Log.WarnContext(ctx, "hinting after a sweep met trouble", "error", trouble)
	}
	return s.Swept, err
}

// sweep is one sweep under way.
type sweep struct {
	*CatchUp
	Swept
	left int // requests
}

// run reads the log, and then takes in what is missed: a page that is still to be
// read holds what is older.
func (s *sweep) run(ctx context.Context) error {
	whole, err := s.read(ctx)
	if err == nil && whole {
		err = s.take(ctx)
	}
	s.Whole = whole && err == nil && len(s.pending) == 0
	return err
}

// spend counts a request, or reports that there is none left.
func (s *sweep) spend() bool {
	if s.left == 0 {
		return false
	}
	s.left--
	s.Requests++
	return true
}

// read walks through the log and notes what failed. It reports whether it came
// to its end.
func (s *sweep) read(ctx context.Context) (whole bool, err error) {
	for s.spend() {
		cursor := ""
		if s.walk != nil {
			cursor = s.walk.cursor
		}
		page, err := s.Log.Deliveries(ctx, cursor)
		if err != nil {
			if s.walk != nil && !IsTrouble(err, TroubleTransient) {
				s.walk = nil // a cursor that is no good any more
			}
			return false, fmt.Errorf("read the delivery log: %w", err)
		}
		if s.walk == nil {
			s.walk = &walk{began: page.Now, until: s.horizon(page.Now)}
		}
		old := false
		for _, d := range page.Deliveries {
			if old = d.At.Before(s.walk.until); old {
				break
			}
			s.note(d)
		}
		if s.walk.cursor = page.Next; old || page.Next == "" {
			s.since, s.walk = s.walk.began, nil
			s.forget()
			return true, nil
		}
	}
	return false, nil
}

// horizon is how far back a walk goes that begins now.
func (c *CatchUp) horizon(now time.Time) time.Time {
	if c.since.IsZero() {
		return now.Add(-c.Back)
	}
	return c.since.Add(-sweepOverlap)
}

// note keeps a delivery in mind. Of several attempts the newest is read, since
// the log keeps it longest, and the oldest dates it.
func (s *sweep) note(d Delivery) {
	_, known := s.done[d.GUID]
	switch {
	case known:
	case !d.Failed:
		s.done[d.GUID] = d.At
		delete(s.pending, d.GUID)
	case d.Event == "push":
		s.done[d.GUID] = d.At
		s.pushed = true
	case !s.Inbox.Wants(d.Event, d.Action):
	case s.pending[d.GUID] != nil:
		if m := s.pending[d.GUID]; d.At.Before(m.At) {
			m.At = d.At
		}
	default:
		s.pending[d.GUID] = &missed{Delivery: d}
		s.Found++
	}
}

// forget drops what no later walk can meet again.
func (c *CatchUp) forget() {
	horizon := c.since.Add(-max(c.Back, 2*sweepOverlap))
	for guid, at := range c.done {
		if at.Before(horizon) {
			delete(c.done, guid)
		}
	}
}
