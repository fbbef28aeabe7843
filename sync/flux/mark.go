package flux

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"github.com/backout-dev/backout/bot"
)

// The annotations of a hold. People and other tools read them, so they may be
// added to and never renamed.
const (
	// AnnotationOwner is the ID of the Rollback that holds the object.
	AnnotationOwner = "backout.dev/hold-owner"
	// AnnotationReason says why, for whoever finds the object suspended.
	AnnotationReason = "backout.dev/hold-reason"
	// AnnotationPrevious is what stood there before, as JSON: {} when
	// spec.suspend was absent, {"suspend":false} when it was false.
	AnnotationPrevious = "backout.dev/hold-previous"
	// AnnotationDeadline is when the hold ends by itself, RFC 3339.
	AnnotationDeadline = "backout.dev/hold-deadline"
)

// mark is a hold as its annotations tell it.
type mark struct {
	owner    bot.RollbackID
	reason   string
	previous string
	// deadline is zero when it is missing or can't be read, which is in the
	// past: a hold that nobody can date must not outlive the next sweep.
	deadline time.Time
}

// markOf reads the annotations; nil when there is no owner. The other three may
// be damaged or missing: a hold without them is a hold still.
func markOf(annotations map[string]string) *mark {
	owner := strings.TrimSpace(annotations[AnnotationOwner])
	if owner == "" {
		return nil
	}
	m := &mark{
		owner:    bot.RollbackID(owner),
		reason:   annotations[AnnotationReason],
		previous: annotations[AnnotationPrevious],
	}
	if t, err := time.Parse(time.RFC3339, annotations[AnnotationDeadline]); err == nil {
		m.deadline = t.UTC()
	}
	return m
}

// annotations are what writes the mark. Seconds are precise enough for a
// deadline; it is rounded up, never cut short.
func (m mark) annotations() map[string]any {
	deadline := m.deadline.UTC().Add(time.Second - time.Nanosecond).Truncate(time.Second)
	return map[string]any{
		AnnotationOwner:    string(m.owner),
		AnnotationReason:   oneLine(m.reason),
		AnnotationPrevious: m.previous,
		AnnotationDeadline: deadline.Format(time.RFC3339),
	}
}

// noMark removes every annotation of a hold in a JSON merge patch.
func noMark() map[string]any {
	return map[string]any{AnnotationOwner: nil, AnnotationReason: nil, AnnotationPrevious: nil, AnnotationDeadline: nil}
}

// previous is spec.suspend before a hold. Fields may be added, never renamed.
type previous struct {
	Suspend *bool `json:"suspend,omitempty"`
}

// encodePrevious writes what stood there; present tells false from absent.
func encodePrevious(present bool) string {
	if present {
		return `{"suspend":false}`
	}
	return `{}`
}

// restored is the value of spec.suspend in the patch that releases: false, or
// nil to remove the field. Both mean that reconciliation is on. It is never
// true: only what was on is ever held, so a record that says otherwise is
// damaged, and staying held is the worse error.
func (m mark) restored() any {
	var p previous
	if err := json.Unmarshal([]byte(m.previous), &p); err != nil || p.Suspend == nil || *p.Suspend {
		return nil
	}
	return false
}

// longestReason bounds the reason, in runes; all annotations of an object share
// 256 KiB (https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/).
const longestReason = 500

// oneLine makes text fit for an annotation that people read with kubectl.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > longestReason {
		s = string(r[:longestReason]) + "…"
	}
	return s
}
