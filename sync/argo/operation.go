package argo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	applicationpkg "github.com/argoproj/argo-cd/v2/pkg/apiclient/application"
	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/backout-dev/backout/bot"
)

// tokenKey names the token of [Server.Sync] in an operation's info.
const tokenKey = "backout.dev/token"

// polling is how often a stopping operation is looked at.
const polling = 300 * time.Millisecond

// carries reports whether the operation under way, or the last one, was asked
// for with that token.
func carries(a *argov1.Application, token string) bool {
	return tokenOf(a.Operation) == token || a.Status.OperationState != nil && tokenOf(&a.Status.OperationState.Operation) == token
}

func tokenOf(o *argov1.Operation) string {
	if o == nil {
		return ""
	}
	for _, i := range o.Info {
		if i != nil && i.Name == tokenKey {
			return i.Value
		}
	}
	return ""
}

// initiator names who started an operation.
func initiator(o *argov1.Operation) string {
	switch {
	case o.InitiatedBy.Automated:
		return "Argo CD"
	case o.InitiatedBy.Username != "":
		return o.InitiatedBy.Username
	}
	return "somebody"
}

// runs are the commits that the operation under way applies, one for each
// source. Retries go on with the commits that it began with, however old.
func runs(a *argov1.Application) []string {
	if o := a.Status.OperationState; o != nil && !o.Phase.Completed() && o.SyncResult != nil {
		return revisions(o.SyncResult.Revision, o.SyncResult.Revisions)
	}
	if a.Operation.Sync == nil {
		return nil
	}
	return revisions(a.Operation.Sync.Revision, a.Operation.Sync.Revisions)
}

// isStuckOnOld reports whether the operation under way is one that may be
// stopped (Argo CD's own or an earlier one of ours, never a person's) and
// applies other commits than those that a refresh has just found at the head,
// thus older ones.
func isStuckOnOld(a *argov1.Application) bool {
	head := revisions(a.Status.Sync.Revision, a.Status.Sync.Revisions)
	now := runs(a)
	if len(now) == 0 || slices.Contains(now, "") || slices.Contains(head, "") || slices.Equal(now, head) {
		return false
	}
	return a.Operation.InitiatedBy.Automated || tokenOf(a.Operation) != ""
}

// quiet sees to it that nothing is being applied to a held Application: it
// stops an operation that Argo CD began by itself, and returns a sentence about
// one that a person began.
func (s *Server) quiet(ctx context.Context, a *argov1.Application) (left string, err error) {
	switch {
	case a.Operation == nil:
		return "", nil
	case a.Operation.InitiatedBy.Automated:
		_, err := s.stop(ctx, a)
		return "", err
	}
	return fmt.Sprintf("A sync of %s that %s started is still running.", titleOf(a), initiator(a.Operation)), nil
}

// stop ends the operation under way and waits until it has ended; what it has
// applied stays applied. The server says no to an operation that the controller
// has not begun yet, and loses races against the controller's own writes (it
// retries with the object that it read first), so ask until it has heard.
func (s *Server) stop(ctx context.Context, a *argov1.Application) (*argov1.Application, error) {
	id := s.idOf(a)
	r := request{"stop the running sync of " + nameOf(id), "sync", s.rbacName(a.Spec.GetProject(), id)}
	s.cfg.Log.Warn("stop an operation", "app", id.String(), "by", initiator(a.Operation), "revisions", runs(a))
	now := a
	for range s.cfg.Timeout / polling {
		if !isTerminating(now) {
			_, err := s.apps.TerminateOperation(ctx, &applicationpkg.OperationTerminateRequest{Name: &a.Name, AppNamespace: &a.Namespace})
			if c := status.Code(err); c != codes.OK && c != codes.InvalidArgument && c != codes.Internal {
				return nil, s.trouble(ctx, err, r)
			}
		}
		if err := pause(ctx, polling); err != nil {
			return nil, fmt.Errorf("%s: %w", r.act, err)
		}
		var err error
		if now, err = s.get(ctx, id); err != nil || now.Operation == nil || !sameJSON(now.Operation, a.Operation) {
			return now, err
		}
	}
	return nil, soon(nil, r.act, "it does not end")
}

func isTerminating(a *argov1.Application) bool {
	return a.Status.OperationState != nil && a.Status.OperationState.Phase == common.OperationTerminating
}

// ask starts an operation on what the Application tracks.
func (s *Server) ask(ctx context.Context, a *argov1.Application, token string) error {
	prune := prunes(a)
	_, err := s.apps.Sync(ctx, &applicationpkg.ApplicationSyncRequest{
		Name: &a.Name, AppNamespace: &a.Namespace, Prune: &prune,
		Infos: []*argov1.Info{{Name: tokenKey, Value: token}},
	})
	return err
}

// windows adds to a refusal by a sync window which window it is.
func (s *Server) windows(ctx context.Context, a *argov1.Application, refusal error) error {
	t := bot.AsTrouble(refusal)
	w, err := s.apps.GetApplicationSyncWindows(ctx, &applicationpkg.ApplicationSyncWindowsQuery{Name: &a.Name, AppNamespace: &a.Namespace})
	if err != nil {
		return t
	}
	list := w.ActiveWindows
	if len(list) == 0 {
		list = w.AssignedWindows // outside of every allow window
	}
	var names []string
	for _, w := range list {
		names = append(names, fmt.Sprintf("%s %s for %s", w.GetKind(), w.GetSchedule(), w.GetDuration()))
	}
	if len(names) > 0 {
		t.Text = strings.TrimSuffix(t.Text, ".") + " (" + strings.Join(names, "; ") + ")."
	}
	return t
}
