package argo

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"

	"github.com/backout-dev/backout/bot"
)

// The annotations of a hold. They are read by later versions of Backout and by
// people: they may be added to, never renamed.
const (
	ownerKey    = "backout.dev/hold-owner"
	reasonKey   = "backout.dev/hold-reason"
	previousKey = "backout.dev/hold-previous" // JSON of spec.syncPolicy.automated, or null
	deadlineKey = "backout.dev/hold-deadline" // RFC 3339
)

// readHold reads our annotations. A deadline that can't be read is the zero
// time, so the janitor takes it for past: that is the safe direction.
func readHold(a *argov1.Application, id bot.AppID) (bot.Hold, bool) {
	owner := a.Annotations[ownerKey]
	deadline, _ := time.Parse(time.RFC3339, a.Annotations[deadlineKey])
	return bot.Hold{
		App:      id,
		Owner:    bot.RollbackID(owner),
		Reason:   a.Annotations[reasonKey],
		Deadline: deadline,
		Previous: a.Annotations[previousKey],
	}, owner != ""
}

// holds reports whether the hold of an owner is in force.
func holds(a *argov1.Application, owner bot.RollbackID) bool {
	h, ok := readHold(a, bot.AppID{})
	return ok && h.Owner == owner && automated(a) == nil
}

// placing decides about a hold: what to write, or what was found and is left.
// A hold of ours that stands is only renewed: what it remembers is the state
// before us, and must never be written again from the state that we made.
// others is who else may have written the spec.
func placing(a *argov1.Application, l bot.Lease, now time.Time, others string) (p patch, left string, err error) {
	h, held := readHold(a, l.App)
	deadline := l.Deadline.UTC().Truncate(time.Second)
	switch {
	case held && h.Owner != l.Owner:
		passed := ""
		if h.Deadline.Before(now) {
			passed = ", which has passed"
		}
		return nil, fmt.Sprintf("%s is held by %s until %s%s.", titleOf(a), h.Owner, h.Deadline.UTC().Format(time.RFC3339), passed), nil
	case held && automated(a) != nil:
		return nil, fmt.Sprintf("Automated sync of %s was turned on by %s while %s held it off; it stays on.", titleOf(a), others, h.Owner), nil
	case held && h.Reason == l.Reason && h.Deadline.Equal(deadline):
		return nil, "", nil
	}
	p.testOwner(a)
	p.testAutomated(a)
	if !held {
		previous, err := json.Marshal(automated(a))
		if err != nil {
			return nil, "", fmt.Errorf("encode the sync policy: %w", err)
		}
		p.annotate(previousKey, string(previous))
	}
	p.annotate(ownerKey, string(l.Owner))
	p.annotate(reasonKey, l.Reason)
	p.annotate(deadlineKey, deadline.Format(time.RFC3339))
	if automated(a) != nil {
		p.remove(automatedPath)
	}
	return p, "", nil
}

// releasing decides about the end of a hold. A person's off state is never
// turned on: only what we turned off comes back.
func releasing(a *argov1.Application, owner bot.RollbackID, others string) (p patch, left string, err error) {
	h, held := readHold(a, bot.AppID{})
	switch {
	case !held:
		return nil, fmt.Sprintf("No hold stands on %s any more.", titleOf(a)), nil
	case h.Owner != owner:
		return nil, fmt.Sprintf("%s is held by %s.", titleOf(a), h.Owner), nil
	}
	p.testOwner(a)
	p.testAutomated(a)
	for _, key := range []string{ownerKey, reasonKey, previousKey, deadlineKey} {
		if _, ok := a.Annotations[key]; ok {
			p.remove(annotationPath(key))
		}
	}
	if now := automated(a); now != nil {
		text, err := json.Marshal(now)
		if err != nil {
			return nil, "", fmt.Errorf("encode the sync policy: %w", err)
		}
		return p, fmt.Sprintf("Automated sync of %s was turned on by %s while we held it off; it stays %s (before the hold: %s).",
			titleOf(a), others, text, h.Previous), nil
	}
	previous, err := parsePolicy(h.Previous)
	if err != nil {
		return nil, "", bot.NewTrouble(bot.TroubleInvalid, err, "The hold on %s does not say what stood there before.", titleOf(a)).
			WithAdvice("Set spec.syncPolicy.automated by hand and remove the annotations backout.dev/hold-*.")
	}
	if previous != nil {
		p.setAutomated(a, previous)
	}
	return p, "", nil
}

func titleOf(a *argov1.Application) string { return "Application " + a.Namespace + "/" + a.Name }

// parsePolicy reads the annotation back, strictly: somebody may have edited it.
// It returns nil when there was no automated sync.
func parsePolicy(text string) (p *argov1.SyncPolicyAutomated, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	err = d.Decode(&p)
	return p, err
}

// prunes reports whether the Application's own policy deletes what has left
// git. While we hold it, the policy is the one that we remember.
func prunes(a *argov1.Application) bool {
	p := automated(a)
	if h, ok := readHold(a, bot.AppID{}); ok && p == nil {
		p, _ = parsePolicy(h.Previous)
	}
	return p != nil && p.Prune
}
