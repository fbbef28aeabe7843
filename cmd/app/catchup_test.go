package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/memory"
	"github.com/backout-dev/backout/test/stage"
)

// fullDisk is an engine whose store is full while it is told so. It counts what
// it took in.
type fullDisk struct {
	app.Engine
	mu       sync.Mutex
	full     bool
	accepted map[string]int
	refused  int
}

func (e *fullDisk) Accept(ctx context.Context, event bot.Event) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.full {
		e.refused++
		return errors.New("no space left on device")
	}
	e.accepted[event.ID]++
	return e.Engine.Accept(ctx, event)
}

func (e *fullDisk) fill(full bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.full = full
}

func (e *fullDisk) counts() (events, most, refused int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, n := range e.accepted {
		most = max(most, n)
	}
	return len(e.accepted), most, e.refused
}

// open sets a stage whose bot runs.
func open(t *testing.T, config func(*app.Config)) (*stage.Stage, *fullDisk, *memory.Store) {
	t.Helper()
	dir := t.TempDir()
	ledger, err := durable.OpenLedger(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ledger.Close() })
	store := memory.NewStore()
	e := &fullDisk{Engine: memory.New(memory.Options{Store: store}), accepted: map[string]int{}}
	s, err := stage.Open(t.Context(), stage.Options{Dir: dir, Engine: e, Ledger: ledger, Config: config, Files: map[string]string{"README.md": "fleet\n"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	s.Start(t.Context())
	flush(t, s)
	return s, e, store
}

func flush(t *testing.T, s *stage.Stage) {
	t.Helper()
	if err := s.Hub.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// ask comments on a new pull request.
func ask(t *testing.T, s *stage.Stage, text string) {
	t.Helper()
	pr, err := s.Repo.OpenPR("ann", "Change", fmt.Sprint("topic-", len(s.Repo.PRs())), "main", map[string]*string{"x": fakehub.Text("x\n")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Repo.Comment(pr.Number, "ann", text); err != nil {
		t.Fatal(err)
	}
	flush(t, s)
}

// metric reads a number from the bot's metrics page.
func metric(t *testing.T, s *stage.Stage, name string) string {
	t.Helper()
	resp, err := s.Client().Get(s.InternalURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it is read
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "\n"+name+" ")
	if !ok {
		t.Fatalf("there is no metric %s", name)
	}
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

// TestAnsweredWith503 is found by the sweep once the store is well again.
func TestAnsweredWith503(t *testing.T) {
	s, e, _ := open(t, nil)
	e.fill(true)
	for range 3 {
		ask(t, s, "/rollback help")
	}
	if _, _, refused := e.counts(); refused != 3 {
		t.Fatalf("%d refused", refused)
	}
	if err := s.App.CatchUp(t.Context()); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("a sweep with a full store: %v", err)
	}
	e.fill(false)
	for range 2 {
		if err := s.App.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if events, most, _ := e.counts(); events != 3 || most != 1 {
		t.Errorf("%d events, one of them %d times", events, most)
	}
	for name, want := range map[string]string{
		`backout_missed_webhooks_total{result="found"}`: "3", `backout_missed_webhooks_total{result="taken_in"}`: "3",
		`backout_missed_webhooks_total{result="lost"}`: "0", `backout_webhook_sweeps_total{result="failed"}`: "1",
	} {
		if got := metric(t, s, name); got != want {
			t.Errorf("%s is %s, not %s", name, got, want)
		}
	}
	if got := metric(t, s, "backout_webhook_sweep_last_success_timestamp_seconds"); got == "0" {
		t.Error("no sweep is said to have worked")
	}
}

// TestTwoWaysIn: what is sent again by hand while it is swept is one intake.
func TestTwoWaysIn(t *testing.T) {
	s, e, store := open(t, nil)
	const asked = 5
	e.fill(true)
	for range asked {
		ask(t, s, "/rollback help")
	}
	e.fill(false)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if err := s.App.CatchUp(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	again := 0
	for _, d := range s.GitHub.Deliveries() {
		if d.StatusCode == http.StatusServiceUnavailable && s.GitHub.Redeliver(d.ID) {
			again++
		}
	}
	flush(t, s)
	wg.Wait()
	if err := e.Engine.(*memory.Engine).Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	intakes := 0
	for _, id := range store.Workflows() {
		if strings.HasPrefix(id, "intake-comment-") {
			intakes++
		}
	}
	events, most, _ := e.counts()
	if again != asked || events != asked || most != 2 || intakes != asked {
		t.Errorf("%d sent again; %d events, at most %d times each; %d intakes", again, events, most, intakes)
	}
	for _, pr := range s.Repo.PRs() {
		if n := len(s.Repo.Comments(pr.Number)); n != 2 {
			t.Errorf("#%d has %d comments, not the command and one answer", pr.Number, n)
		}
	}
}

// TestSweepsInIntervals: nobody has to ask for them, and one that fails is tried
// again.
func TestSweepsInIntervals(t *testing.T) {
	s, e, _ := open(t, func(c *app.Config) { c.GitHub.SweepEvery = policy.Duration(20 * time.Millisecond) })
	s.Hub.Fail(fakehub.Fault{Match: fakehub.MatchRoute("GET /app/hook/deliveries"), Times: 3, Status: http.StatusBadGateway})
	s.Hub.LoseWebhook(func(d fakehub.Delivery) bool { return d.Event == "issue_comment" })
	ask(t, s, "/rollback help")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if events, _, _ := e.counts(); events == 1 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("it was never found")
		}
	}
}
