package fakehub

import (
	"fmt"
	"slices"
	"strings"
)

// RequiredCheck is a check that a branch asks for before a merge.
type RequiredCheck struct {
	Context string // name of the check run or context of the status
	App     *App   // that must report it; nil: anybody
}

// Protection is what a branch asks for. It is shown as classic branch
// protection or as a ruleset, and enforced alike.
type Protection struct {
	RequiredChecks []RequiredCheck
	Strict         bool // the head must contain the base's tip
	Approvals      int  // by people with write access, not the author
	DismissStale   bool // a push takes approvals away
	RequirePR      bool // no direct push, even where nothing else is asked
	LinearHistory  bool // no merge commits
	MergeQueue     bool // merges only through the queue
	Ruleset        bool // a ruleset rather than classic protection
	// Bypass names users, and Apps by slug, to whom none of it applies.
	Bypass []string
}

type protection struct {
	Protection
	id int64
}

// Protect sets what a branch asks for, in place of what it asked before.
func (r *Repo) Protect(branch string, p Protection) {
	r.hub.lock()
	defer r.hub.unlock()
	r.protections[branch] = &protection{Protection: p, id: r.hub.nextID()}
}

// Unprotect lets anybody with write access push and merge.
func (r *Repo) Unprotect(branch string) {
	r.hub.lock()
	defer r.hub.unlock()
	delete(r.protections, branch)
}

// rules of a branch, or nil.
func (r *Repo) rules(branch string) *protection { return r.protections[branch] }

// bypassedBy tells whether the rules don't bind this account.
func (p *protection) bypassedBy(a *account) bool {
	return slices.ContainsFunc(p.Bypass, func(name string) bool {
		return strings.EqualFold(name, strings.TrimSuffix(a.login, "[bot]")) || strings.EqualFold(name, a.login)
	})
}

// wantsPR tells that nothing gets in but by a pull request.
func (p *protection) wantsPR() bool { return p.RequirePR || p.Approvals > 0 || p.MergeQueue }

// refusePush says why a branch would not take this push, or nothing.
func (r *Repo) refusePush(by *account, u refUpdate) []string {
	branch, ok := strings.CutPrefix(u.name, "refs/heads/")
	rules := r.rules(branch)
	if !ok || rules == nil || rules.bypassedBy(by) || u.old == "" {
		return nil
	}
	var why []string
	switch {
	case u.new == "":
		return []string{"Cannot delete this protected branch"}
	case rules.wantsPR():
		why = append(why, "Changes must be made through a pull request.")
	}
	if m := r.missingChecks(rules, u.new); m != "" {
		why = append(why, m)
	}
	return why
}

// missingChecks says which required checks a commit has not passed, in the
// words of GitHub's merge box, or nothing.
func (r *Repo) missingChecks(rules *protection, sha string) string {
	count := map[string]int{}
	var one string
	missing := 0
	for _, want := range rules.RequiredChecks {
		switch state := r.checkState(sha, want); state {
		case "SUCCESS":
			continue
		default:
			missing++
			word := map[string]string{"": "expected", "PENDING": "pending", "FAILURE": "failing"}[state]
			count[word]++
			if one == "" {
				verb := "is"
				one = fmt.Sprintf("Required status check %q %s %s.", want.Context, verb, word)
			}
		}
	}
	total := len(rules.RequiredChecks)
	switch {
	case missing == 0:
		return ""
	case total == 1:
		return one
	case count["expected"] == missing:
		return fmt.Sprintf("%d of %d required status checks are expected.", missing, total)
	}
	var parts []string
	for _, word := range []string{"expected", "failing", "pending"} {
		if count[word] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[word], word))
		}
	}
	return fmt.Sprintf("%d of %d required status checks have not succeeded: %s.", missing, total, strings.Join(parts, " and "))
}

func approvalsNeeded(n int) string {
	noun, verb := "review", "is"
	if n > 1 {
		noun, verb = "reviews", "are"
	}
	return fmt.Sprintf("At least %d approving %s %s required by reviewers with write access.", n, noun, verb)
}

// phrase joins refusals as the two flavours of protection say them.
func (p *protection) phrase(why []string) string {
	if p.Ruleset {
		return "Repository rule violations found\n\n" + strings.Join(why, "\n\n") + "\n\n"
	}
	return strings.Join(why, " ")
}
