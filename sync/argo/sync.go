package argo

import (
	"context"
	"errors"
	"fmt"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/backout-dev/backout/bot"
)

// step is what Sync does next.
type step string

const (
	stepDone step = "done" // applied, or being applied
	stepWait step = "wait" // somebody's operation is under way
	stepStop step = "stop" // an operation hangs on an older commit
	stepAsk  step = "ask"
	stepSick step = "sick" // the head can't be compared
)

// Sync has the head of what the Application tracks applied now. It returns when
// that is under way, not when it is done.
//
// It refreshes first; that alone makes Argo CD sync by itself where automated
// sync is on and no window forbids it. Then:
//
//   - the operation under way, or the last one, carries token: nothing more;
//   - everything is in sync with the head, or the head is being applied: nothing;
//   - Argo CD, or an earlier call of ours, is still applying an older commit: that
//     operation is stopped. Otherwise its retries and its waiting for health go on
//     with the old commit, and the revert is not applied (argo-cd#11494);
//   - a person's operation is under way: TroubleStale, to be tried again;
//   - else a sync is asked for, to what is tracked and without a SHA, which automated
//     sync would refuse.
func (s *Server) Sync(ctx context.Context, id bot.AppID, token string) error {
	if token == "" {
		return bot.NewTrouble(bot.TroubleInvalid, nil, "A sync of %s needs a token.", nameOf(id))
	}
	a, err := s.get(ctx, id)
	if err != nil {
		return err
	}
	if carries(a, token) {
		return nil
	}
	if a, err = s.refresh(ctx, id); err != nil {
		return err
	}
	act := "sync " + nameOf(id)
	// Argo CD may begin an operation between any two of our calls, so look
	// again a few times; after that the caller does.
	for range 3 {
		switch next(a, token) {
		case stepDone:
			return nil
		case stepWait:
			return busy(nil, act, fmt.Sprintf("a sync that %s started is under way", initiator(a.Operation)))
		case stepSick:
			return bot.NewTrouble(bot.TroubleTransient, errors.New(s.message(a)), "Argo CD can't compare %s with its branch.", nameOf(id)).
				WithAdvice("Open the Application in Argo CD and read its conditions.")
		case stepStop:
			if a, err = s.stop(ctx, a); err != nil {
				return err
			}
		case stepAsk:
			err := s.ask(ctx, a, token)
			if !isBusy(err) {
				return s.asked(ctx, err, a, act)
			}
			if a, err = s.get(ctx, id); err != nil {
				return err
			}
		}
	}
	return busy(nil, act, "operations follow each other")
}

// asked turns the answer to a request for a sync into ours.
func (s *Server) asked(ctx context.Context, err error, a *argov1.Application, act string) error {
	if err == nil {
		return nil
	}
	t := s.trouble(ctx, err, request{act, "sync", s.rbacName(a.Spec.GetProject(), s.idOf(a))})
	if isWindow(err) {
		return s.windows(ctx, a, t)
	}
	return t
}

// next decides from a freshly refreshed Application.
func next(a *argov1.Application, token string) step {
	sync := a.Status.Sync
	if o := a.Operation; o != nil {
		switch {
		case tokenOf(o) == token:
			return stepDone
		case isTerminating(a):
			return stepWait
		case isStuckOnOld(a):
			return stepStop
		case isFull(o) && sameJSON(runs(a), revisions(sync.Revision, sync.Revisions)):
			return stepDone
		}
		return stepWait
	}
	switch {
	case carries(a, token), sync.Status == argov1.SyncStatusCodeSynced:
		return stepDone
	case sync.Status == argov1.SyncStatusCodeOutOfSync:
		return stepAsk
	}
	return stepSick
}
