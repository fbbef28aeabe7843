package fakehub

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// protection is one set of rules on a branch, or several added up.
type protection struct {
	Protection
	id     int64
	layers []*protection // what it is the sum of
}

// Protect sets what a branch asks for, in place of what it asked before.
func (r *Repo) Protect(branch string, p Protection) {
	r.hub.lock()
	defer r.hub.unlock()
	delete(r.rulesets, branch)
	r.protections[branch] = &protection{Protection: p, id: r.hub.nextID()}
}

// AddRuleset puts one more ruleset on a branch, beside what it has, and returns
// its ID. All of them must be met, as on GitHub.
func (r *Repo) AddRuleset(branch string, p Protection) int64 {
	r.hub.lock()
	defer r.hub.unlock()
	p.Ruleset = true
	set := &protection{Protection: p, id: r.hub.nextID()}
	r.rulesets[branch] = append(r.rulesets[branch], set)
	return set.id
}

// Unprotect lets anybody with write access push and merge.
func (r *Repo) Unprotect(branch string) {
	r.hub.lock()
	defer r.hub.unlock()
	delete(r.protections, branch)
	delete(r.rulesets, branch)
}

// layersOf lists the sets of rules on a branch.
func (r *Repo) layersOf(branch string) []*protection {
	var list []*protection
	if p := r.protections[branch]; p != nil {
		list = append(list, p)
	}
	return append(list, r.rulesets[branch]...)
}

// classic is a branch's classic protection, or nil.
func (r *Repo) classic(branch string) *protection {
	if p := r.protections[branch]; p != nil && !p.Ruleset {
		return p
	}
	return nil
}

// rulesetsOf lists a branch's rulesets.
func (r *Repo) rulesetsOf(branch string) []*protection {
	return slices.DeleteFunc(r.layersOf(branch), func(p *protection) bool { return !p.Ruleset })
}

// allRulesets lists the rulesets of the repository by ID, with their branches.
func (r *Repo) allRulesets() (sets []*protection, branches map[int64]string) {
	branches = map[int64]string{}
	for _, branch := range slices.Collect(maps.Keys(r.protections)) {
		for _, p := range r.rulesetsOf(branch) {
			branches[p.id] = branch
			sets = append(sets, p)
		}
	}
	for branch, list := range r.rulesets {
		for _, p := range list {
			if branches[p.id] == "" {
				branches[p.id] = branch
				sets = append(sets, p)
			}
		}
	}
	slices.SortFunc(sets, func(a, b *protection) int { return cmp.Compare(a.id, b.id) })
	return sets, branches
}

// rules is what a branch asks for all in all, or nil.
func (r *Repo) rules(branch string) *protection { return add(r.layersOf(branch)) }

// rulesFor is what a branch asks of one account: what it may bypass is left
// out.
func (r *Repo) rulesFor(a *account, branch string) *protection {
	return add(slices.DeleteFunc(r.layersOf(branch), func(p *protection) bool { return p.bypassedBy(a) }))
}

// add sums rules up: each must be met.
func add(layers []*protection) *protection {
	if len(layers) < 2 {
		return cmp.Or(layers...)
	}
	sum := &protection{Protection: layers[0].Protection, id: layers[0].id, layers: layers}
	for _, p := range layers[1:] {
		sum.RequiredChecks = append(slices.Clone(sum.RequiredChecks), p.RequiredChecks...)
		sum.CodeOwners = append(slices.Clone(sum.CodeOwners), p.CodeOwners...)
		sum.Approvals = max(sum.Approvals, p.Approvals)
		sum.Strict = sum.Strict || p.Strict
		sum.Conversations = sum.Conversations || p.Conversations
		sum.DismissStale = sum.DismissStale || p.DismissStale
		sum.RequirePR = sum.RequirePR || p.RequirePR
		sum.LinearHistory = sum.LinearHistory || p.LinearHistory
		sum.MergeQueue = sum.MergeQueue || p.MergeQueue
		sum.QueueMethod = cmp.Or(sum.QueueMethod, p.QueueMethod)
		sum.QueueAtOnce = sum.QueueAtOnce || p.QueueAtOnce
		sum.Ruleset = sum.Ruleset && p.Ruleset
		if len(p.Methods) > 0 {
			kept := slices.DeleteFunc(slices.Clone(p.Methods), func(m string) bool {
				return len(sum.Methods) > 0 && !slices.Contains(sum.Methods, m)
			})
			sum.Methods = kept
		}
	}
	return sum
}

// bypassedBy tells whether none of the rules binds this account.
func (p *protection) bypassedBy(a *account) bool {
	if len(p.layers) > 0 {
		return !slices.ContainsFunc(p.layers, func(l *protection) bool { return !l.bypassedBy(a) })
	}
	return slices.ContainsFunc(p.Bypass, func(name string) bool {
		return strings.EqualFold(name, strings.TrimSuffix(a.login, "[bot]")) || strings.EqualFold(name, a.login)
	})
}

// bypassFor is current_user_can_bypass.
func (p *protection) bypassFor(a *account) string {
	if a == nil || !p.bypassedBy(a) {
		return "never"
	}
	return cmp.Or(p.BypassMode, "always")
}
