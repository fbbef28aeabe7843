package flux

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// written is what the API server would return of a mark's annotations.
func written(m mark) map[string]string {
	annotations := map[string]string{}
	for k, v := range m.annotations() {
		annotations[k] = v.(string)
	}
	return annotations
}

func TestMarkReadsBackAsWritten(t *testing.T) {
	deadline := time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)
	m := mark{owner: "rb-0123456789ab", reason: "reverting #12", previous: encodePrevious(true), deadline: deadline}
	want := map[string]string{
		"backout.dev/hold-owner":    "rb-0123456789ab",
		"backout.dev/hold-reason":   "reverting #12",
		"backout.dev/hold-previous": `{"suspend":false}`,
		"backout.dev/hold-deadline": "2026-03-04T12:30:00Z",
	}
	if diff := cmp.Diff(want, written(m)); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&m, markOf(written(m)), cmp.AllowUnexported(mark{})); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestMarkDeadlineIsNeverCutShort(t *testing.T) {
	m := mark{owner: "rb-1", deadline: time.Date(2026, 3, 4, 12, 0, 0, 1, time.FixedZone("CET", 3600))}
	if got, want := markOf(written(m)).deadline, time.Date(2026, 3, 4, 11, 0, 1, 0, time.UTC); !got.Equal(want) {
		t.Errorf("deadline %s, want %s", got, want)
	}
}

func TestDamagedMarksAreHoldsThatHaveExpired(t *testing.T) {
	for name, annotations := range map[string]map[string]string{
		"owner only":          {AnnotationOwner: "rb-1"},
		"deadline is no time": {AnnotationOwner: "rb-1", AnnotationDeadline: "tomorrow", AnnotationPrevious: "{"},
	} {
		m := markOf(annotations)
		if m == nil || !m.deadline.IsZero() || m.restored() != nil {
			t.Errorf("%s: got %+v", name, m)
		}
	}
	for name, annotations := range map[string]map[string]string{
		"none": nil, "blank owner": {AnnotationOwner: " "}, "deadline only": {AnnotationDeadline: "2026-03-04T12:30:00Z"},
	} {
		if m := markOf(annotations); m != nil {
			t.Errorf("%s: got %+v, want no mark", name, m)
		}
	}
}

func TestRestored(t *testing.T) {
	for previous, want := range map[string]any{
		encodePrevious(true): false, encodePrevious(false): nil,
		"": nil, "null": nil, `{"suspend":true}`: nil, `{"suspend":"yes"}`: nil, `{"suspend":false,"later":1}`: false,
	} {
		if got := (mark{previous: previous}).restored(); got != want {
			t.Errorf("restored(%q) = %v, want %v", previous, got, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"a\nb\t c ":              "a b c",
		"bell\a and \u202ebidi":  "bell and bidi",
		"bad \xff utf-8":         "bad utf-8",
		strings.Repeat("é", 600): strings.Repeat("é", longestReason) + "…",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzMark(f *testing.F) {
	f.Add("rb-1", "why", `{"suspend":false}`, "2026-03-04T12:30:00Z")
	f.Add("", "", "{", "never")
	f.Add("x", "\u202e\n", "[]", "0001-01-01T00:00:00Z")
	f.Fuzz(func(t *testing.T, owner, reason, previous, deadline string) {
		m := markOf(map[string]string{
			AnnotationOwner: owner, AnnotationReason: reason, AnnotationPrevious: previous, AnnotationDeadline: deadline,
		})
		if m == nil {
			if strings.TrimSpace(owner) != "" {
				t.Errorf("owner %q was not seen", owner)
			}
			return
		}
		if v := m.restored(); v != nil && v != false {
			t.Errorf("restored(%q) = %v: a release must never suspend", previous, v)
		}
		again := markOf(written(*m))
		if again == nil || again.owner != m.owner || again.previous != m.previous {
			t.Fatalf("%+v reads back as %+v", m, again)
		}
		if !utf8.ValidString(again.reason) || strings.ContainsAny(again.reason, "\n\r") {
			t.Errorf("reason %q is not one line of text", again.reason)
		}
	})
}
