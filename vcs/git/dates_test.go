package git

import (
	"encoding/json"
	"testing"
	"time"
)

// TestSaneDates wants every date that a commit may carry to be written as JSON.
func TestSaneDates(t *testing.T) {
	usual := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, when := range []time.Time{usual, time.Unix(1<<60, 0), time.Unix(-1<<60, 0), time.Unix(253402300800, 0)} {
		if _, err := json.Marshal(sane(when)); err != nil {
			t.Errorf("%d: %v", when.Unix(), err)
		}
	}
	if sane(usual) != usual {
		t.Errorf("%s became %s", usual, sane(usual))
	}
}
