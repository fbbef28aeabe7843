package redact

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
)

// Handler hands records on without secrets, in messages and in attributes of
// every kind.
func (s *Secrets) Handler(next slog.Handler) slog.Handler {
	if h, ok := next.(*handler); ok && h.secrets == s {
		return next
	}
	return &handler{next, s}
}

type handler struct {
	next    slog.Handler
	secrets *Secrets
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, h.secrets.Text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(h.secrets.attr(a))
		return true
	})
	return h.next.Handle(ctx, out)
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		out[i] = h.secrets.attr(a)
	}
	return &handler{h.next.WithAttrs(out), h.secrets}
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.next.WithGroup(name), h.secrets}
}

func (s *Secrets) attr(a slog.Attr) slog.Attr {
	return slog.Attr{Key: s.Text(a.Key), Value: s.value(a.Value)}
}

// value is a value without secrets; one that holds none stays as it is.
func (s *Secrets) value(v slog.Value) slog.Value {
	v = v.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(s.Text(v.String()))
	case slog.KindGroup:
		attrs := v.Group()
		out := make([]slog.Attr, len(attrs))
		for i, a := range attrs {
			out[i] = s.attr(a)
		}
		return slog.GroupValue(out...)
	case slog.KindAny:
		return s.anything(v)
	}
	return v
}

// anything is a value that handlers print by its Error, by fmt or as JSON.
func (s *Secrets) anything(v slog.Value) slog.Value {
	if err, ok := v.Any().(error); ok {
		return slog.AnyValue(s.Error(err))
	}
	printed := fmt.Sprintf("%+v", v.Any())
	if clean := s.Text(printed); clean != printed {
		return slog.StringValue(clean)
	}
	if b, ok := v.Any().([]byte); ok { // %+v prints numbers
		if clean := s.Text(string(b)); clean != string(b) {
			return slog.StringValue(clean)
		}
	}
	if raw, err := json.Marshal(v.Any()); err == nil {
		if clean := s.Text(string(raw)); clean != string(raw) {
			return slog.StringValue(clean)
		}
	}
	return v
}
