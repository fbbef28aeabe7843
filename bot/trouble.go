package bot

import (
	"errors"
	"fmt"
	"time"
)

// Trouble is an outside act that did not work, in a form that can be recorded,
// retried and told to people. Adapters return it as an error; the flow records
// it as a value, since a recorded error would come back as mere text.
type Trouble struct {
	Kind TroubleKind `json:"kind"`
	// Text is one plain sentence without secrets: what did not work.
	Text string `json:"text"`
	// Advice is one sentence that tells a person what to do; may be empty.
	Advice string `json:"advice,omitempty"`
	// RetryAfter is how long the other side asked us to wait; 0 if it did not.
	RetryAfter time.Duration `json:"retry_after,omitempty"`

	cause error
}

// TroubleKind says what to do about a Trouble.
type TroubleKind string

// The kinds of trouble.
const (
	// TroubleTransient may pass: network, 5xx, rate limits. Try again later.
	TroubleTransient TroubleKind = "transient"
	// TroubleForbidden will not pass until a person grants something.
	TroubleForbidden TroubleKind = "forbidden"
	// TroubleNotFound means the thing is not there, or not visible to us.
	TroubleNotFound TroubleKind = "not-found"
	// TroubleStale means the world moved since we looked: look again.
	TroubleStale TroubleKind = "stale"
	// TroubleInvalid means that asking again can't help.
	TroubleInvalid TroubleKind = "invalid"
)

// Error implements error.
func (t *Trouble) Error() string {
	if t.cause != nil {
		return fmt.Sprintf("%s: %v", t.Text, t.cause)
	}
	return t.Text
}

// Unwrap returns what the library said. It goes to the log, never to people.
func (t *Trouble) Unwrap() error { return t.cause }

// NewTrouble wraps cause. The text is for people: it must hold no secret and
// no raw library text.
func NewTrouble(kind TroubleKind, cause error, format string, args ...any) *Trouble {
	return &Trouble{Kind: kind, Text: fmt.Sprintf(format, args...), cause: cause}
}

// WithAdvice returns t with the sentence that tells a person what to do.
func (t *Trouble) WithAdvice(format string, args ...any) *Trouble {
	t.Advice = fmt.Sprintf(format, args...)
	return t
}

// AsTrouble returns err as a Trouble. An error of no known kind counts as
// transient: it is tried again a bounded number of times and then told to a
// person, which is safer than taking it for an answer.
func AsTrouble(err error) *Trouble {
	if err == nil {
		return nil
	}
	var t *Trouble
	if errors.As(err, &t) {
		return t
	}
	return &Trouble{Kind: TroubleTransient, Text: err.Error(), cause: err}
}

// IsTrouble reports whether err is Trouble of the given kind.
func IsTrouble(err error, kind TroubleKind) bool {
	var t *Trouble
	return errors.As(err, &t) && t.Kind == kind
}
