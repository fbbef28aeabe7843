package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, cfg Config) *Log {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	}
	l, err := Open(cfg)
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func add(t *testing.T, l *Log, acts ...string) {
	t.Helper()
	for _, act := range acts {
		_, err := l.Append(Entry{Kind: KindEffect, Act: act}, true)
		must(t, err)
	}
}

// verified checks that the chain holds and returns the acts in it.
func verified(t *testing.T, dir string) (acts []string) {
	t.Helper()
	r, err := Verify(dir)
	must(t, err)
	if len(r.Problems) > 0 {
		t.Errorf("problems: %q", r.Problems)
	}
	must(t, Read(dir, Query{}, func(_ []byte, e Entry) error { acts = append(acts, e.Act); return nil }))
	if int64(len(acts)) != r.Lines {
		t.Errorf("%d lines are read, %d verified", len(acts), r.Lines)
	}
	return acts
}

func TestChainGoesOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir})
	add(t, l, "a", "b")
	seq, head := l.Head()
	must(t, l.Close())
	if _, err := l.Append(Entry{Act: "late"}, true); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	l = open(t, Config{Dir: dir})
	if s, h := l.Head(); s != seq || h != head {
		t.Errorf("head %d %s, want %d %s", s, h, seq, head)
	}
	add(t, l, "c")
	if diff := cmp.Diff([]string{"a", "b", "c"}, verified(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestFilesAreTurned(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, MaxSize: 300})
	var want []string
	for i := range 12 {
		want = append(want, fmt.Sprint(i))
		add(t, l, want[i])
	}
	list, err := files(dir)
	must(t, err)
	if len(list) < 3 {
		t.Fatalf("files %q", list)
	}
	if diff := cmp.Diff(want, verified(t, dir)); diff != "" {
		t.Error(diff)
	}
	must(t, l.Close())
	l = open(t, Config{Dir: dir, MaxSize: 300, Keep: 2})
	for i := 12; i < 20; i++ {
		add(t, l, fmt.Sprint(i))
	}
	list, err = files(dir)
	must(t, err)
	got := verified(t, dir)
	if len(list) != 2 || len(got) == 0 || got[len(got)-1] != "19" || got[0] == "0" {
		t.Errorf("kept %q with lines %q", list, got)
	}
}

// TestTornLines: what a crash leaves of a line stays, and the next line owns up
// to it.
func TestTornLines(t *testing.T) {
	for name, tear := range map[string]func(b []byte) []byte{
		"half a line":      func(b []byte) []byte { return b[:len(b)-20] },
		"nearly all of it": func(b []byte) []byte { return b[:len(b)-2] },
		"one byte": func(b []byte) []byte {
			return b[:bytes.LastIndexByte(b[:len(b)-1], '\n')+2]
		},
		"two crashes": func(b []byte) []byte { return append(b[:len(b)-20:len(b)-20], "\n{\"se"...) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, Config{Dir: dir})
			add(t, l, "a", "b", "c")
			must(t, l.Close())
			file := filepath.Join(dir, "audit-000000000001.jsonl")
			b, err := os.ReadFile(file)
			must(t, err)
			b = tear(b)
			must(t, os.WriteFile(file, b, 0o600))
			// It may be being written just now.
			if r, err := Verify(dir); err != nil || len(r.Problems) > 0 {
				t.Errorf("before the restart: %+v, %v", r, err)
			}
			add(t, open(t, Config{Dir: dir}), "d")
			if diff := cmp.Diff([]string{"a", "b", "d"}, verified(t, dir)); diff != "" {
				t.Error(diff)
			}
			after, err := os.ReadFile(file)
			must(t, err)
			if !bytes.HasPrefix(after, b) {
				t.Error("something was taken out of the file")
			}
			if r, _ := Verify(dir); r.Torn != 1 {
				t.Errorf("report %+v", r)
			}
		})
	}
}

// TestALineWithoutItsBreak is whole, and stays.
func TestALineWithoutItsBreak(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir})
	add(t, l, "a", "b")
	must(t, l.Close())
	file := filepath.Join(dir, fileName(1))
	b, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, b[:len(b)-1], 0o600))
	add(t, open(t, Config{Dir: dir}), "c")
	if diff := cmp.Diff([]string{"a", "b", "c"}, verified(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestTornAtTheTurn: the crash came right after a new file was begun.
func TestTornAtTheTurn(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir})
	add(t, l, "a")
	must(t, l.Close())
	must(t, os.WriteFile(filepath.Join(dir, "audit-000000000002.jsonl"), []byte(`{"seq":2,`), 0o600))
	add(t, open(t, Config{Dir: dir}), "b")
	if diff := cmp.Diff([]string{"a", "b"}, verified(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestTampering: whatever is changed shows.
func TestTampering(t *testing.T) {
	line := func(b []byte, n int) (from, to int) {
		for range n {
			from += bytes.IndexByte(b[from:], '\n') + 1
		}
		return from, from + bytes.IndexByte(b[from:], '\n') + 1
	}
	for name, change := range map[string]func(b []byte) []byte{
		"a word":         func(b []byte) []byte { return bytes.Replace(b, []byte(`"act":"b"`), []byte(`"act":"x"`), 1) },
		"white space":    func(b []byte) []byte { return bytes.Replace(b, []byte(`,"act":"b"`), []byte(`, "act":"b"`), 1) },
		"a line removed": func(b []byte) []byte { from, to := line(b, 1); return slices.Delete(b, from, to) },
		"the first line": func(b []byte) []byte { _, to := line(b, 0); return b[to:] },
		"a line again": func(b []byte) []byte {
			from, to := line(b, 1)
			return slices.Insert(b, to, slices.Clone(b[from:to])...)
		},
		"a line put in": func(b []byte) []byte {
			_, to := line(b, 1)
			return slices.Insert(b, to, []byte(`{"seq":3,"act":"x"}`+"\n")...)
		},
		"rubbish put in":   func(b []byte) []byte { _, to := line(b, 1); return slices.Insert(b, to, []byte("rubbish\n")...) },
		"rubbish after it": func(b []byte) []byte { return append(b, "rubbish\n"...) },
		"a line made void": func(b []byte) []byte { from, _ := line(b, 1); b[from] = '#'; return b },
		"two lines swapped": func(b []byte) []byte {
			from, mid := line(b, 1)
			_, to := line(b, 2)
			return slices.Concat(b[:from], b[mid:to], b[from:mid], b[to:])
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, Config{Dir: dir})
			add(t, l, "a", "b", "c", "d")
			must(t, l.Close())
			file := filepath.Join(dir, "audit-000000000001.jsonl")
			b, err := os.ReadFile(file)
			must(t, err)
			must(t, os.WriteFile(file, change(b), 0o600))
			r, err := Verify(dir)
			must(t, err)
			if len(r.Problems) == 0 {
				t.Errorf("it does not show: %+v", r)
			}
		})
	}
}

// TestAFileIsMissing: one that was deleted from the middle shows, too.
func TestAFileIsMissing(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, MaxSize: 50})
	add(t, l, "a", "b", "c", "d")
	must(t, os.Remove(filepath.Join(dir, "audit-000000000002.jsonl")))
	if r, err := Verify(dir); err != nil || len(r.Problems) == 0 || !strings.Contains(r.Problems[0], "missing") {
		t.Errorf("report %+v, %v", r, err)
	}
}

func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, MaxSize: 2000})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 25 {
				if _, err := l.Append(Entry{Act: fmt.Sprint(i)}, i%2 == 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if got := verified(t, dir); len(got) != 200 {
		t.Errorf("%d lines", len(got))
	}
}

// TestAFailedWrite leaves no gap: what was half written is owned up to.
func TestAFailedWrite(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir})
	add(t, l, "a")
	_, err := l.file.WriteString(`{"seq":2,"half`)
	must(t, err)
	must(t, l.file.Close()) // the next write fails
	if _, err := l.Append(Entry{Act: "lost"}, true); err == nil {
		t.Fatal("a write to a closed file worked")
	}
	add(t, l, "b")
	if diff := cmp.Diff([]string{"a", "b"}, verified(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestSecretsAreTakenOut(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, Redact: func(s string) string { return strings.ReplaceAll(s, "hunter2", "[redacted]") }})
	_, err := l.Append(Entry{Act: "a", Why: "hunter2", What: json.RawMessage(`{"a":"hunter2"}`)}, true)
	must(t, err)
	add(t, l, "b")
	verified(t, dir)
	must(t, Read(dir, Query{}, func(raw []byte, _ Entry) error {
		if bytes.Contains(raw, []byte("hunter2")) {
			t.Errorf("line %s", raw)
		}
		return nil
	}))
}

// TestRedactionKeepsTheLine: what looks like a secret in others' text hides that
// text at most, never the line.
func TestRedactionKeepsTheLine(t *testing.T) {
	dir := t.TempDir()
	key := regexp.MustCompile(`\?key=[^&\s]+|BEGIN KEY(?s:.*)\z`)
	l := open(t, Config{Dir: dir, Redact: func(s string) string { return key.ReplaceAllString(s, "[redacted]") }})
	for _, why := range []string{`see "https://x/?key=abc"`, "BEGIN KEY without an end"} {
		_, err := l.Append(Entry{Act: "merge", Why: why, What: json.RawMessage(`{"n":12345678901234567890}`)}, true)
		must(t, err)
	}
	verified(t, dir)
	var acts []string
	must(t, Read(dir, Query{}, func(raw []byte, e Entry) error {
		acts = append(acts, e.Act)
		if !json.Valid(raw) || bytes.Contains(raw, []byte("abc")) || !bytes.Contains(raw, []byte("12345678901234567890")) {
			t.Errorf("line %s", raw)
		}
		return nil
	}))
	if !slices.Equal(acts, []string{"merge", "merge"}) {
		t.Errorf("acts %v", acts)
	}
}

func TestLongThingsAreCut(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir})
	_, err := l.Append(Entry{Act: "a", Why: strings.Repeat("ä", 1<<20), Detail: strings.Repeat("x", 1<<20), What: what(strings.Repeat("\x01", 1<<20))}, true)
	must(t, err)
	must(t, Read(dir, Query{}, func(raw []byte, e Entry) error {
		if len(raw) > maxLine || !strings.Contains(string(e.What), `"bytes":6291458`) {
			t.Errorf("%d bytes, what %.80s", len(raw), e.What)
		}
		return nil
	}))
	verified(t, dir)
}

func TestQuery(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := open(t, Config{Dir: dir, Now: func() time.Time { return now }})
	for i, e := range []Entry{{Act: "a", Rollback: "rb-1", Repo: "o/r"}, {Act: "b", Rollback: "rb-2", Repo: "o/r"}, {Act: "c", Repo: "o/s"}} {
		now = now.Add(time.Duration(i) * time.Hour)
		_, err := l.Append(e, true)
		must(t, err)
	}
	for name, tt := range map[string]struct {
		q    Query
		want string
	}{
		"all": {Query{}, "abc"}, "one Rollback": {Query{Rollback: "rb-2"}, "b"}, "one repository": {Query{Repo: "o/r"}, "ab"},
		"since": {Query{Since: now}, "c"}, "both": {Query{Since: now, Repo: "o/r"}, ""},
	} {
		got := ""
		must(t, Read(dir, tt.q, func(_ []byte, e Entry) error { got += e.Act; return nil }))
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	stop := errors.New("stop")
	if err := Read(dir, Query{}, func([]byte, Entry) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if _, err := Verify(t.TempDir()); err == nil || !strings.Contains(err.Error(), "holds no audit log") {
		t.Errorf("an empty folder: %v", err)
	}
}
