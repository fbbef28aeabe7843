package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Teams answers who belongs to which team, read from GitHub each time.
type Teams interface {
	// Member reports whether a person is an active member of a team, or of one
	// below it; team is "org/slug". TroubleForbidden when Backout may not look,
	// TroubleInvalid when it never can.
	Member(ctx context.Context, repo RepoName, team, login string) (bool, error)
}

// Authorship answers who wrote a change, as far as GitHub knows.
type Authorship interface {
	Authors(ctx context.Context, repo RepoName, c Change) (Authors, error)
}

// Authors are the people who wrote a change.
type Authors struct {
	Logins []string `json:"logins,omitempty"`
	// Unknown is how many of its commits have an author without an account.
	Unknown int `json:"unknown,omitempty"`
}

// authority is by what right somebody speaks.
type authority struct {
	Permission Permission `json:"permission"`
	// Via names the entry of a policy that lets somebody command who may not
	// write ("@acme/sre").
	Via string `json:"via,omitempty"`
	// Lacks says in a sentence what could not be found out, if that is why they
	// may not.
	Lacks string `json:"lacks,omitempty"`
}

// commands reports whether somebody may command something here at all.
func (a authority) commands() bool { return a.Permission.AtLeast(PermissionWrite) || a.Via != "" }

// MarshalJSON writes the permission alone where there is nothing else: that is
// how it was recorded before policies could name commanders.
func (a authority) MarshalJSON() ([]byte, error) {
	if a.Via == "" && a.Lacks == "" {
		return json.Marshal(a.Permission)
	}
	type plain authority
	return json.Marshal(plain(a))
}

// UnmarshalJSON reads both forms.
func (a *authority) UnmarshalJSON(b []byte) error {
	*a = authority{}
	if bytes.HasPrefix(b, []byte(`"`)) {
		return json.Unmarshal(b, &a.Permission)
	}
	type plain authority
	return json.Unmarshal(b, (*plain)(a))
}

// commander finds out whether a policy for one of the repository's Apps lets
// somebody command who may not write. That is a first look: for which Apps is
// looked at where they are known.
func (f *Flow) commander(ctx context.Context, repo RepoName, login string) (via, lacks string, err error) {
	rules, _, err := f.rules(ctx, repo)
	if IsTrouble(err, TroubleNotFound) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("read the policy: %w", err)
	}
	apps, err := f.Ports.Fleet.Apps(ctx)
	if err != nil {
		return "", "", err
	}
	entries := rules.Policy().Commanders
	for _, app := range apps {
		if strings.EqualFold(string(app.Source.Repo), string(repo)) {
			entries = append(entries, rules.Policy(app.ID).Commanders...)
		}
	}
	return f.listed(ctx, repo, unique(entries), login)
}

// unique keeps the first of each entry.
func unique(entries []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, e := range entries {
		if key := strings.ToLower(e); !seen[key] {
			seen[key] = true
			out = append(out, e)
		}
	}
	return out
}

// listed finds the entry of a list ("@alice", "@acme/sre") that a person is or
// belongs to; "" when there is none. Where a team can't be read, nobody is a
// member of it, and lacks says why.
func (f *Flow) listed(ctx context.Context, repo RepoName, entries []string, login string) (via, lacks string, err error) {
	var teams []string
	for _, e := range entries {
		name, account := strings.CutPrefix(e, "@")
		switch {
		case !account: // an e-mail address, or a word that names nobody
		case strings.Contains(name, "/"):
			teams = append(teams, name)
		case login != "" && strings.EqualFold(name, login):
			return e, "", nil
		}
	}
	if login == "" {
		return "", "", nil
	}
	for _, team := range teams {
		if f.Ports.Teams == nil {
			return "", "Teams can't be read here.", nil
		}
		in, err := f.Ports.Teams.Member(ctx, repo, team, login)
		switch {
		case IsTrouble(err, TroubleForbidden), IsTrouble(err, TroubleInvalid), IsTrouble(err, TroubleNotFound):
			t := AsTrouble(err)
			lacks = strings.TrimSpace(t.Text + " " + t.Advice)
		case err != nil:
			return "", "", fmt.Errorf("look whether @%s is in @%s: %w", login, team, err)
		case in:
			return "@" + team, "", nil
		}
	}
	return "", lacks, nil
}

// commanded holds a command by somebody who may not write against the policy of
// the very Apps that it aims at.
func (f *Flow) commanded(ctx context.Context, c Comment, cmd Command, a aim) (aim, error) {
	rules, _, err := f.rules(ctx, c.Repo)
	if err != nil {
		return aim{}, fmt.Errorf("read the policy: %w", err)
	}
	via, lacks, err := f.listed(ctx, c.Repo, rules.Policy(a.Apps...).Commanders, c.Author)
	if err != nil {
		return aim{}, err
	}
	if via == "" {
		return refused(cmd, strings.TrimSpace("Ask somebody who has write permission. "+lacks),
			"You may not write to %s, and the policy of what this change touches does not let you command.", c.Repo), nil
	}
	a.Via = via
	return a, nil
}

// unmergeable makes a decision ask for a second person where whoever commanded
// it could not merge: Backout merges for people only what they could.
func unmergeable(i Incident, d Decision) Decision {
	if i.Via == "" || d.Verb != VerbAct {
		return d
	}
	d.Verb = VerbAsk
	d.Reasons = append([]Reason{{"no-write", fmt.Sprintf("@%s commands by the policy (%s) and could not merge this, so somebody with write permission must approve.", i.Requester, i.Via)}}, d.Reasons...)
	return d
}
