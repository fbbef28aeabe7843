package condition

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// FuzzJudge: whatever expression over whatever change, there is an answer, soon
// and for a reason; and asked again it is the same.
func FuzzJudge(f *testing.F) {
	for _, when := range []string{
		`revert.objects.exists(o, o.kind == "Secret" && "spec.replicas" in o.fields)`,
		`revert.objects.map(o, string(o.after.spec.replicas)).filter(r, r != "3").size() > 0`,
		`["aaaaaaaa"].map(x, x + x).map(x, x + x).exists(x, x.matches("(a+)+$"))`,
		`has(culprit.age) ? culprit.age > duration("1h") : finding.chance < 0.5`,
		`targets.all(t, t.cluster in ["prod", "eu"]) || affected / 0 == 1`,
		`revert.files.exists_one(x, revert != revert) && now.getHours("Europe/Zurich") < 6`,
	} {
		f.Add(when, []byte(before), []byte(after), "apps/web.yaml", "100644")
	}
	f.Add(`revert.objects.size() > 0`, []byte("a: &a [*a]"), []byte("kind: {{ x }}"), "a.tpl", "120000")
	f.Add(`revert.objects[0].before == revert.objects[0].after`, []byte("kind: List\nitems: [{kind: A, x: .nan}]"), []byte("kind: A\nx: {1: [2]}"), "a.json", "")
	f.Fuzz(func(t *testing.T, when string, was, is []byte, path, mode string) {
		g, err := Compile(bot.CustomGuard{Name: "fuzz", When: when})
		if err != nil {
			if g != nil || !strings.HasPrefix(err.Error(), "when: ") {
				t.Errorf("%v, %v", g, err)
			}
			return
		}
		c := onAlert()
		c.Revert.Files = append(c.Revert.Files, bot.FileChange{Path: path, Before: was, After: is, BeforeMode: mode, AfterMode: mode})
		c.Culprit.Subject, c.Culprit.Author, c.Branch.Name = string(was), path, mode
		start := time.Now()
		raised, why := g.Raised(context.Background(), c)
		if took := time.Since(start); took > 2*longest {
			t.Errorf("%q took %s", when, took)
		}
		if !raised && why != "" {
			t.Errorf("%q is not raised, because %s", when, why)
		}
		if again, why2 := g.Raised(context.Background(), c); again != raised || why2 != why {
			t.Errorf("%q is raised: %v, %q; then %v, %q", when, raised, why, again, why2)
		}
	})
}
