package bot_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// TestOldestFirst: 250 failures on three pages, listed newest first.
func TestOldestFirst(t *testing.T) {
	l := newDeliveries()
	var want []string
	for i := range 250 {
		guid := fmt.Sprintf("guid-%03d", i)
		l.command(guid, 3*time.Hour-time.Duration(i)*time.Second)
		want = append(want, guid)
	}
	c := l.catchUp(t)
	got := sweep(t, c, "")
	l.wantAccepted(t, want...)
	if diff := cmp.Diff(bot.Swept{Requests: 253, Found: 250, Taken: 250, Whole: true}, got); diff != "" {
		t.Error(diff)
	}
	// What is known costs nothing more.
	if diff := cmp.Diff(bot.Swept{Requests: 1, Whole: true}, sweep(t, c, "")); diff != "" {
		t.Error(diff)
	}
	// A new process knows nothing, and the engine knows all.
	if got := sweep(t, l.catchUp(t), ""); got.Taken != 250 {
		t.Errorf("after a restart: %+v", got)
	}
}

// TestASweepIsBounded: nothing is taken in before the oldest page was read, and
// each sweep goes on where the one before stopped.
func TestASweepIsBounded(t *testing.T) {
	l := newDeliveries()
	l.size = 2
	for i := range 7 {
		l.command(fmt.Sprint("guid-", i), time.Hour-time.Duration(i)*time.Second)
	}
	c := l.catchUp(t)
	c.MaxRequests = 3
	var taken []int
	for range 5 {
		s := sweep(t, c, "")
		taken = append(taken, s.Taken)
		if s.Requests > 3 || s.Whole != (len(l.accepted) == 7) {
			t.Errorf("%+v", s)
		}
	}
	// 3 pages; the last page and 2; then 2 each: 1 request goes to the newest.
	if diff := cmp.Diff([]int{0, 2, 2, 2, 1}, taken); diff != "" {
		t.Error(diff)
	}
	l.wantAccepted(t, "guid-0", "guid-1", "guid-2", "guid-3", "guid-4", "guid-5", "guid-6")
}

// TestWhatIsFetched: of all that failed, only what must not be lost.
func TestWhatIsFetched(t *testing.T) {
	l := newDeliveries()
	l.add("push-1", "push", "", time.Hour, true)
	l.add("check-1", "check_run", "completed", time.Hour, true)
	l.add("edit-1", "issue_comment", "edited", time.Hour, true)
	l.command("chat-1", 50*time.Minute)
	l.command("broken-1", 40*time.Minute)
	l.command("gone-1", 30*time.Minute)
	l.fail["gone-1"] = bot.NewTrouble(bot.TroubleNotFound, nil, "no longer kept")
	l.add("inst-1", "installation", "deleted", 20*time.Minute, true)
	l.command("guid-1", 10*time.Minute)
	l.command("ancient", 73*time.Hour)
	c := l.catchUp(t)
	want := bot.Swept{Requests: 6, Found: 5, Taken: 2, Ignored: 1, Lost: 2, Whole: true}
	if diff := cmp.Diff(want, sweep(t, c, "")); diff != "" {
		t.Error(diff)
	}
	l.wantAccepted(t, "guid-1")
	if diff := cmp.Diff([]string{"list", "chat-1", "broken-1", "gone-1", "inst-1", "guid-1"}, l.requests); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]bot.RepoName{"acme/fleet"}, l.pushed); diff != "" {
		t.Errorf("mirrors after a missed push: %s", diff)
	}
	sweep(t, c, "")
	if len(l.pushed) != 1 || len(l.requests) != 7 {
		t.Errorf("the second sweep told %v and asked for %v", l.pushed, l.requests)
	}
}

// TestServerWithoutFilter: it lists what went well among the rest, and there a
// later redelivery shows.
func TestServerWithoutFilter(t *testing.T) {
	l := newDeliveries()
	l.filters, l.size = false, 3
	for i := range 20 {
		l.add(fmt.Sprint("fine-", i), "issue_comment", "created", 2*time.Hour, false)
	}
	l.command("again", 90*time.Minute)
	l.command("guid-1", 80*time.Minute)
	l.add("again", "issue_comment", "created", 70*time.Minute, false)
	l.add("once", "issue_comment", "created", 60*time.Minute, false)
	l.command("once", 50*time.Minute) // sent again by hand, and that failed
	c := l.catchUp(t)
	sweep(t, c, "")
	l.wantAccepted(t, "guid-1")
	if n := len(l.requests); n != 10 {
		t.Errorf("%d requests: %v", n, l.requests)
	}
}

// TestSeveralAttempts: an event that failed again and again is one, as old as
// its first attempt.
func TestSeveralAttempts(t *testing.T) {
	l := newDeliveries()
	l.command("first", 60*time.Minute)
	l.command("second", 50*time.Minute)
	l.command("first", 10*time.Minute)
	sweep(t, l.catchUp(t), "")
	l.wantAccepted(t, "first", "second")
}

// TestEntriesThatAppearLate: a sweep looks back behind the one before.
func TestEntriesThatAppearLate(t *testing.T) {
	l := newDeliveries()
	l.lag = 5 * time.Minute
	c := l.catchUp(t)
	l.command("guid-1", 4*time.Minute)
	sweep(t, c, "")
	l.wantAccepted(t)
	l.now = l.now.Add(2 * time.Minute)
	sweep(t, c, "")
	l.wantAccepted(t, "guid-1")
	// Much later nothing of it is left in memory, and it is not met again.
	l.now = l.now.Add(200 * time.Hour)
	if s := sweep(t, c, ""); s.Found != 0 {
		t.Errorf("%+v", s)
	}
}

// TestTroubleInTheLog: a sweep that fails is gone on with.
func TestTroubleInTheLog(t *testing.T) {
	l := newDeliveries()
	l.command("guid-1", 2*time.Hour)
	l.command("guid-2", time.Hour)
	c := l.catchUp(t)
	outage := bot.NewTrouble(bot.TroubleTransient, nil, "GitHub is in trouble")

	l.fail["list"] = outage
	sweep(t, c, "read the delivery log: GitHub is in trouble")
	delete(l.fail, "list")
	l.fail["guid-1"] = outage
	sweep(t, c, "take in delivery guid-1: GitHub is in trouble")
	l.wantAccepted(t) // guid-2 is newer
	delete(l.fail, "guid-1")
	l.refuse = errors.New("disk full")
	for range 4 {
		sweep(t, c, "take in delivery guid-1: disk full")
	}
	l.refuse = nil
	if s := sweep(t, c, ""); !s.Whole || s.Taken != 2 {
		t.Errorf("%+v", s)
	}
	l.wantAccepted(t, "guid-1", "guid-2")
}

// TestGitHubWantsAPause: a sweep that comes too early asks for nothing.
func TestGitHubWantsAPause(t *testing.T) {
	l := newDeliveries()
	l.command("guid-1", time.Hour)
	c := l.catchUp(t)
	now := night
	c.Flow.Now = func() time.Time { return now }
	limit := bot.NewTrouble(bot.TroubleTransient, nil, "GitHub limits how fast we may go")
	limit.RetryAfter = 10 * time.Minute
	l.fail["list"] = limit
	sweep(t, c, "limits how fast")
	delete(l.fail, "list")
	now = night.Add(9 * time.Minute)
	if s := sweep(t, c, ""); s.Requests != 0 || s.Whole {
		t.Errorf("before the pause was over: %+v", s)
	}
	now = night.Add(10 * time.Minute)
	sweep(t, c, "")
	l.wantAccepted(t, "guid-1")
}

// TestOneThatNeverCanBeRead must not hold up all that come after it.
func TestOneThatNeverCanBeRead(t *testing.T) {
	l := newDeliveries()
	l.command("stuck", 2*time.Hour)
	l.command("guid-2", time.Hour)
	l.fail["stuck"] = errors.New("a server error, each time")
	c := l.catchUp(t)
	sweep(t, c, "stuck")
	sweep(t, c, "stuck")
	l.wantAccepted(t)
	if s := sweep(t, c, ""); s.Whole {
		t.Error("one waits, and the sweep calls itself whole")
	}
	l.wantAccepted(t, "guid-2")
	delete(l.fail, "stuck")
	sweep(t, c, "")
	l.wantAccepted(t, "guid-2", "stuck")
}

// TestABadCursor: a walk whose cursor is refused begins anew.
func TestABadCursor(t *testing.T) {
	l := newDeliveries()
	l.size = 1
	l.command("guid-1", 2*time.Hour)
	l.command("guid-2", time.Hour)
	c := l.catchUp(t)
	c.MaxRequests = 1
	sweep(t, c, "") // one of two pages
	c.MaxRequests, l.size = 0, 100
	l.fail["cursor"] = bot.NewTrouble(bot.TroubleInvalid, nil, "no such cursor")
	sweep(t, c, "no such cursor")
	sweep(t, c, "")
	l.wantAccepted(t, "guid-1", "guid-2")
}

// TestOverlappingSweeps take turns.
func TestOverlappingSweeps(t *testing.T) {
	l := newDeliveries()
	for i := range 20 {
		l.command(fmt.Sprintf("guid-%02d", i), time.Hour-time.Duration(i)*time.Second)
	}
	c := l.catchUp(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := c.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(l.accepted) != 20 || len(l.requests) != 24 || !slices.IsSorted(l.accepted) {
		t.Errorf("accepted %v after %d requests", l.accepted, len(l.requests))
	}
}

// TestUnfinishedRollbacksLookAgain: each sweep makes up for hints that were
// missed, whatever the log says.
func TestUnfinishedRollbacksLookAgain(t *testing.T) {
	l := newDeliveries()
	c := l.catchUp(t)
	for i, repo := range []bot.RepoName{"acme/fleet", "acme/fleet", "acme/other"} {
		if _, err := c.Flow.Ports.Ledger.Begin(t.Context(), bot.Rollback{
			Host: "github.com", Repo: repo, Base: "main", Apps: []bot.AppID{id("prod", fmt.Sprint(i))},
			Culprit: bot.Change{Commits: []bot.SHA{bot.SHA(strings.Repeat(fmt.Sprint(i), 40))}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	l.fail["list"] = errors.New("GitHub is away")
	sweep(t, c, "GitHub is away")
	if diff := cmp.Diff([]bot.Hint{{Repo: "acme/fleet"}, {Repo: "acme/other"}}, l.hints); diff != "" {
		t.Error(diff)
	}
}
