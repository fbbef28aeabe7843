package bot

import (
	"context"
	"time"
)

// Delivery is one attempt of GitHub to send us a webhook, as its log has it.
type Delivery struct {
	ID     int64  // of the attempt
	GUID   string // of the event, the same in every attempt
	Event  string // issue_comment, installation, push…
	Action string // created, edited…; "" where the event has none
	At     time.Time
	Status int // what GitHub was answered; 502 or 504 where no answer came
	// Failed is true unless GitHub was answered that all is well. What we
	// answered too late failed, too, though it may be durable.
	Failed bool
}

// DeliveryPage is a piece of the log, newest first.
type DeliveryPage struct {
	Deliveries []Delivery
	Next       string // where the next, older page begins; "" at the end
	// Now is GitHub's clock, by which deliveries are dated: ours may differ.
	Now time.Time
}

// DeliveryLog is GitHub's log of the webhooks that it sent, or tried to.
type DeliveryLog interface {
	// Deliveries reads one page from a cursor, the newest for "". A server may
	// list what went well among what failed.
	Deliveries(ctx context.Context, cursor string) (DeliveryPage, error)
	// Payload is what an attempt carried. TroubleNotFound when the log no
	// longer has it.
	Payload(ctx context.Context, id int64) ([]byte, error)
}

// Inbox reads a delivery out of the log as if it had come over HTTP.
type Inbox interface {
	// Wants reports whether an event must not be lost. Of all others, the loss
	// costs a polling interval.
	Wants(event, action string) bool
	// Delivered returns the event that a delivery holds, to be accepted; nil
	// when it holds none. A change of what the App may touch is recorded when
	// it returns. TroubleInvalid says that the payload will never be understood.
	Delivered(ctx context.Context, d Delivery, payload []byte) (*Event, error)
	// Pushed lets a mirror be fetched beside all else.
	Pushed(repo RepoName)
}
