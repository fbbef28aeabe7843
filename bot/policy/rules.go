package policy

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// Rules are the policies of a server.
type Rules struct {
	defaults bot.Policy
	apps     []AppSettings
}

var _ bot.Judge = (*Rules)(nil)

// New checks the settings. Its error names every entry that is wrong and what
// is allowed there.
func New(defaults Settings, apps []AppSettings) (*Rules, error) {
	errs := []error{defaults.check("policy.defaults")}
	for i, a := range apps {
		where := fmt.Sprintf("policy.apps[%d]", i)
		errs = append(errs, checkMatch(where, a.Match), a.check(where))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	r := &Rules{defaults: Default(), apps: slices.Clone(apps)}
	defaults.apply(&r.defaults)
	return r, nil
}

// checkMatch refuses a glob that can match no App: an entry without effect
// would leave an App with less care than its owners asked for.
func checkMatch(where, match string) error {
	parts := strings.Split(match, "/")
	if _, err := path.Match(match, "x"); err != nil || len(parts) != 4 || slices.Contains(parts, "") {
		return fmt.Errorf("%s.match: %q is not a glob over cluster/Kind/namespace/name, such as prod/Kustomization/flux-system/*", where, match)
	}
	for _, kind := range []bot.AppKind{bot.KindKustomization, bot.KindHelmRelease, bot.KindApplication} {
		if ok, err := path.Match(parts[1], string(kind)); ok && err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s.match: %q names no kind of App: Kustomization, HelmRelease or Application", where, match)
}

// Policy implements bot.Judge. Of several Apps broken by one commit, the most
// careful setting counts, in whatever order they come; only the time that
// their sync and their checks get is the longest. The checks are those of the
// first, since each App's own are sampled App by App. Without an App the
// defaults count.
func (r *Rules) Policy(ids ...bot.AppID) bot.Policy {
	if len(ids) == 0 {
		p := r.defaults
		p.Checks = slices.Clone(p.Checks)
		return p
	}
	p := r.of(ids[0])
	for _, id := range ids[1:] {
		q := r.of(id)
		p.Alerts, p.Commands = moreCareful(modes, p.Alerts, q.Alerts), moreCareful(modes, p.Commands, q.Commands)
		p.Hold, p.Unprotected = moreCareful(holds, p.Hold, q.Hold), moreCareful(unprotected, p.Unprotected, q.Unprotected)
		p.Merge = moreCareful(merges, p.Merge, q.Merge)
		p.MaxAffected, p.PerDay = min(p.MaxAffected, q.MaxAffected), min(p.PerDay, q.PerDay)
		p.BlameWindow, p.HoldFor = min(p.BlameWindow, q.BlameWindow), min(p.HoldFor, q.HoldFor)
		p.ApproveWithin, p.MergeWithin = min(p.ApproveWithin, q.ApproveWithin), min(p.MergeWithin, q.MergeWithin)
		p.SyncWithin, p.VerifyWithin = max(p.SyncWithin, q.SyncWithin), max(p.VerifyWithin, q.VerifyWithin)
	}
	return p
}

// moreCareful returns the one of two words that stands earlier in order. A word
// that is not in it counts as the most careful one.
func moreCareful[T comparable](order []T, a, b T) T {
	return order[max(0, min(slices.Index(order, a), slices.Index(order, b)))]
}

// of is the policy of one App.
func (r *Rules) of(id bot.AppID) bot.Policy {
	p := r.defaults
	p.Checks = slices.Clone(p.Checks)
	for _, a := range r.apps {
		if ok, err := path.Match(a.Match, id.String()); ok && err == nil {
			a.apply(&p)
		}
	}
	return p
}
