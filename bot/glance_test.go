package bot

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// oneRecord is a ledger that holds one Rollback.
type oneRecord struct {
	Ledger
	rec Record
}

func (l *oneRecord) Rollback(context.Context, RollbackID) (Record, error) { return l.rec, nil }

func TestAGlanceLeavesOutWhatIsKnown(t *testing.T) {
	fired := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	web, api := AppID{Cluster: "prod", Name: "web"}, AppID{Cluster: "prod", Name: "api"}
	rb := Rollback{Apps: []AppID{web}, Incident: Incident{Alerts: []Alert{{Fingerprint: "p1", StartsAt: fired}}}}
	joined := rb
	joined.Apps = []AppID{web, api}
	again := rb
	again.Incident.Alerts = []Alert{{Fingerprint: "p1", StartsAt: fired.Add(time.Minute)}}
	for _, tc := range []struct {
		name string
		now  Rollback
		same bool
	}{
		{"nothing joined", rb, true},
		{"an App joined", joined, false},
		{"an alert fired anew", again, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ledger := &oneRecord{rec: Record{Rollback: tc.now}}
			r := &run{Flow: NewFlow(Config{Ports: Ports{Ledger: ledger}}), rb: rb}
			g, err := r.glance(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			// It goes through the journal before it counts.
			b, err := json.Marshal(g)
			if err != nil {
				t.Fatal(err)
			}
			if tc.same && strings.Contains(string(b), "p1") {
				t.Errorf("what is known is recorded again: %s", b)
			}
			var back glance
			if err := json.Unmarshal(b, &back); err != nil {
				t.Fatal(err)
			}
			if apps, alerts := r.speaksOf(back); !slices.Equal(apps, tc.now.Apps) || !slices.EqualFunc(alerts, tc.now.Incident.Alerts, sameAlert) {
				t.Errorf("it speaks of %v %v, want %v %v", apps, alerts, tc.now.Apps, tc.now.Incident.Alerts)
			}
			r.joined(back)
			if !slices.Equal(r.rb.Apps, tc.now.Apps) || !slices.EqualFunc(r.rb.Incident.Alerts, tc.now.Incident.Alerts, sameAlert) {
				t.Errorf("afterwards the flow knows %v %v", r.rb.Apps, r.rb.Incident.Alerts)
			}
		})
	}
}
