package webhooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seeds adds the fixtures below a folder.
func seeds(f *testing.F, folder string, add func(name string, body []byte)) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures in %s: %v", folder, err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		add(strings.TrimSuffix(filepath.Base(file), ".json"), body)
	}
}

func FuzzDecodeGitHub(f *testing.F) {
	seeds(f, "github", func(name string, body []byte) { f.Add(name, body) })
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		if !known(event) || event == "ping" {
			t.Skip()
		}
		n, err := decodeGitHub(event, body, ourApp)
		if err != nil {
			return
		}
		told := 0
		for _, yes := range []bool{n.ignored != "", n.comment != nil, n.installation != nil, len(n.hints) > 0} {
			if yes {
				told++
			}
		}
		if told != 1 {
			t.Fatalf("%s tells %d things: %+v", event, told, n)
		}
		if c := n.comment; c != nil && (c.Number <= 0 || c.ID <= 0 || c.Author == "" || c.AuthorIsBot) {
			t.Fatalf("comment %+v", c)
		}
		if n.comment != nil && event != "issue_comment" {
			t.Fatalf("a comment from %s", event)
		}
		for _, h := range n.hints {
			if owner, name := h.Repo.Split(); owner == "" || name == "" || h.Head != "" && !h.Head.Valid() || h.Number == 0 && h.Ref == "" && h.Head == "" {
				t.Fatalf("hint %+v", h)
			}
		}
		if i := n.installation; i != nil && i.ID <= 0 {
			t.Fatalf("installation %+v", i)
		}
	})
}

func FuzzDecodeAlerts(f *testing.F) {
	seeds(f, "alertmanager", func(_ string, body []byte) { f.Add(body) })
	f.Add([]byte(`{"version":"4","groupKey":"x","status":"firing","alerts":[{"status":"firing","labels":{"a":""},"startsAt":"2026-02-26T19:10:00+01:00"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		g, problem := decodeAlerts(body)
		if problem != "" {
			if len(g.Alerts) != 0 || !strings.HasSuffix(problem, ".") || strings.Contains(problem, "\n") {
				t.Fatalf("%+v with the problem %q", g, problem)
			}
			return
		}
		if len(g.Alerts) == 0 || len(g.Alerts) > maxAlerts || g.GroupKey == "" {
			t.Fatalf("group %+v", g)
		}
		for _, a := range g.Alerts {
			if !fingerprintForm.MatchString(a.Fingerprint) || len(a.Labels) == 0 || a.StartsAt.IsZero() {
				t.Fatalf("alert %+v", a)
			}
		}
		if again, _ := decodeAlerts(body); alertsID(g) != alertsID(again) {
			t.Fatal("the same body has two IDs")
		}
	})
}
