package crash

import (
	"fmt"
	"slices"
	"sync"
)

// moment is where in an effect a process is killed; doc.go tells what each
// means.
type moment string

const (
	before moment = "before"
	inside moment = "inside"
	after  moment = "after"
	late   moment = "late"
	later  moment = "later"
)

// outside are the moments of a request, inner those of a local commit.
var (
	outside = []moment{before, inside, after, late, later}
	inner   = []moment{before, after}
)

// kill is one death: at a moment of the nth effect of that name that one
// process has. The name "" is any request of the process.
type kill struct {
	Effect string
	N      int
	When   moment
}

func (k kill) String() string {
	name := k.Effect
	if name == "" {
		name = "any request"
	}
	if k.N > 1 {
		name = fmt.Sprintf("%s #%d", name, k.N)
	}
	return string(k.When) + " " + name
}

// director watches what the processes of one run do, and kills them as planned:
// each kill is for the process that runs when the one before has had its own.
type director struct {
	slay func() // kills the present process; returns when it is dead

	mu    sync.Mutex
	plan  []kill
	done  []kill         // kills that took place
	count map[string]int // effects of the present process, by name
	all   map[string]int // moments of all processes, by "moment effect"
	order []string       // effects in the order in which they came first
	stray *stray
}

// stray is a request that outlives who sent it.
type stray struct {
	effect string
	when   moment // late or later
	loose  chan struct{}
	landed chan struct{}
	once   sync.Once
}

func (s *stray) free() { s.once.Do(func() { close(s.loose) }) }

func newDirector(plan []kill) *director {
	return &director{plan: slices.Clone(plan), count: map[string]int{}, all: map[string]int{}}
}

// cut is what happens to one request. The zero cut lets it pass.
type cut struct {
	d     *director
	kill  kill
	stray *stray // this request, when it is one
	first *stray // a stray that is handled before this request
	then  *stray // a stray that is handled right after this request
}

// arrives is called when a request has arrived.
func (d *director) arrives(effect string) cut {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saw(effect, before)
	c := cut{d: d}
	if s := d.stray; s != nil && s.effect == effect {
		d.stray = nil
		if s.when == late {
			c.first = s
		} else {
			c.then = s
		}
	}
	d.count[""]++
	if k, ok := d.due(effect, outside); ok {
		c.kill = k
		if k.When == late || k.When == later {
			c.stray = &stray{effect: effect, when: k.When, loose: make(chan struct{}), landed: make(chan struct{})}
		}
	}
	return c
}

// at is called at a moment of a local effect. It reports whether the process is
// dead now.
func (d *director) at(effect string, when moment) bool {
	d.mu.Lock()
	if when == before {
		d.saw(effect, before)
	} else {
		d.all[string(when)+" "+effect]++
	}
	k, ok := kill{}, false
	if len(d.plan) > 0 && d.plan[0].When == when && d.plan[0].Effect == effect {
		k, ok = d.due(effect, inner)
	}
	d.mu.Unlock()
	if ok {
		d.kill(k, nil)
	}
	return ok
}

// saw notes an effect. d.mu is held.
func (d *director) saw(effect string, when moment) {
	d.count[effect]++
	d.all[string(when)+" "+effect]++
	if !slices.Contains(d.order, effect) {
		d.order = append(d.order, effect)
	}
}

// due takes the next kill off the plan if this effect is where it belongs.
// d.mu is held.
func (d *director) due(effect string, moments []moment) (kill, bool) {
	if len(d.plan) == 0 {
		return kill{}, false
	}
	k := d.plan[0]
	if k.Effect != "" && k.Effect != effect || d.count[k.Effect] != k.N || !slices.Contains(moments, k.When) {
		return kill{}, false
	}
	d.plan = d.plan[1:]
	return k, true
}

// kill ends the present process. s is the request that it leaves behind.
func (d *director) kill(k kill, s *stray) {
	d.mu.Lock()
	d.count = map[string]int{}
	d.done = append(d.done, k)
	if s != nil {
		d.stray = s
	}
	d.mu.Unlock()
	d.slay()
}

// before runs before the act, which is not to be done if it returns false.
func (c cut) before() bool {
	if c.first != nil {
		c.first.free()
		<-c.first.landed
	}
	switch {
	case c.kill.When == before:
		c.d.kill(c.kill, c.then) // what was to follow this request waits for the next
		return false
	case c.stray != nil:
		c.d.kill(c.kill, c.stray)
		<-c.stray.loose
	}
	return true
}

// acted runs when the act is done, before its answer leaves.
func (c cut) acted() {
	if c.kill.When == inside {
		c.d.kill(c.kill, nil)
	}
	if c.stray != nil {
		close(c.stray.landed)
	}
	if c.then != nil {
		c.then.free()
		<-c.then.landed
	}
}

// lost reports whether the answer has nobody to go to.
func (c cut) lost() bool { return c.kill.When == inside || c.stray != nil }

// sent runs when the answer has left.
func (c cut) sent() {
	if c.kill.When == after {
		c.d.kill(c.kill, nil)
	}
}

// land lets a stray that nobody repeated take effect, and reports whether there
// was one.
func (d *director) land() bool {
	d.mu.Lock()
	s := d.stray
	d.stray = nil
	d.mu.Unlock()
	if s == nil {
		return false
	}
	s.free()
	<-s.landed
	return true
}

// times tells how often a moment of an effect was seen, over all processes.
func (d *director) times(when moment, effect string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all[string(when)+" "+effect]
}

// left are the kills that did not take place.
func (d *director) left() []kill {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.plan)
}

// recorded lists the effects of a process in the order in which they came, each
// with how often.
func (d *director) recorded() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, effect := range d.order {
		out = append(out, fmt.Sprintf("%d × %s", d.count[effect], effect))
	}
	return out
}
