package corpus

import (
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

func TestTouches(t *testing.T) {
	changed := []string{"apps/web/a.yaml", "base/b.yaml"}
	for path, want := range map[string]bool{"apps/web": true, "apps/web/a.yaml": true, "apps": true, ".": true, "apps/we": false, "apps/api": false, "a.yaml": false} {
		if got := touches(changed, []string{"none", path}); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// TestTakenBack: a revert of the same path in the week that follows makes a
// moment no calm one.
func TestTakenBack(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		after   time.Duration
		message string
		path    string
		want    bool
	}{
		{"the next day", 24 * time.Hour, "Revert \"x\"", "web/a", true},
		{"in other words", 24 * time.Hour, "roll back web", "web/a", true},
		{"after the week", 8 * 24 * time.Hour, "Revert \"x\"", "web/a", false},
		{"elsewhere", 24 * time.Hour, "Revert \"x\"", "api/a", false},
		{"no revert", 24 * time.Hour, "bump", "web/a", false},
	} {
		newer := []*bot.Commit{{When: at.Add(tt.after), Message: tt.message, Paths: []string{tt.path}}}
		if got := takenBack(newer, "web", at.Unix()); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
