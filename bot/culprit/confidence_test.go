package culprit

import (
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// TestConfidence: every fact that acting by itself needs, and nothing that
// muddies the evidence.
func TestConfidence(t *testing.T) {
	const (
		share, others, together   = "80 % are needed", "of such cases", "together with"
		record, unknown, late     = "not on record", "When the trouble began", "may have begun already"
		long, between             = "blame window of 30 min", "between the beginning"
		none                      = "likelier than not"
		untouched, nobody, health = "known to change what Deployment shop/web uses", "Which workload", "healthy before"
	)
	deployed := func(f bot.Facts, name string, after time.Duration) bot.Facts {
		f.Deployed = append([]bot.Deployed{{Revision: sha(name), At: noon.Add(after)}}, f.Deployed...)
		return f
	}
	good := func() bot.Facts { return facts(change("a", "web", minutes(4))) }
	tests := []struct {
		name  string
		facts func(*bot.Facts)
		want  []string // a part of each doubt; none means confident
	}{
		{"all facts speak for one", func(*bot.Facts) {}, nil},
		{"also with an older suspect", func(f *bot.Facts) { *f = facts(change("a", "web", minutes(4)), change("z", "web", minutes(3000))) }, nil},
		{"a ConfigMap that the workload is known to use", func(f *bot.Facts) {
			f.Candidates[0].Files = []bot.FileChange{{
				Path: "apps/settings.yaml", Before: []byte("kind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n"),
				After: []byte("kind: ConfigMap\nmetadata: {name: settings}\ndata: {a: c}\n"),
			}}
			f.PartObjects = map[string]string{"ConfigMap/settings": "which Deployment web uses as configMapRef"}
		}, nil},
		{"rolled out at the very onset", func(f *bot.Facts) { *f = facts(change("a", "web", 0)) }, nil},
		{"at the edge of the blame window", func(f *bot.Facts) { *f = facts(change("a", "web", minutes(30))) }, nil},
		{"a deploy after the alert", func(f *bot.Facts) { *f = deployed(*f, "new", minutes(5)+1) }, nil},
		{"a new health on an old revision is no deploy", func(f *bot.Facts) { *f = deployed(*f, "a", minutes(2)) }, nil},

		{"no failing object is known", func(f *bot.Facts) { f.Failing = nil }, []string{nobody}},
		{"other objects only", func(f *bot.Facts) { *f = facts(change("a", "worker", minutes(4))) }, []string{untouched}},
		{"what may bear on the object", func(f *bot.Facts) { f.Candidates[0].Files[0].Path = "apps/web.tpl" }, []string{untouched}},
		{"unwell before", func(f *bot.Facts) { f.Candidates[0].HealthBefore = bot.HealthBad }, []string{health}},
		{"health before not known", func(f *bot.Facts) { f.Candidates[0].HealthBefore = "" }, []string{health}},
		{"longer before than the blame window", func(f *bot.Facts) { *f = facts(change("a", "web", minutes(30)+1)) }, []string{long}},
		{"little weight", func(f *bot.Facts) { *f = facts(change("a", "worker", minutes(400))) }, []string{none, share, long, untouched}},
		{"not on record when it was rolled out", func(f *bot.Facts) { f.Candidates[0].RolledOut, f.Deployed = time.Time{}, nil }, []string{record}},
		{"no onset", func(f *bot.Facts) { f.Onset, f.Fired = bot.Onset{}, time.Time{} }, []string{unknown}},

		{"rolled out after an exact onset", func(f *bot.Facts) { *f = facts(change("a", "web", minutes(-2))) }, []string{none, share, late, between}},
		{"rolled out while the alert was pending", func(f *bot.Facts) {
			*f = facts(change("a", "web", minutes(-2)))
			f.Onset.To = noon.Add(minutes(5))
		}, []string{late, between}},
		{"a deploy between an exact onset and the alert", func(f *bot.Facts) { *f = deployed(*f, "new", minutes(5)) }, []string{between}},
		{"back to an old revision is a deploy, too", func(f *bot.Facts) { *f = deployed(*f, "old", minutes(2)) }, []string{between}},
		{"a deploy in the interval, the alert's own time missing", func(f *bot.Facts) {
			*f = deployed(*f, "new", minutes(9))
			f.Onset.To, f.Fired = noon.Add(minutes(15)), time.Time{}
		}, []string{between}},

		{"two rolled out together", func(f *bot.Facts) { *f = facts(change("b", "web", minutes(4)), change("a", "web", minutes(4))) }, []string{others, share, together}},
		{"two together, one elsewhere", func(f *bot.Facts) { *f = facts(change("b", "worker", minutes(4)), change("a", "web", minutes(4))) }, nil},
		{"two together, one of which may bear on it", func(f *bot.Facts) {
			*f = facts(change("b", "web", minutes(4)), change("a", "web", minutes(4)))
			f.Candidates[1].Files[0].Path = "apps/web.tpl"
		}, []string{together}},
		{"two together, both elsewhere", func(f *bot.Facts) { *f = facts(change("b", "worker", minutes(4)), change("a", "db", minutes(4))) }, []string{others, share, untouched, together}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := good()
			tt.facts(&f)
			got := Ranker{}.Rank(f)
			if got.Confident != (len(tt.want) == 0) {
				t.Errorf("confident is %v", got.Confident)
			}
			ok := len(got.Doubts) == len(tt.want)
			for i := range min(len(got.Doubts), len(tt.want)) {
				ok = ok && strings.Contains(got.Doubts[i], tt.want[i])
			}
			if !ok {
				t.Errorf("doubts are %q, want %q", got.Doubts, tt.want)
			}
		})
	}
}
