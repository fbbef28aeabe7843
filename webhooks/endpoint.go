package webhooks

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// What became of a request, as metrics and logs name it.
const (
	resultAccepted     = "accepted" // durable
	resultHinted       = "hinted"
	resultIgnored      = "ignored"
	resultUnauthorized = "unauthorized"
	resultInvalid      = "invalid"
	resultTooLarge     = "too_large"
	resultUnavailable  = "unavailable" // to be sent again
)

// outcome is what became of a request.
type outcome struct {
	status int
	result string
	event  string // of a fixed set, for metrics
	text   string // the answer, one sentence
	err    error  // for the log
	attrs  []slog.Attr
}

// on returns the outcome with the event that it is about.
func (o outcome) on(event string, attrs ...slog.Attr) outcome {
	o.event, o.attrs = event, append(o.attrs, attrs...)
	return o
}

func unauthorized(text string) outcome {
	return outcome{status: http.StatusUnauthorized, result: resultUnauthorized, text: text}
}

func invalid(text string) outcome {
	return outcome{status: http.StatusBadRequest, result: resultInvalid, text: text}
}

func unavailable(text string, err error) outcome {
	return outcome{status: http.StatusServiceUnavailable, result: resultUnavailable, text: text, err: err}
}

// messages are the log's constant words for results.
func (o outcome) message() (string, slog.Level) {
	switch o.result {
	case resultAccepted:
		return "webhook accepted", slog.LevelInfo
	case resultHinted:
		return "webhook hinted", slog.LevelDebug
	case resultIgnored:
		return "webhook ignored", slog.LevelDebug
	case resultUnavailable:
		return "webhook not recorded", slog.LevelError
	}
	return "webhook refused", slog.LevelWarn
}

// endpoint answers by a function, and counts and logs what became of it.
func (s *Server) endpoint(source string, answer func(http.ResponseWriter, *http.Request) outcome) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		o := answer(w, r)
		switch o.status {
		case http.StatusServiceUnavailable:
			w.Header().Set("Retry-After", "10")
		case http.StatusUnauthorized:
			if source == "alertmanager" {
				w.Header().Set("WWW-Authenticate", "Bearer")
			}
		}
		if o.event == "" {
			o.event = "unknown"
		}
		s.metrics.requests.WithLabelValues(source, o.event, o.result).Inc()
		s.metrics.seconds.WithLabelValues(source).Observe(time.Since(start).Seconds())
		message, level := o.message()
		attrs := append([]slog.Attr{
			slog.String("source", source), slog.String("event", o.event), slog.Int("status", o.status), slog.String("why", o.text),
		}, o.attrs...)
		if o.err != nil {
			attrs = append(attrs, slog.Any("err", o.err))
		}
		s.cfg.Log.LogAttrs(r.Context(), level, message, attrs...) //nolint:sloglint // message has four constant values
		say(w, o.status, o.text)
	})
}

// acceptTimeout leaves of GitHub's 10 s enough for the way.
const acceptTimeout = 8 * time.Second

// lasting is a context for making something durable: it outlives a sender that
// hangs up, since then the sender comes again and finds it done.
func lasting(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), acceptTimeout)
}
