package fakehub

import (
	"fmt"
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
	Strict         bool     // the head must contain the base's tip
	Approvals      int      // by people with write access, not the author
	CodeOwners     []string // one of them must approve, whatever the files
	Conversations  bool     // conversations must be resolved: see Repo.Discuss
	DismissStale   bool     // a push takes approvals away
	RequirePR      bool     // no direct push, even where nothing else is asked
	LinearHistory  bool     // no merge commits
	Methods        []string // merge methods that a ruleset allows; default all
	MergeQueue     bool     // merges only through the queue
	QueueMethod    string   // how the queue merges; default the repository's first
	QueueAtOnce    bool     // the queue builds groups when something is queued, not at BuildQueue
	Ruleset        bool     // a ruleset rather than classic protection
	Name           string   // of the ruleset; default the branch
	// Bypass names users, and Apps by slug, to whom none of it applies.
	Bypass []string
	// BypassMode is what a ruleset tells those: "always" (the default),
	// "pull_requests_only" or "exempt". They may merge in each.
	BypassMode string
}

// required is what the checks must be; nothing where there are no rules.
func (p *protection) required() []RequiredCheck {
	if p == nil {
		return nil
	}
	return p.RequiredChecks
}

// wantsPR tells that nothing gets in but by a pull request.
func (p *protection) wantsPR() bool { return p.RequirePR || p.wantsReview() || p.MergeQueue }

// wantsReview tells that people must approve.
func (p *protection) wantsReview() bool { return p.Approvals > 0 || len(p.CodeOwners) > 0 }

// refusePush says why a branch would not take this push, or nothing.
func (r *Repo) refusePush(by *account, u refUpdate) []string {
	branch, ok := strings.CutPrefix(u.name, "refs/heads/")
	if ok && u.new != "" && r.queuedFrom(branch) != nil {
		return []string{queueLock}
	}
	rules := r.rulesFor(by, branch)
	if !ok || rules == nil || u.old == "" {
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
	if p != nil && p.Ruleset {
		return "Repository rule violations found\n\n" + strings.Join(why, "\n\n") + "\n\n"
	}
	return strings.Join(why, " ")
}
