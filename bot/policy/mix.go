package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// Codeowners stands among the approvers for the owners of the touched paths.
const Codeowners = "codeowners"

// nobody stands alone among the approvers where the Apps of one Rollback have
// none in common: an empty list would mean whoever may write.
const nobody = "nobody"

// mix is the most careful of two policies. Only the time that their sync and
// their checks get is the longest. The checks are those of the first, since each
// App's own are sampled App by App.
func mix(p, q bot.Policy) bot.Policy {
	p.Alerts, p.Commands = moreCareful(modes, p.Alerts, q.Alerts), moreCareful(modes, p.Commands, q.Commands)
	p.Hold, p.Unprotected = moreCareful(holds, p.Hold, q.Hold), moreCareful(unprotected, p.Unprotected, q.Unprotected)
	p.Mitigate, p.Images = moreCareful(mitigates, p.Mitigate, q.Mitigate), moreCareful(images, p.Images, q.Images)
	p.Merge = moreCareful(merges, p.Merge, q.Merge)
	p.MaxAffected, p.PerDay = min(p.MaxAffected, q.MaxAffected), min(p.PerDay, q.PerDay)
	p.BreakAfter, p.Cooldown = tighter(p.BreakAfter, q.BreakAfter), max(p.Cooldown, q.Cooldown)
	p.BlameWindow, p.HoldFor = min(p.BlameWindow, q.BlameWindow), min(p.HoldFor, q.HoldFor)
	p.ApproveWithin, p.MergeWithin = min(p.ApproveWithin, q.ApproveWithin), min(p.MergeWithin, q.MergeWithin)
	p.SyncWithin, p.VerifyWithin = max(p.SyncWithin, q.SyncWithin), max(p.VerifyWithin, q.VerifyWithin)
	p.Commanders, p.Approvers = common(p.Commanders, q.Commanders), approvers(p.Approvers, q.Approvers)
	p.Guards = mixGuards(p.Guards, q.Guards)
	p.Freezes = union(p.Freezes, q.Freezes, func(a, b bot.Freeze) int {
		return cmp.Or(strings.Compare(a.Cron, b.Cron), cmp.Compare(a.For, b.For), strings.Compare(a.Zone, b.Zone), strings.Compare(a.Reason, b.Reason), compareBools(a.Limit, b.Limit))
	})
	p.Custom = union(p.Custom, q.Custom, func(a, b bot.CustomGuard) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.When, b.When), strings.Compare(string(a.Verb), string(b.Verb)),
			strings.Compare(a.Text, b.Text), strings.Compare(string(a.Override), string(b.Override)), compareBools(a.Limit, b.Limit))
	})
	p.Migrations = union(p.Migrations, q.Migrations, strings.Compare)
	p.Notify = union(p.Notify, q.Notify, strings.Compare)
	p.Unforceable = union(p.Unforceable, q.Unforceable, strings.Compare)
	return p
}

// moreCareful returns the one of two words that stands earlier in order. A word
// that is not in it counts as the most careful one.
func moreCareful[T comparable](order []T, a, b T) T {
	return order[max(0, min(slices.Index(order, a), slices.Index(order, b)))]
}

// tighter is the smaller of two bounds of which 0 is none.
func tighter(a, b int) int {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// common keeps who is in both lists.
func common(a, b []string) []string {
	var out []string
	for _, who := range a {
		if slices.Contains(b, who) {
			out = append(out, who)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// approvers mixes two lists of which an empty one means whoever may write.
func approvers(a, b []string) []string {
	switch {
	case len(a) == 0:
		a = b
	case len(b) > 0:
		if a = common(a, b); len(a) == 0 {
			return []string{nobody}
		}
	}
	a = slices.Clone(a)
	slices.Sort(a)
	return slices.Compact(a)
}

// mixGuards keeps of each guard the more careful verb. What only one of the two
// names is compared with the guard's own verb.
func mixGuards(a, b map[string]bot.Verb) map[string]bot.Verb {
	var out map[string]bot.Verb
	keep := func(name string, verb bot.Verb) {
		if out == nil {
			out = map[string]bot.Verb{}
		}
		out[name] = verb
	}
	for _, name := range slices.Concat(sortedNames(a), sortedNames(b)) {
		v, inA := a[name]
		w, inB := b[name]
		g, _ := builtIn(name)
		switch {
		case inA && inB:
			keep(name, careful(v, w))
		case inA && v.Before(g.boldest()):
			keep(name, v)
		case inB && w.Before(g.boldest()):
			keep(name, w)
		}
	}
	return out
}

// careful is the more careful of two verbs.
func careful(a, b bot.Verb) bot.Verb {
	if b.Before(a) {
		return b
	}
	return a
}

// union is what is in either list, in one order whichever comes first.
func union[T comparable](a, b []T, by func(T, T) int) []T {
	out := slices.Concat(a, b)
	slices.SortFunc(out, by)
	return slices.Compact(out)
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
