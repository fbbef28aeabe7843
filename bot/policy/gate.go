package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// settle is how long others' running checks are waited for where nothing is
// required.
const settle = 2 * time.Minute

// Gate implements bot.Rules: the merge gate table of docs/design.md. Whatever state GitHub may
// add later is waited out, never merged.
func (r *Rules) Gate(g bot.GateCase) bot.GateCall {
	switch {
	case g.WantHead == "" || g.WantTree == "":
		return stop("unpinned", "It is not known which commit was verified, so nothing is merged.")
	case g.Gate.Head != g.WantHead || g.Gate.Tree != g.WantTree:
		return stop("pushed", "Somebody pushed to the revert's branch, so it is no longer what was verified.")
	}
	if call, still := r.standsStill(g); still {
		return call
	}
	if g.Gate.InQueue {
		return wait("queued", "It is in the merge queue of %s.", g.Branch.Name)
	}
	switch g.Gate.State {
	case "CLEAN", "HAS_HOOKS", "UNSTABLE":
		if want := unmet(g); len(want) > 0 {
			return wait("required", "Waiting: %s.", strings.Join(want, "; "))
		}
		return open(g)
	case "BLOCKED":
		return closed(g)
	case "BEHIND":
		return bot.GateCall{Do: bot.GateUpdate, Reason: bot.Reason{Name: "behind", Text: "The branch must contain the newest base before it may merge."}}
	case "DIRTY":
		return bot.GateCall{Do: bot.GateRecompute, Reason: bot.Reason{Name: "dirty", Text: "The base moved and conflicts with the revert."}}
	case "DRAFT":
		return stop("draft", "The revert was turned into a draft.")
	default:
		return wait("unknown", "GitHub is still computing whether the revert can merge.")
	}
}

// closed decides where GitHub blocks the merge.
func closed(g bot.GateCase) bot.GateCall {
	want := missing(g)
	switch {
	case g.Branch.MergeQueue && len(want) == 0:
		// A branch with a queue blocks every direct merge.
		return bot.GateCall{Do: bot.GateEnqueue, Reason: bot.Reason{Name: "queue", Text: g.Branch.Name + " merges through a merge queue."}}
	case g.Policy.Merge == autoMerge && !g.Branch.MergeQueue && !g.Gate.Armed && len(want) > 0:
		return bot.GateCall{Do: bot.GateArm, Reason: bot.Reason{Name: "auto-merge", Text: "GitHub merges it once nothing is missing. " + waiting(want)}}
	case g.Gate.Armed:
		return wait("armed", "GitHub merges it once nothing is missing. %s", waiting(want))
	}
	return wait("blocked", "%s", waiting(want))
}

// autoMerge is the policy that arms GitHub's own auto-merge.
const autoMerge = "github-auto"

// open decides where GitHub itself would let the merge through.
func open(g bot.GateCase) bot.GateCall {
	if g.Branch.MergeQueue {
		return bot.GateCall{Do: bot.GateEnqueue, Reason: bot.Reason{Name: "queue", Text: "All gates are green; " + g.Branch.Name + " merges through a merge queue."}}
	}
	if g.Branch.Protected {
		return merge("green", "All gates are green.")
	}
	running := names(g.Gate.Checks, func(c bot.GateCheck) bool { return !c.Ours && !c.Done })
	if len(running) > 0 && g.Waited < settle {
		return wait("settling", "%s requires nothing before a merge; giving %s time to finish.", g.Branch.Name, strings.Join(running, ", "))
	}
	switch {
	case g.Policy.Unprotected == "all":
		return merge("unprotected", "Nothing protects %s, and the policy merges there all the same.", g.Branch.Name)
	case g.Policy.Unprotected == "commands" && g.Command:
		return merge("unprotected", "Nothing protects %s; it is merged because a person asked for it.", g.Branch.Name)
	case g.Policy.Unprotected == "commands":
		return stop("unprotected", "Nothing protects %s, and the policy merges there only for a person's command.", g.Branch.Name)
	}
	return stop("unprotected", "Nothing protects %s, and the policy does not merge there.", g.Branch.Name)
}

// unmet lists what is required, as far as the checks themselves tell. It also
// doubts a GitHub that calls a pull request mergeable: its states lag.
func unmet(g bot.GateCase) []string {
	var want []string
	for _, c := range g.Gate.Checks {
		switch {
		case !required(g.Branch, c) || c.Done && c.Passed:
		case c.Ours:
			if g.Gate.State == "BLOCKED" {
				want = append(want, fmt.Sprintf("check %s is Backout's own and ends after the merge: take it off the required checks", c.Name))
			}
		case !c.Done:
			want = append(want, fmt.Sprintf("check %s is running", c.Name))
		default:
			want = append(want, fmt.Sprintf("check %s failed", c.Name))
		}
	}
	if g.Gate.ReviewDecision == "CHANGES_REQUESTED" {
		want = append(want, "a reviewer asked for changes")
	}
	return want
}

// required reports whether a check must pass. Where the branch names a source,
// a check of the same name by anybody else does not count, whatever GitHub
// calls it: it looks at the name.
func required(b bot.Branch, c bot.GateCheck) bool {
	named := false
	for _, r := range b.RequiredChecks {
		if r.By(c) {
			return true
		}
		named = named || r.Name == c.Name
	}
	return c.Required && !named
}

// missing is what GitHub still wants, as far as it says.
func missing(g bot.GateCase) []string {
	want := unmet(g)
	for _, r := range g.Branch.RequiredChecks {
		if !slices.ContainsFunc(g.Gate.Checks, r.By) {
			want = append(want, fmt.Sprintf("check %s has not begun", r.Name))
		}
	}
	if g.Gate.ReviewDecision == "REVIEW_REQUIRED" {
		want = append(want, "an approving review is required")
	}
	return want
}

func waiting(want []string) string {
	if len(want) == 0 {
		return "GitHub blocks the merge without saying why; see the pull request."
	}
	return "Waiting: " + strings.Join(want, "; ") + "."
}

func names(checks []bot.GateCheck, keep func(bot.GateCheck) bool) []string {
	var out []string
	for _, c := range checks {
		if keep(c) {
			out = append(out, c.Name)
		}
	}
	return out
}

func merge(name, format string, args ...any) bot.GateCall {
	return bot.GateCall{Do: bot.GateMerge, Reason: bot.Reason{Name: name, Text: fmt.Sprintf(format, args...)}}
}

func wait(name, format string, args ...any) bot.GateCall {
	return bot.GateCall{Do: bot.GateWait, Reason: bot.Reason{Name: name, Text: fmt.Sprintf(format, args...)}}
}

func stop(name, format string, args ...any) bot.GateCall {
	return bot.GateCall{Do: bot.GateStop, Reason: bot.Reason{Name: name, Text: fmt.Sprintf(format, args...)}}
}
