package bot_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/simcluster"
)

// deliveries is a delivery log, oldest first, and all that a sweep tells.
type deliveries struct {
	mu       sync.Mutex
	all      []bot.Delivery
	now      time.Time
	size     int              // of a page
	filters  bool             // lists failures only
	lag      time.Duration    // entries younger than this are not listed yet
	fail     map[string]error // by GUID; "list" for the listing, "cursor" for its later pages
	requests []string

	accepted []string
	refuse   error // of the engine
	hints    []bot.Hint
	pushed   []bot.RepoName
}

// night is when the story of each test begins.
var night = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

func newDeliveries() *deliveries {
	return &deliveries{now: night, size: 100, filters: true, fail: map[string]error{}}
}

// add logs a delivery that was sent so long ago.
func (l *deliveries) add(guid, event, action string, ago time.Duration, failed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := bot.Delivery{ID: int64(len(l.all) + 1), GUID: guid, Event: event, Action: action, At: l.now.Add(-ago), Failed: failed}
	l.all = append(l.all, d)
	slices.SortStableFunc(l.all, func(a, b bot.Delivery) int { return a.At.Compare(b.At) })
}

func (l *deliveries) command(guid string, ago time.Duration) {
	l.add(guid, "issue_comment", "created", ago, true)
}

func (l *deliveries) Deliveries(_ context.Context, cursor string) (bot.DeliveryPage, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, "list")
	if err := l.fail["list"]; err != nil {
		return bot.DeliveryPage{}, err
	}
	before := int64(1 << 60)
	if cursor != "" {
		if err := l.fail["cursor"]; err != nil {
			return bot.DeliveryPage{}, err
		}
		before, _ = strconv.ParseInt(cursor, 10, 64)
	}
	page := bot.DeliveryPage{Now: l.now}
	for i, d := range slices.Backward(l.all) {
		if int64(i) >= before || l.filters && !d.Failed || d.At.After(l.now.Add(-l.lag)) {
			continue
		}
		if len(page.Deliveries) == l.size {
			page.Next = strconv.Itoa(i + 1)
			break
		}
		page.Deliveries = append(page.Deliveries, d)
	}
	return page, nil
}

func (l *deliveries) Payload(_ context.Context, id int64) ([]byte, error) {
	for range 100 {
		runtime.Gosched() // whoever may run beside us does
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.all, func(d bot.Delivery) bool { return d.ID == id })
	guid := l.all[i].GUID
	l.requests = append(l.requests, guid)
	return []byte(guid), l.fail[guid]
}

func (*deliveries) Wants(event, action string) bool {
	return event == "issue_comment" && action == "created" || event == "installation"
}

func (l *deliveries) Delivered(_ context.Context, d bot.Delivery, payload []byte) (*bot.Event, error) {
	switch {
	case strings.HasPrefix(d.GUID, "chat"):
		return nil, nil
	case strings.HasPrefix(d.GUID, "broken"):
		return nil, bot.NewTrouble(bot.TroubleInvalid, nil, "no payload of ours")
	case d.Event == "installation":
		return nil, nil
	}
	return &bot.Event{ID: "comment-" + string(payload), Received: d.At, Comment: &bot.Comment{Repo: "acme/fleet"}}, nil
}

func (l *deliveries) Pushed(r bot.RepoName) { l.pushed = append(l.pushed, r) }

func (l *deliveries) Accept(_ context.Context, e bot.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse == nil {
		l.accepted = append(l.accepted, strings.TrimPrefix(e.ID, "comment-"))
		if !e.Swept {
			return errors.New("an event from the log does not say so")
		}
	}
	return l.refuse
}

func (*deliveries) Start(context.Context, bot.RollbackID) error { panic("a sweep starts nothing") }

func (l *deliveries) Hint(h bot.Hint) { l.hints = append(l.hints, h) }

// catchUp returns what sweeps the log, on a ledger and a cluster of its own.
func (l *deliveries) catchUp(t *testing.T) *bot.CatchUp {
	t.Helper()
	cluster := simcluster.New(simcluster.Config{Name: "prod", Repo: "acme/fleet", Source: nowhere{}, Now: func() time.Time { return night }})
	cluster.Add(simcluster.AppSpec{ID: id("prod", "web"), Branch: "main", Path: "apps/web"})
	// Our own clock is a day off: sweeps go by GitHub's.
	f, _ := janitor(t, cluster, func() time.Time { return night.Add(24 * time.Hour) })
	f.Ports.Engine, f.Log = l, slog.New(slog.DiscardHandler)
	return &bot.CatchUp{Flow: f, Log: l, Inbox: l, Back: 72 * time.Hour}
}

// nowhere is a repository without commits.
type nowhere struct{}

func (nowhere) Head(string) (bot.SHA, error)         { return "", nil }
func (nowhere) File(bot.SHA, string) ([]byte, error) { return nil, nil }

// sweep sweeps once; the error is compared by its text.
func sweep(t *testing.T, c *bot.CatchUp, wantErr string) bot.Swept {
	t.Helper()
	s, err := c.Sweep(t.Context())
	if got := fmt.Sprint(err); wantErr == "" && err != nil || !strings.Contains(got, wantErr) {
		t.Fatalf("error is %v, want %q", err, wantErr)
	}
	return s
}

func (l *deliveries) wantAccepted(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, l.accepted); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
}
