package memory_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/test/memory"
)

func TestClockAdvancesThroughAlarmsInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory.NewClock()
		start := c.Now()
		var rang []string
		set := func(name string, d time.Duration) func() {
			return c.At(start.Add(d), func() { rang = append(rang, name) })
		}
		set("second", 2*time.Hour)
		set("first", time.Hour)
		set("never", 3*time.Hour)
		set("called off", time.Minute)()
		c.Advance(150 * time.Minute)
		if diff := cmp.Diff([]string{"first", "second"}, rang); diff != "" {
			t.Errorf("alarms (-want +got):\n%s", diff)
		}
		if next, ok := c.Next(); !ok || !next.Equal(start.Add(3*time.Hour)) {
			t.Errorf("next alarm %v, %v", next, ok)
		}
		if got := c.Now().Sub(start); got != 150*time.Minute {
			t.Errorf("the clock moved by %v", got)
		}
	})
}

func TestRealTimeFlowsOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := memory.NewClock()
		rang := make(chan time.Time, 1)
		start := c.Now()
		c.At(start.Add(time.Hour), func() { rang <- c.Now() })
		c.Advance(59 * time.Minute)
		if at := <-rang; at.Sub(start) != time.Hour {
			t.Errorf("rang %v after the start, want the rest of the hour to pass by itself", at.Sub(start))
		}
		if _, ok := c.Next(); ok {
			t.Error("an alarm that rang is still set")
		}
	})
}
