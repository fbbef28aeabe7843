package verify

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

var (
	fired  = time.Date(2026, 3, 1, 12, 10, 0, 0, time.UTC)
	active = time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)
)

func alert() bot.Alert {
	return bot.Alert{
		Fingerprint: "aaaa",
		StartsAt:    fired,
		Labels:      map[string]string{"alertname": "HighErrors", "namespace": "shop", "cluster": "prod-eu"}, // cluster is an external label
	}
}

// listed is Prometheus' JSON of one active alert.
func listed(labels, state string, at time.Time) string {
	return fmt.Sprintf(`{"labels":{%s},"state":%q,"activeAt":%q,"value":"1"}`, labels, state, at.Format(time.RFC3339Nano))
}

// serving is a Prometheus with a list of alerts and samples of
// ALERTS_FOR_STATE; an empty list means that it has no such page.
func serving(t *testing.T, list, vector string) *Monitoring {
	t.Helper()
	return monitoring(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/api/v1/alerts" && list != "":
			reply(w, `{"status":"success","data":{"alerts":[%s]}}`, list)
		case r.URL.Path == "/api/v1/query" && vector != "":
			if got, want := r.FormValue("query"), `ALERTS_FOR_STATE{alertname="HighErrors"}`; got != want {
				t.Errorf("asked %s, want %s", got, want)
			}
			if got, want := r.FormValue("time"), fmt.Sprint(fired.Unix()); got != want {
				t.Errorf("asked for the time %s, want that of startsAt, %s", got, want)
			}
			reply(w, "%s", data("vector", "["+strings.TrimSpace(vector)+"]"))
		default:
			http.NotFound(w, r)
		}
	})
}

// state is the JSON of one sample of ALERTS_FOR_STATE.
func state(labels string, at time.Time) string {
	return fmt.Sprintf(`{"metric":{"__name__":"ALERTS_FOR_STATE",%s},"value":[%d,"%d"]}`, labels, fired.Unix(), at.Unix())
}

func TestActiveSince(t *testing.T) {
	const ours = `"alertname":"HighErrors","namespace":"shop"`
	earlier, later := active.Add(-time.Hour), fired.Add(time.Minute)
	second := active.Truncate(time.Second)
	tests := []struct {
		name, list, vector string
		want               time.Time // zero: not known
	}{
		{"listed", listed(ours, "firing", active), "", active},
		{"listed with other alerts", listed(`"alertname":"Other","namespace":"shop"`, "firing", earlier) + "," + listed(ours, "firing", active), "", active},
		{"listed for another namespace", listed(`"alertname":"HighErrors","namespace":"pay"`, "firing", active), " ", time.Time{}},
		{"listed with a label more", listed(ours+`,"pod":"x"`, "firing", active), " ", time.Time{}},
		{"listed without a name", listed(`"namespace":"shop"`, "firing", active), " ", time.Time{}},
		{"the most labels win", listed(`"alertname":"HighErrors"`, "firing", earlier) + "," + listed(ours, "firing", active), "", active},
		{"of equals the oldest", listed(ours, "firing", active) + "," + listed(ours, "firing", earlier), "", earlier},
		{"without a for:", listed(ours, "firing", fired.Add(999*time.Microsecond)), "", fired.Add(999 * time.Microsecond)},
		{"another episode", listed(ours, "pending", later), " ", time.Time{}},
		{"another episode, the first in the past", listed(ours, "pending", later), state(ours, second), second},
		{"no longer active", " ", state(ours, second), second},
		{"not listed by this server", "", state(ours, second), second},
		{"samples of others", " ", state(`"alertname":"HighErrors","namespace":"pay"`, second), time.Time{}},
		{"a sample after startsAt", " ", state(ours, later), time.Time{}},
		{"no trace", " ", " ", time.Time{}},
		{"in another zone", listed(ours, "firing", active.In(time.FixedZone("", 3600))), "", active},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok, err := serving(t, tt.list, tt.vector).ActiveSince(t.Context(), alert())
			if err != nil {
				t.Fatal(err)
			}
			if ok == tt.want.IsZero() || !got.Equal(tt.want) || ok && got.Location() != time.UTC {
				t.Errorf("ActiveSince = %v, %v; want %v", got, ok, tt.want)
			}
		})
	}
}

func TestActiveSinceWithoutAnAnswer(t *testing.T) {
	_, ok, err := serving(t, "", "").ActiveSince(t.Context(), alert())
	if ok || !bot.IsTrouble(err, bot.TroubleTransient) {
		t.Errorf("got %v, %v; want trouble", ok, err)
	}
	none, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err = none.ActiveSince(t.Context(), alert()); ok || err != nil {
		t.Errorf("got %v, %v; want not known, without trouble", ok, err)
	}
	if _, ok, err = serving(t, "", "").ActiveSince(t.Context(), bot.Alert{Labels: map[string]string{"a": "b"}}); ok || err != nil {
		t.Errorf("got %v, %v for an alert without a name; want not known", ok, err)
	}
}

// An alert's name is quoted, so that it can't become a part of the query.
func TestActiveSinceQuotes(t *testing.T) {
	var query string
	m := monitoring(t, func(w http.ResponseWriter, r *http.Request) {
		if query = r.FormValue("query"); query == "" {
			http.NotFound(w, r)
			return
		}
		reply(w, "%s", data("vector", "[]"))
	})
	a := alert()
	a.Labels["alertname"] = `x"} or vector(1) #` + "\n\\"
	if _, _, err := m.ActiveSince(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if want := `ALERTS_FOR_STATE{alertname="x\"} or vector(1) #\n\\"}`; query != want {
		t.Errorf("asked %s, want %s", query, want)
	}
}
