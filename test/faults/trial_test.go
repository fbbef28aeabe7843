package faults

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/backout-dev/backout/bot"
)

var full = flag.Bool("full", false, "play every fault with every status and length")

// The bounds under any fault, for one Rollback, its intake included. GitHub
// allows an installation 900 points a minute (a read costs 1, a write 5), 80
// content writes a minute and 500 an hour, and at the least 5,000 requests an
// hour (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
// 75 requests a minute would not use those 5,000 up in an hour, and with 30
// writes among them cost 195 points: four Rollbacks may fail at once. A mutation
// field counts as a write, so the writes are counted too high rather than too low.
const (
	maxPerMinute       = 75
	maxWritesPerMinute = 30
	maxPerHour         = 500
	maxWritesPerHour   = 120
)

// want is how a trial must end.
type want struct {
	verdict bot.Verdict
	says    []string // in the sticky comment
	unsaid  bool     // no comment: nobody could be told
}

// settled asserts what holds at every end, and adds the trial to the table.
func (w *world) settled(rec bot.Record, wanted want) {
	w.t.Helper()
	if rec.End.Verdict != wanted.verdict {
		w.t.Errorf("verdict %s, want %s: %s", rec.End.Verdict, wanted.verdict, rec.End.Summary)
	}
	if holds, err := w.stage.Cluster.Holds(w.ctx); err != nil || len(holds) > 0 {
		w.t.Errorf("still held: %v %v", holds, err)
	}
	effects := w.stage.Cluster.Effects()
	if effects["hold web"] > 1 || effects["hold web"] != effects["release web"] {
		w.t.Errorf("effects %v", effects)
	}
	pulls := w.mine()
	if len(pulls) > 1 {
		w.t.Errorf("%d pull requests", len(pulls))
	}
	merged := slices.ContainsFunc(pulls, func(p fakehubPR) bool { return p.Merged })
	content, _ := w.stage.Repo.File("main", manifestFile)
	if reverted := content == *manifest("v1"); reverted != merged {
		w.t.Errorf("reverted on main: %v, a pull request merged: %v", reverted, merged)
	}
	w.told(wanted)
	w.bounded()
	note(w, string(rec.End.Verdict))
	if w.t.Failed() {
		w.t.Log(w.state())
	}
}

// told asserts one comment that tells how it ended.
func (w *world) told(wanted want) {
	w.t.Helper()
	comments := w.comments()
	if wanted.unsaid {
		if len(comments) > 0 {
			w.t.Errorf("comments: %q", comments)
		}
		return
	}
	if len(comments) != 1 {
		w.t.Errorf("%d comments, want 1: %q", len(comments), comments)
	}
	all := strings.Join(comments, "\n")
	for _, text := range wanted.says {
		if !strings.Contains(all, text) {
			w.t.Errorf("the comment lacks %q:\n%s", text, all)
		}
	}
}

// bounded asserts how fast GitHub was asked since the fault began.
func (w *world) bounded() {
	w.t.Helper()
	list := w.wire.since(w.faulty)
	if n, writes := worst(list, time.Minute); n > maxPerMinute || writes > maxWritesPerMinute {
		w.t.Errorf("%d requests and %d content writes within a minute, want at most %d and %d", n, writes, maxPerMinute, maxWritesPerMinute)
	}
	if n, writes := worst(list, time.Hour); n > maxPerHour || writes > maxWritesPerHour {
		w.t.Errorf("%d requests and %d content writes within an hour, want at most %d and %d", n, writes, maxPerHour, maxWritesPerHour)
	}
}

// table is what is printed at the end.
var table struct {
	sync.Mutex
	rows []string
}

// note adds a trial to the table.
func note(w *world, verdict string) {
	list := w.wire.since(w.faulty)
	n, writes := worst(list, time.Minute)
	took := w.clock.Now().Sub(w.faulty).Round(time.Second)
	table.Lock()
	defer table.Unlock()
	table.rows = append(table.rows, fmt.Sprintf("%s\t%s\t%v\t%d\t%d\t%d\t", strings.TrimPrefix(w.t.Name(), "Test"), verdict, took, len(list), n, writes))
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	table.Lock()
	defer table.Unlock()
	if len(table.rows) > 1 {
		slices.Sort(table.rows)
		out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(out, "trial\tverdict\tlasted\trequests\tworst/min\twrites/min\t")
		for _, row := range table.rows {
			fmt.Fprintln(out, row)
		}
		out.Flush() //nolint:errcheck // it is a terminal.
		fmt.Printf("%d trials\n", len(table.rows))
	}
	os.Exit(code)
}
