package webhooks

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// FuzzAccepted takes every decoder's result through the record, as an accepted
// event goes: what the flow gets is what was decoded.
func FuzzAccepted(f *testing.F) {
	seeds(f, "github", func(name string, body []byte) { f.Add(name, body) })
	seeds(f, "alertmanager", func(_ string, body []byte) { f.Add("alertmanager", body) })
	f.Fuzz(func(t *testing.T, source string, body []byte) {
		e := bot.Event{ID: "x"}
		if source == "alertmanager" {
			g, problem := decodeAlerts(body)
			if problem != "" {
				return
			}
			e.ID, e.Alerts = alertsID(g), &g
		} else {
			if !known(source) || source == "ping" {
				return
			}
			n, err := decodeGitHub(source, body, ourApp)
			if err != nil || n.comment == nil {
				return
			}
			e.Comment = n.comment
		}
		kept, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("%+v can't be kept: %v", e, err)
		}
		var got bot.Event
		if err := json.Unmarshal(kept, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, got); diff != "" {
			t.Errorf("event (-decoded +kept):\n%s", diff)
		}
	})
}
