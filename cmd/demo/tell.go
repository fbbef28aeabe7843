package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// teller prints the story: a live table in a terminal, plain lines elsewhere.
type teller struct {
	out   io.Writer
	live  bool
	lines int             // of the live table
	shown map[string]bool // steps told in plain lines
}

func newTeller(out io.Writer, live bool) *teller {
	return &teller{out: out, live: live, shown: map[string]bool{}}
}

func (t *teller) say(format string, args ...any) { fmt.Fprintf(t.out, "• "+format+"\n", args...) }

// steps shows the steps of a Rollback as they are now.
func (t *teller) steps(v bot.View) {
	if t.live {
		t.table(v)
		return
	}
	for _, s := range v.Steps {
		if s.State == "done" && !t.shown[s.Name] {
			t.shown[s.Name] = true
			fmt.Fprintf(t.out, "  %s %-12s %s %s\n", s.Start.Format("15:04:05.000"), s.Name, s.End.Sub(s.Start).Round(time.Millisecond), s.Detail)
		}
	}
}

// table redraws the step table over itself.
func (t *teller) table(v bot.View) {
	var b strings.Builder
	if t.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", t.lines)
	}
	for _, s := range v.Steps {
		mark, took := "…", ""
		switch s.State {
		case "done":
			mark, took = "✔", s.End.Sub(s.Start).Round(time.Millisecond).String()
		case "failed":
			mark = "✘"
		}
		fmt.Fprintf(&b, "\x1b[2K  %s %-12s %-8s %s\n", mark, s.Name, took, s.Detail)
	}
	fmt.Fprintf(&b, "\x1b[2K  %s\n", v.Waiting)
	t.lines = len(v.Steps) + 1
	fmt.Fprint(t.out, b.String())
}

// show prints the end of the story: the comment, the diff, the timeline.
func (s *story) show(ctx context.Context, rec bot.Record) error {
	out := s.tell.out
	number := rec.ReportTo
	for _, c := range s.stage.Repo.Comments(number) {
		if strings.Contains(c.Body, bot.StickyMarker(rec.ID)) {
			fmt.Fprintf(out, "\n── the comment on #%d ──────────────────────────────────────────\n\n%s\n", number, strings.TrimPrefix(c.Body, bot.StickyMarker(rec.ID)+"\n"))
		}
	}
	if rec.View.Merge != nil {
		diff, err := exec.CommandContext(ctx, "git", "-C", s.stage.Repo.Dir, "show", "--stat", "--patch", "--format=%h %an: %s", string(rec.View.Merge.Commit)).Output()
		if err != nil {
			return fmt.Errorf("show the revert: %w", err)
		}
		fmt.Fprintf(out, "── the revert ─────────────────────────────────────────────────\n\n%s\n", diff)
	}
	fmt.Fprint(out, "── the timeline ───────────────────────────────────────────────\n\n")
	for _, st := range rec.View.Steps {
		fmt.Fprintf(out, "  %s  %-12s %8s  %s\n", st.Start.Format("15:04:05.000"), st.Name, st.End.Sub(st.Start).Round(time.Millisecond), st.Detail)
	}
	d := s.document(rec)
	fmt.Fprintf(out, "\nverdict: %s. GitHub: %d requests, %d in sequence from decision to merge, %d content writes.\n",
		rec.End.Verdict, d.GitHub.Requests, d.GitHub.SequentialToMerge, d.GitHub.ContentWrites)
	return nil
}
