package webhooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// How long a connection may take for what. GitHub waits 10 s for an answer
// (GitHub Enterprise Server 30 s), so who needs longer to send is not GitHub.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second // from the header's end: reading included
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
	// drainTimeout is how long requests that are under way get at the end.
	drainTimeout = 15 * time.Second
)

// Serve serves the public and the internal handler until ctx ends, then answers
// what is under way and returns nil. It closes both listeners.
func (s *Server) Serve(ctx context.Context, public, internal net.Listener) error {
	outside, inside := s.server(ctx, s.Public()), s.server(ctx, s.Internal())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serve(outside, public, "public") })
	g.Go(func() error { return serve(inside, internal, "internal") })
	g.Go(func() error {
		<-ctx.Done()
		s.draining.Store(true)
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		// Health can be asked for until the last delivery is answered.
		err := stop(deadline, outside)
		err = errors.Join(err, stop(deadline, inside))
		s.pushes.stop()
		return err
	})
	return g.Wait()
}

func (s *Server) server(ctx context.Context, h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug), // scanners that hang up
		// Requests that are under way at the end are answered all the same.
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
}

func serve(srv *http.Server, l net.Listener, name string) error {
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the %s listener: %w", name, err)
	}
	return nil
}

// stop ends a server gracefully, and by force at the deadline.
func stop(deadline context.Context, srv *http.Server) error {
	if err := srv.Shutdown(deadline); err != nil {
		return errors.Join(fmt.Errorf("drain: %w", err), srv.Close())
	}
	return nil
}
