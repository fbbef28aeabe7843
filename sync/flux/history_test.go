package flux

import (
	"fmt"
	"strings"
	"testing"
	"time"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"

	"github.com/backout-dev/backout/bot"
)

func TestBegun(t *testing.T) {
	at := func(clock string) time.Time {
		parsed, err := time.Parse(time.RFC3339, "2026-03-04T"+clock+"Z")
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	// entry is a past apply: digest, commit, first and last end, duration of the last, how many.
	entry := func(digest, commit, first, last, took string, total int) string {
		return fmt.Sprintf(`
  - {digest: %s, firstReconciled: "2026-03-04T%sZ", lastReconciled: "2026-03-04T%sZ", lastReconciledDuration: %s, lastReconciledStatus: S, totalReconciliations: %d, metadata: {revision: main@sha1:%s}}`,
			digest, first, last, took, total, commit)
	}
	good := entry("g", goodSHA, "09:00:00", "09:00:00", "0s", 1)
	for _, test := range []struct {
		name           string
		attempted      string
		ready, healthy string // "status reason"
		history        string
		begun          bot.SHA
		at             time.Time
	}{
		{"applied in full", goodSHA, "True ReconciliationSucceeded", "", entry("g", goodSHA, "10:00:30", "10:00:30", "30s", 1), goodSHA, at("10:00:00")},
		{"applied again since", goodSHA, "True ReconciliationSucceeded", "True Succeeded", entry("g", goodSHA, "10:00:30", "11:00:00", "2s", 9), goodSHA, at("10:00:30")},
		{"no history", goodSHA, "True ReconciliationSucceeded", "", "", goodSHA, time.Time{}},
		{"history of another commit", goodSHA, "True ReconciliationSucceeded", "", entry("b", badSHA, "10:00:30", "10:00:30", "2s", 1), goodSHA, time.Time{}},
		{"health checks run", badSHA, "Unknown Progressing", "Unknown Progressing", good, badSHA, at("10:10:00")},
		{"health checks run again", badSHA, "Unknown Progressing", "Unknown Progressing", entry("b", badSHA, "10:05:00", "10:05:00", "5m", 1) + good, badSHA, at("10:00:00")},
		{"health checks failed", badSHA, "False HealthCheckFailed", "False HealthCheckFailed", entry("b", badSHA, "10:05:00", "10:05:00", "5m", 1) + good, badSHA, at("10:00:00")},
		{"health checks failed many times", badSHA, "False HealthCheckFailed", "False HealthCheckFailed", entry("b", badSHA, "10:05:00", "11:00:00", "5m", 7) + good, badSHA, at("10:05:00")},
		{"health checks failed at first", goodSHA, "True ReconciliationSucceeded", "True Succeeded",
			entry("g", goodSHA, "10:20:00", "10:20:00", "1s", 1) + entry("g", goodSHA, "10:05:00", "10:05:00", "5m", 1), goodSHA, at("10:00:00")},
		{"manifests that came back", goodSHA, "True ReconciliationSucceeded", "True Succeeded",
			entry("g", goodSHA, "09:00:00", "10:20:00", "1s", 2) + entry("b", badSHA, "10:05:00", "10:15:00", "5m", 3), goodSHA, time.Time{}},
		{"health checks cut short", badSHA, "False HealthCheckCanceled", "Unknown Progressing", "", badSHA, at("10:10:00")},
		{"only pruning failed", badSHA, "False PruneFailed", "", entry("b", badSHA, "10:00:01", "10:00:01", "1s", 1) + good, badSHA, at("10:00:00")},
		{"could not be built", badSHA, "False BuildFailed", "True Succeeded", good, goodSHA, at("09:00:00")},
		{"could not be applied", badSHA, "False ReconciliationFailed", "", entry("b", badSHA, "10:00:00", "10:00:00", "1s", 1) + good, goodSHA, time.Time{}},
		{"is being built", badSHA, "Unknown Progressing", "True Succeeded", good, goodSHA, at("09:00:00")},
	} {
		doc := strings.ReplaceAll(web, "lastAttemptedRevision: main@sha1:"+goodSHA, "lastAttemptedRevision: main@sha1:"+test.attempted)
		doc = doc[:strings.Index(doc, "  conditions:")]
		if test.history != "" {
			doc += "  history:" + test.history + "\n"
		}
		doc += "  conditions:\n"
		for kind, said := range map[string]string{"Ready": test.ready, "Healthy": test.healthy} {
			if state, reason, ok := strings.Cut(said, " "); ok {
				doc += fmt.Sprintf("  - {type: %s, status: %q, reason: %s, lastTransitionTime: \"2026-03-04T10:10:00Z\"}\n", kind, state, reason)
			}
		}
		u := parse(t, doc)
		k, err := decode[kustomizev1.Kustomization](u)
		if err != nil {
			t.Fatal(err)
		}
		if got := begun(k); got != test.begun {
			t.Errorf("%s: %s stands, want %s", test.name, got, test.begun)
		}
		if got := begunAt(u, k); !got.Equal(test.at) {
			t.Errorf("%s: since %s, want %s", test.name, got, test.at)
		}
	}
}
