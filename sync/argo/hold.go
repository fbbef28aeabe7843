package argo

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	applicationpkg "github.com/argoproj/argo-cd/v2/pkg/apiclient/application"
	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/backout-dev/backout/bot"
)

// settle is how long a hold on an Application that something else delivers is
// given to be undone before it is read back.
const settle = time.Second

// Hold turns automated sync off. It may be repeated: the state before the first
// call is kept, reason and deadline are renewed. Placed together with Left means
// that the hold stands while a person's sync is still running.
func (s *Server) Hold(ctx context.Context, l bot.Lease) (bot.Held, error) {
	held := bot.Held{App: l.App}
	if l.Owner == "" || l.Deadline.IsZero() {
		return held, bot.NewTrouble(bot.TroubleInvalid, nil, "A hold on %s needs an owner and a deadline.", nameOf(l.App))
	}
	a, err := s.get(ctx, l.App)
	if err != nil {
		return held, err
	}
	p, left, err := placing(a, l, s.cfg.Now(), s.others(a))
	if err != nil || left != "" {
		held.Left = left
		return held, err
	}
	if p != nil {
		if a, err = s.write(ctx, a, p, "hold"); err != nil {
			return held, err
		}
	}
	if !holds(a, l.Owner) {
		held.Left = fmt.Sprintf("The hold on %s was undone at once by %s.", titleOf(a), s.others(a))
		return held, nil
	}
	held.Placed = true
	held.Left, err = s.quiet(ctx, a)
	return held, err
}

// Release puts automated sync back as it was. Argo CD then applies the head of
// the tracked branch at once, so the caller releases only when that contains the
// revert.
func (s *Server) Release(ctx context.Context, id bot.AppID, owner bot.RollbackID) (bot.Held, error) {
	held := bot.Held{App: id}
	a, err := s.get(ctx, id)
	if err != nil {
		return held, err
	}
	p, left, err := releasing(a, owner, s.others(a))
	held.Left = left
	if err != nil || p == nil {
		return held, err
	}
	held.Placed = true // until it is known to be gone
	if a, err = s.write(ctx, a, p, "release"); err != nil {
		return held, err
	}
	if h, ok := readHold(a, id); ok && h.Owner == owner {
		return held, soon(nil, "release "+nameOf(id), "the hold is there again")
	}
	held.Placed = false
	return held, nil
}

// write patches an Application and reads it back: the server may write an older
// spec over ours when two clients write at once.
func (s *Server) write(ctx context.Context, a *argov1.Application, p patch, verb string) (*argov1.Application, error) {
	id := s.idOf(a)
	r := request{verb + " " + nameOf(id), "update", s.rbacName(a.Spec.GetProject(), id)}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.act, err)
	}
	text, kind := string(body), "json"
	_, err = s.apps.Patch(ctx, &applicationpkg.ApplicationPatchRequest{
		Name: &a.Name, AppNamespace: &a.Namespace, Patch: &text, PatchType: &kind,
	})
	if status.Code(err) == codes.InvalidArgument && s.isVersion2(ctx) {
		s.cfg.Log.Info("patch refused, write without validation", "app", id.String(), "err", err)
		err = s.overwrite(ctx, id, body)
	}
	switch {
	case err != nil && strings.Contains(err.Error(), saysMismatch):
		return nil, s.mismatch(ctx, a, err, r.act)
	case err != nil:
		return nil, s.trouble(ctx, err, r)
	}
	if s.isDelivered(a) {
		if err := pause(ctx, settle); err != nil {
			return nil, fmt.Errorf("%s: %w", r.act, err)
		}
	}
	return s.get(ctx, id)
}

// mismatch explains a patch whose tests did not hold: the Application was
// changed after it was read, or it has what we can't see.
func (s *Server) mismatch(ctx context.Context, read *argov1.Application, cause error, act string) error {
	now, err := s.get(ctx, s.idOf(read))
	switch {
	case err != nil:
		return err
	case sameJSON(read.Spec.SyncPolicy, now.Spec.SyncPolicy) && read.Annotations[ownerKey] == now.Annotations[ownerKey] &&
		(len(read.Annotations) == 0) == (len(now.Annotations) == 0):
		return bot.NewTrouble(bot.TroubleInvalid, cause, "Argo CD could not %s: its sync policy has fields that we don't know and could not restore.", act).
			WithAdvice("Turn automated sync off and on by hand, or set hold: never for it.")
	}
	return soon(cause, act, "it was changed at the same time")
}

func nameOf(id bot.AppID) string { return "Application " + id.Namespace + "/" + id.Name }

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
