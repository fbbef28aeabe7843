package bot

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// unreadable is a tree whose objects can't be had.
type unreadable struct{ at string }

var errLost = errors.New("object is missing")

func (u unreadable) Open(name string) (fs.File, error) {
	if u.at == "" || u.at == name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errLost}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// TestPolicyFile: a file that is not there is an answer. Whatever else keeps it
// from being read is not the same.
func TestPolicyFile(t *testing.T) {
	file := func(mode fs.FileMode, text string) fstest.MapFS {
		return fstest.MapFS{PolicyPath: {Data: []byte(text), Mode: mode}}
	}
	tests := []struct {
		name   string
		tree   fs.FS
		want   PolicyFile // of Broken the beginning
		failed bool
	}{
		{"there", file(0o644, "version: 1"), PolicyFile{Found: true, Text: []byte("version: 1")}, false},
		{"empty", file(0o644, ""), PolicyFile{Found: true}, false},
		{"as large as it may be", file(0o644, strings.Repeat("#", maxPolicy)), PolicyFile{Found: true, Text: []byte(strings.Repeat("#", maxPolicy))}, false},
		{"not there", fstest.MapFS{"a": {}}, PolicyFile{}, false},
		{"elsewhere", fstest.MapFS{"apps/" + PolicyPath: {}, "x" + PolicyPath: {}}, PolicyFile{}, false},
		{"too large", file(0o644, strings.Repeat("#", maxPolicy+1)), PolicyFile{Found: true, Broken: "it has 262145 bytes"}, false},
		{"a link", file(fs.ModeSymlink|0o777, "other.yaml"), PolicyFile{Found: true, Broken: "it is a symbolic link"}, false},
		{"a folder", fstest.MapFS{PolicyPath + "/x": {}}, PolicyFile{Found: true, Broken: "it is no file"}, false},
		{"misnamed", fstest.MapFS{".backout.yml": {}}, PolicyFile{Found: true, Broken: "it is named .backout.yml"}, false},
		{"both names", fstest.MapFS{".backout.yml": {}, PolicyPath: {Data: []byte("x")}}, PolicyFile{Found: true, Text: []byte("x")}, false},
		{"not to be read", unreadable{}, PolicyFile{}, true},
		{"not to be read under the other name", unreadable{at: misnamed}, PolicyFile{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := policyFile(tt.tree)
			if (err != nil) != tt.failed {
				t.Fatalf("error is %v", err)
			}
			if tt.failed {
				return
			}
			if !strings.HasPrefix(got.Broken, tt.want.Broken) || (got.Broken == "") != (tt.want.Broken == "") || got.Found != tt.want.Found || string(got.Text) != string(tt.want.Text) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestHashTellsFilesApart: by it a change is noticed.
func TestHashTellsFilesApart(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range []PolicyFile{{}, {Found: true}, {Found: true, Text: []byte("a")}, {Found: true, Broken: "it is a link"}} {
		if h := f.hash(); h == "" || seen[h] {
			t.Errorf("%+v has the hash %q", f, h)
		} else {
			seen[h] = true
		}
	}
}

// books is a ledger with Rollbacks that have ended, or have not.
type books struct {
	Ledger
	records []Record
	err     error
	asked   []RollbackQuery
}

func (b *books) Find(_ context.Context, q RollbackQuery) ([]Record, error) {
	b.asked = append(b.asked, q)
	out := slices.DeleteFunc(slices.Clone(b.records), func(r Record) bool {
		return q.Repo != "" && r.Repo != q.Repo || r.Begun.Before(q.Since) || !q.EndedSince.IsZero() && (r.End == nil || r.End.At.Before(q.EndedSince))
	})
	return out, b.err
}

// TestTally counts Rollbacks that opened a revert: of the repository, of all, and
// how the last ones ended, newest first.
func TestTally(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	record := func(id RollbackID, repo RepoName, began, ended time.Duration, v Verdict, opened bool) Record {
		r := Record{Rollback: Rollback{ID: id, Repo: repo}, Begun: now.Add(-began), View: &View{}}
		if opened {
			r.View.Pull = &RevertPull{Number: 1}
		}
		if v != "" {
			r.End = &End{Verdict: v, At: now.Add(-ended)}
		}
		return r
	}
	b := &books{records: []Record{
		record("this", "a/b", 0, 0, "", true),
		record("running", "a/b", time.Hour, 0, "", true),
		record("older", "a/b", 3*time.Hour, 2*time.Hour, VerdictFailed, true),
		record("newer", "a/b", 4*time.Hour, time.Hour, VerdictVerified, true),
		record("recorded", "a/b", time.Hour, time.Hour, VerdictObserved, false),
		record("long ago", "a/b", 30*time.Hour, 29*time.Hour, VerdictFailed, true),
		record("elsewhere", "c/d", time.Hour, time.Hour, VerdictFailed, true),
	}}
	f := NewFlow(Config{Ports: Ports{Ledger: b}})
	tally := func(p Policy) Case {
		t.Helper()
		c := Case{Now: now}
		if err := f.tally(t.Context(), Rollback{ID: "this", Repo: "a/b"}, p, &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	names := func(c Case) []RollbackID {
		var out []RollbackID
		for _, e := range c.Ended {
			out = append(out, e.ID)
		}
		return out
	}
	ten := 10
	c := tally(Policy{BreakAfter: 3, PerDayOverall: &ten})
	if c.Recent != 3 || c.Overall != 4 {
		t.Errorf("%d in the repository, %d in all", c.Recent, c.Overall)
	}
	if diff := cmp.Diff([]RollbackID{"newer", "older"}, names(c)); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
	// A cooldown may be longer than a day.
	if diff := cmp.Diff([]RollbackID{"newer", "older", "long ago"}, names(tally(Policy{Cooldown: 48 * time.Hour}))); diff != "" {
		t.Errorf("ended within two days (-want +got):\n%s", diff)
	}
	// What no rule looks at is not read.
	b.asked = nil
	if tally(Policy{}); len(b.asked) != 1 {
		t.Errorf("the ledger was asked %d times", len(b.asked))
	}
	// Not knowing is not zero.
	b.err = errors.New("the disk is full")
	if err := f.tally(t.Context(), Rollback{}, Policy{}, &Case{Now: now}); !errors.Is(err, b.err) {
		t.Errorf("error is %v", err)
	}
}

// TestVerbsAreOrdered: an unknown one is more careful than all.
func TestVerbsAreOrdered(t *testing.T) {
	order := []Verb{"unknown", VerbObserve, VerbRefuse, VerbPropose, VerbAsk, VerbAct}
	for i, v := range order {
		for j, w := range order {
			if v.Before(w) != (i < j) {
				t.Errorf("%s before %s: %v", v, w, v.Before(w))
			}
		}
	}
}
