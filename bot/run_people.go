package bot

import (
	"context"
	"fmt"
)

// party is a person on whose word a merge rests.
type party struct {
	login    string
	may      Permission
	approved bool // by approving; otherwise by asking for it
}

// parties are whoever asked for the Rollback and whoever approved it, in that
// order.
func (r *run) parties(approved *Word) []party {
	var out []party
	if login := r.rb.Incident.Requester; login != "" {
		out = append(out, party{login: login})
	}
	if approved != nil {
		out = append(out, party{login: approved.By, approved: true})
	}
	return out
}

// entitled holds the people on whose word the merge rests against the policy as
// it is now. It returns the one who may no longer give it, and why. Whoever
// commands by the policy alone needs somebody beside them who could merge.
func (r *run) entitled(ctx context.Context, p Policy, parties []party) (login, why string, err error) {
	mergers := 0 // who could merge it themselves
	for _, x := range parties {
		if x.may.AtLeast(PermissionWrite) {
			mergers++
		}
	}
	for _, x := range parties {
		switch {
		case x.approved:
			via, why, err := r.approver(ctx, r.rb.Repo, p, r.view.Changed, x.may, x.login)
			if err != nil {
				return "", "", err
			}
			if via == "" && x.may.AtLeast(PermissionWrite) {
				return x.login, fmt.Sprintf("The approval of @%s does not count any more. %s", x.login, why), nil
			}
			if via == "" {
				return x.login, "", nil
			}
		case x.may.AtLeast(PermissionWrite):
		default:
			via, lacks, err := r.listed(ctx, r.rb.Repo, p.Commanders, x.login)
			switch {
			case err != nil:
				return "", "", err
			case via == "" && r.rb.Incident.Via != "":
				return x.login, fmt.Sprintf("@%s commanded this as %s, which no longer lets them. %s", x.login, r.rb.Incident.Via, lacks), nil
			case via == "" || mergers == 0 && len(parties) == 1 && r.plan.Decision.Verb == VerbAct:
				return x.login, "", nil
			}
		}
	}
	if n := len(parties); n > 0 && mergers == 0 && parties[n-1].approved {
		return parties[len(parties)-1].login, "Nobody on whose word this rests may write to the repository any more, so Backout does not merge for them.", nil
	}
	return "", "", nil
}

// revoked is entitled where nothing is merged anyway: it names whoever has lost
// the write permission by which they asked.
func (r *run) revoked(parties []party) string {
	for _, x := range parties {
		if !x.may.AtLeast(PermissionWrite) && !x.approved && r.rb.Incident.Via == "" {
			return x.login
		}
	}
	return ""
}
