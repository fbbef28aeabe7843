package durable

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
)

// quiet makes DBOS's log one of a component: what it calls information is
// debugging to whoever runs Backout, and so is the echo of a shutdown, which it
// logs as errors.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(quietHandler{log.With("component", "dbos").Handler()})
}

type quietHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h quietHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level == slog.LevelInfo || interrupted(r) {
		r.Level = slog.LevelDebug
	}
	if !h.Enabled(ctx, r.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h quietHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h quietHandler) WithGroup(name string) slog.Handler {
	return quietHandler{h.Handler.WithGroup(name)}
}

// interrupted reports whether a record tells of an error that is a
// cancellation.
func interrupted(r slog.Record) (yes bool) {
	r.Attrs(func(a slog.Attr) bool {
		err, ok := a.Value.Any().(error)
		yes = ok && errors.Is(err, context.Canceled)
		return !yes
	})
	return yes
}

// dropEngineEnv removes the variables by which DBOS lets the environment
// override its configuration. One left over from another program would change
// the executor or the version, and unfinished flows would never be resumed.
func dropEngineEnv() error {
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "DBOS__") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	return nil
}
