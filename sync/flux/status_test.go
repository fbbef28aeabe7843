package flux

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backout-dev/backout/bot"
)

func cond(kind, state, reason, message string, generation int64) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionStatus(state), Reason: reason, Message: message, ObservedGeneration: generation}
}

func TestHealth(t *testing.T) {
	for _, c := range []struct {
		name       string
		conditions []metav1.Condition
		want       bot.Health
	}{
		{"no status yet", nil, bot.HealthUnknown},
		{"ready", []metav1.Condition{cond("Ready", "True", "ReconciliationSucceeded", "", 1)}, bot.HealthGood},
		{"ready and healthy", []metav1.Condition{cond("Ready", "True", "ReconciliationSucceeded", "", 1), cond("Healthy", "True", "Succeeded", "", 1)}, bot.HealthGood},
		{"ready, last health check failed", []metav1.Condition{cond("Ready", "True", "ReconciliationSucceeded", "", 1), cond("Healthy", "False", "HealthCheckFailed", "", 1)}, bot.HealthBad},
		{"ready, looking again", []metav1.Condition{cond("Ready", "True", "UpgradeSucceeded", "", 1), cond("Reconciling", "True", "Progressing", "", 1)}, bot.HealthProgressing},
		{"applying", []metav1.Condition{cond("Ready", "Unknown", "Progressing", "", 1), cond("Reconciling", "True", "Progressing", "", 1)}, bot.HealthProgressing},
		{"applying, in the first form", []metav1.Condition{cond("Ready", "Unknown", "Progressing", "", 1)}, bot.HealthProgressing},
		{"unknown for another reason", []metav1.Condition{cond("Ready", "Unknown", "Whatever", "", 1)}, bot.HealthUnknown},
		{"health check failed", []metav1.Condition{cond("Ready", "False", "HealthCheckFailed", "", 1), cond("Reconciling", "True", "ProgressingWithRetry", "", 1)}, bot.HealthBad},
		{"build failed", []metav1.Condition{cond("Ready", "False", "BuildFailed", "", 1)}, bot.HealthBad},
		{"upgrade failed", []metav1.Condition{cond("Ready", "False", "UpgradeFailed", "", 1)}, bot.HealthBad},
		{"waiting for a dependency", []metav1.Condition{cond("Ready", "False", "DependencyNotReady", "", 1)}, bot.HealthProgressing},
		{"interrupted by a newer revision", []metav1.Condition{cond("Ready", "False", "HealthCheckCanceled", "", 1)}, bot.HealthProgressing},
		{"stalled beats ready", []metav1.Condition{cond("Ready", "True", "", "", 1), cond("Stalled", "True", "RetriesExceeded", "", 1)}, bot.HealthBad},
	} {
		if got := (status{conditions: c.conditions}).health(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestCurrent(t *testing.T) {
	ready := func(state string, generation int64) []metav1.Condition {
		return []metav1.Condition{cond("Ready", state, "R", "", generation)}
	}
	for _, c := range []struct {
		name string
		s    status
		want bool
	}{
		{"seen", status{generation: 2, observed: 2, conditions: ready("True", 2)}, true},
		{"not seen", status{generation: 3, observed: 2, conditions: ready("True", 2)}, false},
		{"no status yet", status{generation: 1, observed: -1}, false},
		{"generation seen, no condition yet", status{generation: 1, observed: 1}, false},
		{"failing, seen only by the condition", status{generation: 3, observed: 2, conditions: ready("False", 3)}, true},
		{"under way, seen only by the condition", status{generation: 3, observed: 2, conditions: ready("Unknown", 3)}, true},
		{"condition not refreshed by an old controller", status{generation: 3, observed: 3, conditions: ready("True", 2)}, true},
		{"suspended, generation copied", status{suspended: true, generation: 3, observed: 3, conditions: ready("True", 2)}, false},
		{"suspended before it was looked at", status{suspended: true, generation: 2, observed: 2, conditions: ready("True", 2)}, false},
		{"request outstanding", status{generation: 2, observed: 2, conditions: ready("True", 2), requested: "b", handled: "a"}, false},
		{"request handled", status{generation: 2, observed: 2, conditions: ready("True", 2), requested: "b", handled: "b"}, true},
		{"request withdrawn", status{generation: 2, observed: 2, conditions: ready("True", 2), handled: "a"}, true},
	} {
		if got := c.s.current(); got != c.want {
			t.Errorf("%s: current is %v", c.name, got)
		}
	}
}

func TestMessage(t *testing.T) {
	for _, c := range []struct {
		name       string
		conditions []metav1.Condition
		want       string
	}{
		{"what came of it", []metav1.Condition{cond("Ready", "True", "", "Applied revision: x", 1)}, "Applied revision: x"},
		{"what it is doing", []metav1.Condition{cond("Ready", "Unknown", "", "Reconciliation in progress", 1), cond("Reconciling", "True", "", "Running health checks", 1)}, "Running health checks"},
		{"why it failed, not that it retries", []metav1.Condition{cond("Ready", "False", "", "path not found", 1), cond("Reconciling", "True", "", "Fetching manifests", 1)}, "path not found"},
		{"why it stalled comes first", []metav1.Condition{cond("Ready", "False", "", "upgrade failed", 1), cond("Stalled", "True", "", "Failed to upgrade after 3 attempt(s)", 1)}, "Failed to upgrade after 3 attempt(s); upgrade failed"},
		{"said once", []metav1.Condition{cond("Ready", "False", "", "bad", 1), cond("Stalled", "True", "", "bad", 1)}, "bad"},
		{"that Helm rolled back", []metav1.Condition{cond("Ready", "False", "", "upgrade failed", 1), cond("Remediated", "True", "", "Helm rollback to previous release succeeded", 1)}, "upgrade failed; Helm rollback to previous release succeeded"},
		{"nothing", nil, ""},
	} {
		if got := (status{conditions: c.conditions}).message(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSentencesAreCutBetweenRunes(t *testing.T) {
	got := sentences(strings.Repeat("é", longestMessage))
	if len(got) > longestMessage+len("…") || strings.ContainsRune(got, '\uFFFD') || !strings.HasSuffix(got, "…") {
		t.Errorf("cut to %d bytes, ends in %q", len(got), got[len(got)-5:])
	}
	if got := sentences("", " a ", "", "b"); got != "a; b" {
		t.Errorf("joined to %q", got)
	}
}
