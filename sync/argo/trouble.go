package argo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/backout-dev/backout/bot"
)

// request describes a call for the sentence that is told when it goes wrong.
type request struct {
	act    string // "sync Application argocd/web"
	action string // what Argo CD's RBAC calls it: get, sync, update
	object string // what Argo CD's RBAC calls the object: "default/web"
}

// Pieces of argocd-server's own sentences. It has no finer codes; the texts
// are those of server/application/application.go and util/argo/argo.go.
const (
	saysDenied = "permission denied"
	saysBusy   = "another operation is already in progress"
	saysWindow = "sync window"
	// saysMismatch is what a patch says whose tests did not hold.
	saysMismatch = "error applying patch"
)

// retryBusy is when to look again after an operation was under way; a sync of a
// few objects takes about a second.
const retryBusy = 5 * time.Second

// trouble says what a failed call means. When ctx has ended, that is the error:
// nobody wants to hear why.
func (s *Server) trouble(ctx context.Context, err error, r request) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", r.act, ctx.Err())
	}
	if t := (*bot.Trouble)(nil); errors.As(err, &t) {
		return t
	}
	text := status.Convert(err).Message()
	switch status.Code(err) {
	case codes.Unauthenticated:
		return bot.NewTrouble(bot.TroubleForbidden, err, "Argo CD refused our token to %s.", r.act).
			WithAdvice("Make a new one (argocd account generate-token --account NAME) and put it into the configured file.")
	case codes.PermissionDenied:
		return denied(err, text, r)
	case codes.NotFound:
		return bot.NewTrouble(bot.TroubleNotFound, err, "Argo CD found nothing to %s.", r.act)
	case codes.FailedPrecondition:
		if strings.Contains(text, saysBusy) {
			return busy(err, r.act, "another operation is in progress")
		}
		return bot.NewTrouble(bot.TroubleInvalid, err, "Argo CD can't %s as it is set up now.", r.act).
			WithAdvice("Open the Application in Argo CD and read its conditions.")
	case codes.InvalidArgument, codes.OutOfRange:
		return bot.NewTrouble(bot.TroubleInvalid, err, "Argo CD found the request to %s invalid.", r.act).
			WithAdvice("Open the Application in Argo CD and read its conditions.")
	case codes.DeadlineExceeded:
		return bot.NewTrouble(bot.TroubleTransient, err, "Argo CD did not answer the request to %s within %s.", r.act, s.cfg.Timeout)
	case codes.Unavailable, codes.Unimplemented:
		return s.unreachable(err, text, r)
	}
	if strings.Contains(text, "unexpected HTTP status code") {
		return s.unreachable(err, text, r)
	}
	// The rest comes without a code: a repository that did not answer, a
	// conflict that did not end. It may pass.
	return bot.NewTrouble(bot.TroubleTransient, err, "Argo CD could not %s.", r.act)
}

func denied(err error, text string, r request) *bot.Trouble {
	if isWindow(err) {
		return bot.NewTrouble(bot.TroubleForbidden, err, "A sync window forbids Argo CD to %s.", r.act).
			WithAdvice("Wait for the window to end, or allow manual syncs in it (argocd proj windows list).")
	}
	// The server names the action when it knows that the object exists; the
	// bare sentence may also mean that it does not.
	return bot.NewTrouble(bot.TroubleForbidden, err, "Argo CD does not allow us to %s.", r.act).
		WithAdvice("Grant our account “applications, %s, %s” in argocd-rbac-cm.", r.action, r.object)
}

func (s *Server) unreachable(err error, text string, r request) *bot.Trouble {
	t := bot.NewTrouble(bot.TroubleTransient, err, "Argo CD can't be reached to %s.", r.act)
	switch {
	case strings.Contains(text, "x509:") || strings.Contains(text, "tls:"):
		return t.WithAdvice("Check the certificate of %s against the configured CA file.", s.cfg.Server)
	case strings.Contains(text, "unexpected HTTP status code") || status.Code(err) == codes.Unimplemented:
		return t.WithAdvice("If a proxy stands before %s, configure gRPC-web.", s.cfg.Server)
	}
	return t.WithAdvice("Check that argocd-server runs at %s.", s.cfg.Server)
}

// busy means: an operation is in the way, look again. It is stale and not
// transient, so that a flow which polls anyway goes on polling.
func busy(cause error, act, why string) *bot.Trouble {
	t := bot.NewTrouble(bot.TroubleStale, cause, "Argo CD can't %s yet: %s.", act, why)
	t.RetryAfter = retryBusy
	return t
}

// soon means: the same call will do in a moment.
func soon(cause error, act, why string) *bot.Trouble {
	t := bot.NewTrouble(bot.TroubleTransient, cause, "Argo CD could not %s: %s.", act, why)
	t.RetryAfter = time.Second
	return t
}

// isBusy reports whether a call was refused because an operation is under way.
func isBusy(err error) bool {
	return status.Code(err) == codes.FailedPrecondition && strings.Contains(err.Error(), saysBusy)
}

// isWindow reports whether a sync window was in the way.
func isWindow(err error) bool {
	return status.Code(err) == codes.PermissionDenied && strings.Contains(err.Error(), saysWindow)
}

// isBareDenial reports whether a refusal leaves open what it is about: the
// server says the same of an Application that is not there, of one that we may
// not see, and of one that it could not read.
func isBareDenial(err error) bool {
	return status.Code(err) == codes.PermissionDenied && status.Convert(err).Message() == saysDenied
}
