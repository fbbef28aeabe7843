package condition

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const (
	before = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {app.kubernetes.io/name: web}
spec:
  replicas: 3
  template:
    spec:
      containers:
      - {name: web, image: "ghcr.io/acme/web:v2"}
      - {name: log, image: "ghcr.io/acme/log:v1"}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
`
	after = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {app.kubernetes.io/name: shop}
spec:
  replicas: 1
  template:
    spec:
      containers:
      - {name: web, image: "ghcr.io/acme/web:v1"}
      - {name: log, image: "ghcr.io/acme/log:v1"}
`
)

// onAlert is a case with everything in it.
func onAlert() bot.Case {
	change := bot.Change{
		Commits: []bot.SHA{"c0ffee"}, PR: 7, Subject: "Raise web to v2", Author: "renovate[bot]",
		When: noon.Add(-90 * time.Minute), Paths: []string{"apps/web.yaml"},
	}
	return bot.Case{
		Incident: bot.Incident{Kind: bot.IncidentAlert, Alerts: []bot.Alert{{Labels: map[string]string{"alertname": "Slow", "severity": "page"}}}},
		Target: []bot.App{{
			ID:        bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: "web"},
			Namespace: "shop",
		}},
		Affected: []bot.AppID{{Name: "b"}, {Name: "c"}},
		Culprit:  change,
		Finding:  &bot.Finding{None: 0.1, Confident: true, Suspects: []bot.Suspect{{Change: change, Chance: 0.8}}},
		Revert: bot.Revert{Status: bot.RevertClean, Files: []bot.FileChange{
			{Path: "apps/web.yaml", Before: []byte(before), After: []byte(after), BeforeMode: "100644", AfterMode: "100644"},
			{Path: "README.md", Before: []byte("a"), BeforeMode: "100644"},
		}},
		Branch: bot.Branch{Name: "main", Protected: true},
		Now:    noon,
	}
}

func compile(t testing.TB, when string) *Guard {
	t.Helper()
	g, err := Compile(bot.CustomGuard{Name: "test", When: when})
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	return g
}

// TestConditions gives what holds and what does not hold of one case; the
// negation of each gives the other.
func TestConditions(t *testing.T) {
	for _, when := range []string{
		`incident.kind == "alert"`,
		`incident.requester == ""`,
		`incident.alerts.exists(a, a.severity == "page")`,
		`finding.known && finding.confident && finding.chance > 0.7 && finding.none < 0.2`,
		`culprit.sha == "c0ffee" && culprit.commits == 1 && culprit.pr == 7`,
		`culprit.author == "renovate[bot]" && culprit.automated && !culprit.is_revert`,
		`culprit.subject.startsWith("Raise")`,
		`culprit.age > duration("1h") && culprit.age < duration("2h")`,
		`culprit.paths.all(p, p.startsWith("apps/"))`,
		`"apps/web.yaml" in culprit.paths`,
		`revert.files.size() == 2`,
		`revert.files.exists(f, f.path == "README.md" && f.status == "deleted" && f.before_mode == "100644" && f.after_mode == "")`,
		`revert.files.map(f, f.path) == ["apps/web.yaml", "README.md"]`,
		`revert.objects.exists_one(o, o.kind == "Deployment" && o.group == "apps" && o.namespace == "shop" && o.name == "web" && o.status == "changed")`,
		`revert.objects.filter(o, o.status == "deleted").all(o, o.kind == "Service" && !has(o.after) && has(o.before))`,
		`revert.objects.exists(o, "spec.template.spec.containers[web].image" in o.fields)`,
		`revert.objects.exists(o, o.kind == "Deployment" && o.fields == ["metadata.labels[\"app.kubernetes.io/name\"]", "spec.replicas", "spec.template.spec.containers[web].image"])`,
		`revert.objects.filter(o, o.kind == "Deployment").all(o, o.before.spec.replicas > o.after.spec.replicas)`,
		`revert.objects.filter(o, has(o.after)).all(o, o.after.spec.template.spec.containers.exists(c, c.image.endsWith(":v1")))`,
		`revert.objects.filter(o, o.kind == "Deployment").map(o, string(o.before.spec.replicas)) == ["3"]`,
		`revert.objects.all(o, o.path == "apps/web.yaml")`,
		`targets.exists(t, t.id == "prod/Kustomization/flux-system/web" && t.kind == "Kustomization" && t.cluster == "prod" && t.namespace == "flux-system" && t.name == "web" && t.into == "shop")`,
		`affected == 2`,
		`branch.name == "main" && branch.protected`,
		`now == timestamp("2026-03-02T12:00:00Z") && now.getDayOfWeek() == 1 && now.getHours("Europe/Zurich") == 13`,
	} {
		t.Run(when, func(t *testing.T) {
			v := NewView(onAlert())
			if raised, why := compile(t, when).Judge(context.Background(), v); !raised || why != "" {
				t.Errorf("raised: %v, %s", raised, why)
			}
			if raised, why := compile(t, "!("+when+")").Judge(context.Background(), v); raised || why != "" {
				t.Errorf("its negation is raised: %v, %s", raised, why)
			}
		})
	}
}

// TestRaisedWhenNobodyCanTell has for each way in which a condition, or what it
// looks at, can fail a condition that would be false.
func TestRaisedWhenNobodyCanTell(t *testing.T) {
	file := func(path, before, after string) func(*bot.Case) {
		return func(c *bot.Case) {
			c.Revert.Files = append(c.Revert.Files, bot.FileChange{Path: path, Before: []byte(before), After: []byte(after)})
		}
	}
	modes := func(path, before, after string) func(*bot.Case) {
		return func(c *bot.Case) {
			c.Revert.Files = append(c.Revert.Files, bot.FileChange{Path: path, BeforeMode: before, AfterMode: after})
		}
	}
	const noSecret = `revert.objects.exists(o, o.kind == "Secret")`
	many := strings.Repeat("kind: A\n---\n", 30_000)
	for _, tt := range []struct {
		name, when string
		change     func(*bot.Case)
		why        string
	}{
		{"a field of an object that is not there", `revert.objects[0].after.spec.paused == true`, nil, "no such key: paused"},
		{"an object that is not there", `revert.objects[1].after.kind == "Pod"`, nil, "no such key: after"},
		{"an index that is not there", `revert.objects[9].kind == "Pod"`, nil, "index out of bounds"},
		{"another type than was thought", `revert.objects[0].before.spec.replicas.startsWith("3")`, nil, "no such overload"},
		{"no finding", `finding.chance < 0.0`, func(c *bot.Case) { c.Finding = nil }, "no such key: chance"},
		{"no time of the culprit", `culprit.age > duration("9h")`, func(c *bot.Case) { c.Culprit.When = time.Time{} }, "no such key: age"},
		{"no time of the decision", `now < timestamp("2026-01-01T00:00:00Z")`, func(c *bot.Case) { c.Now = time.Time{} }, "now"},
		{"a division by 0", `1 / (affected - 2) == 1`, nil, "division by zero"},
		{"a number out of range", `affected * 9223372036854775807 == 1`, nil, "overflow"},
		{"a wrong pattern", `"a".matches(branch.name + "(")`, nil, "error parsing regexp"},
		{"a template", noSecret, file("chart/a.yaml", "kind: {{ .Values.kind }}", "kind: A"), "`chart/a.yaml` is not plain YAML"},
		{"a helper of templates", noSecret, file("chart/a.tpl", "", "kind: A"), "`chart/a.tpl` is not plain YAML"},
		{"a file that was not read", noSecret, modes("a.yaml", "100644", "100644"), "`a.yaml` could not be read"},
		{"a link", noSecret, modes("a", "120000", ""), "`a` is a link"},
		{"a submodule", noSecret, modes("a", "", "160000"), "`a` is a link or a submodule"},
		{"too many bytes", noSecret, file("a.yaml", "", "# "+strings.Repeat("x", 5<<20)), "too much to judge"},
		{"too many values", noSecret, file("a.yaml", "", many+many), "too much to judge"},
		{"too deep an object", noSecret, file("a.yaml", "", "kind: A\nx: "+strings.Repeat("[", 200)+strings.Repeat("]", 200)), "too much to judge"},
		{"too long names of fields", noSecret, file("a.yaml", "", "kind: A\n? "+strings.Repeat("k", 100_000)+"\n: ["+strings.Repeat("1,", 100)+"]"), "too much to judge"},
		{"too many files", `revert.files.exists(f, f.path == "Secret")`, func(c *bot.Case) { c.Revert.Files = make([]bot.FileChange, mostFiles+1) }, "too many files"},
		{"too costly", `culprit.paths.exists(a, culprit.paths.exists(b, culprit.paths.exists(c, culprit.paths.exists(d, a + b + c + d == "x"))))`, func(c *bot.Case) { c.Culprit.Paths = make([]string, 100) }, "costs too much"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := onAlert()
			if tt.change != nil {
				tt.change(&c)
			}
			raised, why := compile(t, tt.when).Raised(context.Background(), c)
			if !raised || !strings.Contains(why, tt.why) || len(why) > 400 {
				t.Errorf("raised: %v, why: %s; want %q", raised, why, tt.why)
			}
		})
	}
}

// TestWhatIsNoObjectDoesNotMatter are the twins: files that hold no objects, and
// conditions that do not look at any.
func TestWhatIsNoObjectDoesNotMatter(t *testing.T) {
	for _, tt := range []struct{ when, path string }{
		{`revert.objects.exists(o, o.kind == "Secret")`, "logo.png"},
		{`revert.objects.exists(o, o.kind == "Secret")`, "main.go"},
		{`revert.files.exists(f, f.path == "x")`, "chart/a.tpl"},
		{`affected > 5`, "chart/a.yaml"},
	} {
		c := onAlert()
		c.Revert.Files = append(c.Revert.Files, bot.FileChange{Path: tt.path, Before: []byte("{{ a }}"), BeforeMode: "100644"})
		if raised, why := compile(t, tt.when).Raised(context.Background(), c); raised {
			t.Errorf("%s is raised by %s: %s", tt.when, tt.path, why)
		}
	}
}

func TestNotCompiledIsRaised(t *testing.T) {
	for _, g := range []*Guard{nil, {}} {
		if raised, why := g.Raised(context.Background(), onAlert()); !raised || why == "" {
			t.Errorf("raised: %v, %s", raised, why)
		}
	}
}

// TestInterrupted: who has no time left is not told that all is well.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if raised, why := compile(t, `culprit.paths.exists(p, p == "x")`).Raised(ctx, onAlert()); !raised || !strings.Contains(why, "took too long") {
		t.Errorf("raised: %v, %s", raised, why)
	}
}

// TestBreakdown: a panic of ours raises, too.
func TestBreakdown(t *testing.T) {
	if raised, why := compile(t, `affected == 0`).Judge(context.Background(), nil); !raised || !strings.Contains(why, "broke down") {
		t.Errorf("raised: %v, %s", raised, why)
	}
}
