package memory

import (
	"slices"
	"sync"
	"time"
)

// Clock is real time plus what tests have added to it. Real time flows on, so
// polls of milliseconds work as they are; hours are passed with Advance.
type Clock struct {
	mu     sync.Mutex
	ahead  time.Duration
	alarms map[*alarm]struct{}
}

type alarm struct {
	at    time.Time
	fire  func()
	timer *time.Timer
}

// NewClock returns a clock that shows the real time.
func NewClock() *Clock { return &Clock{alarms: map[*alarm]struct{}{}} }

// Now is the time on this clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time { return time.Now().Add(c.ahead) }

// At calls fire once the clock has reached t, from Advance or, when real time
// gets there first, from a goroutine of its own. The returned function calls it
// off; it does not wait for a call under way.
func (c *Clock) At(t time.Time, fire func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &alarm{at: t, fire: fire}
	a.timer = time.AfterFunc(t.Sub(c.now()), func() {
		if c.take(a) {
			fire()
		}
	})
	c.alarms[a] = struct{}{}
	return func() { c.take(a) }
}

// take removes an alarm and reports whether it was still set.
func (c *Clock) take(a *alarm) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, set := c.alarms[a]
	delete(c.alarms, a)
	a.timer.Stop()
	return set
}

// Advance moves the clock by d at once and fires what is due, in order of time,
// before it returns. Whoever polls sees one long step; see Engine.Advance for
// many small ones.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	c.ahead += d
	now := c.now()
	var due []*alarm
	for a := range c.alarms {
		if a.at.After(now) {
			a.timer.Reset(a.at.Sub(now))
			continue
		}
		a.timer.Stop()
		delete(c.alarms, a)
		due = append(due, a)
	}
	c.mu.Unlock()
	slices.SortFunc(due, func(a, b *alarm) int { return a.at.Compare(b.at) })
	for _, a := range due {
		a.fire()
	}
}

// Next is when the next alarm is due; ok is false when none is set.
func (c *Clock) Next() (t time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for a := range c.alarms {
		if !ok || a.at.Before(t) {
			t, ok = a.at, true
		}
	}
	return t, ok
}
