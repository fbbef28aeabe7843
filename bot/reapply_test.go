package bot

import "testing"

// TestWhatCallsItselfARevert: a revert is known by what its pull request says of
// itself, since a squash or a merge commit keeps none of its commits' messages.
func TestWhatCallsItselfARevert(t *testing.T) {
	for _, tt := range []struct {
		p    Pull
		want bool
	}{
		{Pull{Head: "backout/revert-0123456789ab", Title: "Something else"}, true},
		{Pull{Head: "backout/reapply-0123456789ab", Title: "Something else"}, true},
		{Pull{Head: "revert-12-topic", Title: "Something else"}, true},
		{Pull{Head: "topic", Title: `Revert "Update web"`}, true},
		{Pull{Head: "topic", Title: `Reapply "Update web"`}, true},
		{Pull{Head: "topic", Title: "Update web"}, false},
		{Pull{Head: "revert-to-old-logo", Title: "Revert to the old logo"}, false},
		{Pull{Head: "x/backout/revert-1", Title: "Update"}, false},
		{Pull{}, false},
	} {
		if got := revertPull(tt.p); got != tt.want {
			t.Errorf("%+v: %v", tt.p, got)
		}
	}
}
