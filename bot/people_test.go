package bot

import (
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// crowd is who may do what, who is in which team, and who wrote what.
type crowd struct {
	History
	Rules
	policy  Policy
	may     map[string]Permission
	teams   map[string][]string // members by team
	deaf    error               // instead of an answer about teams
	authors Authors
	files   fstest.MapFS
	broken  error // instead of owners
	asked   []string
}

func (c *crowd) Permission(_ context.Context, _ RepoName, login string) (Permission, error) {
	return c.may[login], nil
}

func (c *crowd) Member(_ context.Context, _ RepoName, team, login string) (bool, error) {
	c.asked = append(c.asked, team+"/"+login)
	for _, m := range c.teams[team] {
		if m == login {
			return true, nil
		}
	}
	return false, c.deaf
}

func (c *crowd) Authors(context.Context, RepoName, Change) (Authors, error) { return c.authors, nil }

func (c *crowd) Default(context.Context, RepoName) (string, error)      { return "main", nil }
func (c *crowd) Resolve(context.Context, RepoName, string) (SHA, error) { return "head", nil }
func (c *crowd) Tree(context.Context, RepoName, SHA) (fs.FS, error)     { return c.files, nil }
func (c *crowd) Read(RepoName, PolicyFile) Rules                        { return c }
func (c *crowd) Policy(...AppID) Policy                                 { return c.policy }

// Owners reads lines of "path owner…".
func (c *crowd) Owners(file []byte, paths []string) ([][]string, error) {
	out := make([][]string, len(paths))
	for i, p := range paths {
		for line := range strings.Lines(string(file)) {
			if w := strings.Fields(line); len(w) > 0 && w[0] == p {
				out[i] = w[1:]
			}
		}
	}
	return out, c.broken
}

func (c *crowd) flow() *Flow {
	return NewFlow(Config{
		Ports: Ports{People: c, Teams: c, Authorship: c, Owners: c, History: c, Judge: c, Fleet: &Fleet{}},
		Now:   time.Now, Log: slog.New(slog.DiscardHandler),
	})
}

func TestListed(t *testing.T) {
	forbidden := NewTrouble(TroubleForbidden, nil, "Team acme/sre can't be read").WithAdvice("grant members")
	for _, tt := range []struct {
		name    string
		entries []string
		login   string
		deaf    error
		via     string
		lacks   string
		asked   int
	}{
		{name: "nobody is named", login: "dan"},
		{name: "a user", entries: []string{"@Dan"}, login: "dan", via: "@Dan"},
		{name: "a word that is no account", entries: []string{"nobody", "dan@example.com"}, login: "nobody"},
		{name: "another user", entries: []string{"@dana"}, login: "dan"},
		{name: "a member", entries: []string{"@acme/sre"}, login: "dan", via: "@acme/sre", asked: 1},
		{name: "a member of the second", entries: []string{"@acme/web", "@acme/sre"}, login: "dan", via: "@acme/sre", asked: 2},
		{name: "no member", entries: []string{"@acme/sre"}, login: "eve", asked: 1},
		{name: "a team named as the user", entries: []string{"@dan/sre"}, login: "dan", asked: 1},
		{name: "nobody asks", entries: []string{"@acme/sre", "@"}, login: ""},
		{name: "a team that can't be read has no members", entries: []string{"@acme/web"}, login: "dan", deaf: forbidden, lacks: "grant members", asked: 1},
		{name: "a user beside a team that can't be read", entries: []string{"@acme/web", "@dan"}, login: "dan", deaf: forbidden, via: "@dan"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &crowd{teams: map[string][]string{"acme/sre": {"dan"}}, deaf: tt.deaf}
			via, lacks, err := c.flow().listed(t.Context(), "acme/fleet", tt.entries, tt.login)
			if err != nil || via != tt.via || !strings.Contains(lacks, tt.lacks) || (lacks != "") != (tt.lacks != "") || len(c.asked) != tt.asked {
				t.Errorf("via %q, lacks %q, %v, asked %v", via, lacks, err, c.asked)
			}
		})
	}
}

// TestTeamsThatCannotBeReadNow: trouble that may pass is no answer, but a reason
// to ask again.
func TestTeamsThatCannotBeReadNow(t *testing.T) {
	c := &crowd{deaf: NewTrouble(TroubleTransient, nil, "GitHub is away")}
	if via, _, err := c.flow().listed(t.Context(), "acme/fleet", []string{"@acme/sre"}, "dan"); via != "" || !IsTrouble(err, TroubleTransient) {
		t.Errorf("via %q, %v", via, err)
	}
	f := c.flow()
	f.Ports.Teams = nil
	if via, lacks, err := f.listed(t.Context(), "acme/fleet", []string{"@acme/sre"}, "dan"); via != "" || lacks == "" || err != nil {
		t.Errorf("without teams: via %q, lacks %q, %v", via, lacks, err)
	}
}

// TestMayApprove: by whom an approval counts, and that everything that can't be
// read counts against it.
func TestMayApprove(t *testing.T) {
	const owned = "apps/web @dan @acme/web\napps/cart @acme/cart\n"
	ask := func(requester, via string) Record {
		return Record{Rollback: Rollback{Repo: "acme/fleet", Culprit: Change{PR: 4, Author: "bob"}, Incident: Incident{Kind: IncidentCommand, Requester: requester, Via: via}}}
	}
	alert := Record{Rollback: Rollback{Repo: "acme/fleet", Culprit: Change{PR: 4, Author: "bob"}, Incident: Incident{Kind: IncidentAlert}}}
	touching := func(r Record, paths ...string) Record {
		r.View = &View{Changed: paths}
		return r
	}
	for _, tt := range []struct {
		name     string
		rec      Record
		by       string
		comment  Comment
		list     []string
		authors  Authors
		file     string
		broken   error
		deaf     error
		via, why string // why "" is yes
	}{
		{name: "whoever may write", rec: ask("ann", ""), by: "carl"},
		{name: "who may only read", rec: ask("ann", ""), by: "eve", why: "write permission"},
		{name: "the same person", rec: ask("ann", ""), by: "Ann", why: "who asked"},
		{name: "the same person, though listed", rec: ask("dan", ""), by: "dan", list: []string{"@dan"}, why: "who asked"},
		{name: "the author, for a command", rec: ask("ann", ""), by: "bob"},
		{name: "the author, for an alert", rec: alert, by: "Bob", why: "author"},
		{name: "who wrote one of its commits", rec: alert, by: "carl", authors: Authors{Logins: []string{"bob", "Carl"}}, why: "author"},
		{name: "the author, though listed", rec: alert, by: "bob", list: []string{"@bob"}, why: "author"},
		{name: "somebody else, for an alert", rec: alert, by: "carl", authors: Authors{Logins: []string{"bob"}}},
		{name: "an author who is not known", rec: alert, by: "carl", authors: Authors{Unknown: 1}, why: "does not know who wrote"},
		{name: "an author who is not known, by a maintainer", rec: alert, by: "mia", authors: Authors{Unknown: 1}},
		{name: "by a bot", rec: ask("ann", ""), by: "carl", comment: Comment{AuthorIsBot: true}, why: "own hand"},
		{name: "through an App", rec: ask("ann", ""), by: "carl", comment: Comment{Via: "deploy"}, why: "own hand"},

		{name: "a listed user", rec: ask("ann", ""), by: "carl", list: []string{"@carl"}, via: "@carl"},
		{name: "not listed", rec: ask("ann", ""), by: "mia", list: []string{"@carl"}, why: "only @carl approve"},
		{name: "a listed team", rec: ask("ann", ""), by: "dan", list: []string{"@acme/sre"}, via: "@acme/sre"},
		{name: "a team that can't be read", rec: ask("ann", ""), by: "carl", list: []string{"@acme/ops"}, deaf: NewTrouble(TroubleForbidden, nil, "Team acme/ops can't be read"), why: "can't be read"},
		{name: "listed without write, for an alert", rec: alert, by: "dan", list: []string{"@dan"}, why: "could merge"},
		{name: "listed without write, beside one who commands by the policy", rec: ask("dora", "@acme/sre"), by: "dan", list: []string{"@dan"}, why: "could merge"},
		{name: "write, beside one who commands by the policy", rec: ask("dora", "@acme/sre"), by: "carl"},

		{name: "an owner of the path", rec: touching(ask("ann", ""), "apps/web"), by: "dan", list: []string{codeowners}, file: owned, via: codeowners},
		{name: "an owner by team", rec: touching(ask("ann", ""), "apps/web", "apps/cart"), by: "wes", list: []string{codeowners}, file: owned, via: codeowners},
		{name: "an owner of one path of two", rec: touching(ask("ann", ""), "apps/web", "apps/cart"), by: "dan", list: []string{codeowners}, file: owned, why: "apps/cart is owned by"},
		{name: "no owner", rec: touching(ask("ann", ""), "apps/web"), by: "mia", list: []string{codeowners}, file: owned, why: "apps/web is owned by"},
		{name: "a path that nobody owns, with write", rec: touching(ask("ann", ""), "README"), by: "carl", list: []string{codeowners}, file: owned, via: codeowners},
		{name: "a path that nobody owns, without", rec: touching(ask("ann", ""), "README"), by: "dan", list: []string{codeowners}, file: owned, why: "needs write"},
		{name: "a list beside the owners", rec: touching(ask("ann", ""), "apps/web"), by: "carl", list: []string{codeowners, "@carl"}, file: owned, via: "@carl"},
		{name: "no CODEOWNERS file", rec: touching(ask("ann", ""), "apps/web"), by: "mia", list: []string{codeowners}, why: "no CODEOWNERS"},
		{name: "a broken CODEOWNERS file", rec: touching(ask("ann", ""), "apps/web"), by: "dan", list: []string{codeowners}, file: owned, broken: NewTrouble(TroubleInvalid, nil, "line 3"), why: "can't be understood: line 3"},
		{name: "paths that are not known", rec: ask("ann", ""), by: "carl", list: []string{codeowners}, file: owned, why: "not known which files"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &crowd{
				policy: Policy{Approvers: tt.list}, authors: tt.authors, broken: tt.broken, deaf: tt.deaf, files: fstest.MapFS{},
				may:   map[string]Permission{"ann": "write", "Ann": "write", "bob": "write", "Bob": "write", "carl": "write", "mia": "maintain", "eve": "read"},
				teams: map[string][]string{"acme/sre": {"dan", "dora"}, "acme/web": {"wes"}, "acme/cart": {"wes"}},
			}
			if tt.file != "" {
				c.files[".github/CODEOWNERS"] = &fstest.MapFile{Data: []byte(tt.file)}
			}
			tt.comment.Author = tt.by
			via, why, err := c.flow().mayApprove(t.Context(), tt.rec, tt.comment, authority{Permission: c.may[tt.by]})
			if err != nil || via != tt.via || !strings.Contains(why, tt.why) || (why != "") != (tt.why != "") {
				t.Errorf("via %q, why %q, %v", via, why, err)
			}
		})
	}
}

// TestWhoWroteItIsNotKnown: without a way to ask, a name in a commit is nobody.
func TestWhoWroteItIsNotKnown(t *testing.T) {
	f := (&crowd{}).flow()
	f.Ports.Authorship = nil
	for _, tt := range []struct {
		pr   int
		may  Permission
		want bool // may approve
	}{{4, "write", true}, {0, "write", false}, {0, "maintain", true}} {
		why, err := f.mayHaveWritten(t.Context(), Rollback{Culprit: Change{PR: tt.pr, Author: "Bob B."}}, "carl", tt.may)
		if err != nil || (why == "") != tt.want {
			t.Errorf("%+v: %q, %v", tt, why, err)
		}
	}
}

// TestAuthorityIsRecordedAsBefore: journals from before there were commanders
// hold a permission alone, and ordinary ones still do.
func TestAuthorityIsRecordedAsBefore(t *testing.T) {
	for _, tt := range []struct {
		a    authority
		want string
	}{
		{authority{Permission: "write"}, `"write"`},
		{authority{}, `""`},
		{authority{Permission: "read", Via: "@acme/sre"}, `{"permission":"read","via":"@acme/sre"}`},
		{authority{Permission: "read", Lacks: "teams"}, `{"permission":"read","lacks":"teams"}`},
	} {
		b, err := json.Marshal(tt.a)
		if err != nil || string(b) != tt.want {
			t.Errorf("%+v is %s, %v", tt.a, b, err)
		}
		var back authority
		if err := json.Unmarshal(b, &back); err != nil || back != tt.a {
			t.Errorf("%s is read as %+v, %v", b, back, err)
		}
	}
	var s state
	if err := json.Unmarshal([]byte(`[{"id":"rb-1"}]`), &s); err != nil || len(s.Records) != 1 {
		t.Errorf("a status as it was: %+v, %v", s, err)
	}
	if err := json.Unmarshal([]byte(`{"records":null,"frozen":"x"}`), &s); err != nil || s.Frozen != "x" || s.Records != nil {
		t.Errorf("a status as it is: %+v, %v", s, err)
	}
}

// TestEntitledRightBeforeTheMerge: on whose word may be merged, as people and
// policy are then.
func TestEntitledRightBeforeTheMerge(t *testing.T) {
	const yes, no = true, false
	type who struct {
		login    string
		may      Permission
		approved bool
	}
	for _, tt := range []struct {
		name    string
		parties []who
		via     string // by which the first commanded
		policy  Policy
		verb    Verb
		deaf    error
		lacks   string // who is not entitled
		why     string
	}{
		{name: "nobody, for an alert", verb: VerbAct},
		{name: "who may write", parties: []who{{"ann", "write", no}}, verb: VerbAct},
		{name: "who may not any more", parties: []who{{"ann", "read", no}}, verb: VerbAct, lacks: "ann"},
		{name: "whose permission is not known", parties: []who{{"ann", "", no}}, verb: VerbAct, lacks: "ann"},
		{name: "both write", parties: []who{{"ann", "write", no}, {"carl", "write", yes}}, verb: VerbAsk},
		{name: "the approver not any more", parties: []who{{"ann", "write", no}, {"carl", "read", yes}}, verb: VerbAsk, lacks: "carl"},
		{name: "an alert's approver", parties: []who{{"carl", "write", yes}}, verb: VerbPropose},
		{name: "an alert's approver not any more", parties: []who{{"carl", "read", yes}}, verb: VerbPropose, lacks: "carl"},
		{name: "the approver is no more on the list", parties: []who{{"ann", "write", no}, {"carl", "write", yes}}, policy: Policy{Approvers: []string{"@dan"}}, verb: VerbAsk, lacks: "carl", why: "does not count any more"},
		{name: "the approver by a team", parties: []who{{"ann", "write", no}, {"dan", "read", yes}}, policy: Policy{Approvers: []string{"@acme/sre"}}, verb: VerbAsk},
		{name: "the approver by a team, and the first may write no more", parties: []who{{"ann", "read", no}, {"dan", "read", yes}}, policy: Policy{Approvers: []string{"@acme/sre"}}, verb: VerbAsk, lacks: "ann"},
		{name: "by the policy, with an approver", parties: []who{{"dora", "read", no}, {"carl", "write", yes}}, via: "@acme/sre", policy: Policy{Commanders: []string{"@acme/sre"}}, verb: VerbAsk},
		{name: "by the policy, proposed", parties: []who{{"dora", "read", no}}, via: "@acme/sre", policy: Policy{Commanders: []string{"@acme/sre"}}, verb: VerbPropose},
		{name: "by the policy, and no approver", parties: []who{{"dora", "read", no}}, via: "@acme/sre", policy: Policy{Commanders: []string{"@acme/sre"}}, verb: VerbAct, lacks: "dora"},
		{name: "out of the team", parties: []who{{"eve", "read", no}, {"carl", "write", yes}}, via: "@acme/sre", policy: Policy{Commanders: []string{"@acme/sre"}}, verb: VerbAsk, lacks: "eve", why: "no longer lets them"},
		{name: "the team out of the policy", parties: []who{{"dora", "read", no}, {"carl", "write", yes}}, via: "@acme/sre", verb: VerbAsk, lacks: "dora", why: "no longer lets them"},
		{name: "the team can't be read any more", parties: []who{{"eve", "read", no}, {"carl", "write", yes}}, via: "@acme/sre", policy: Policy{Commanders: []string{"@acme/sre"}}, deaf: NewTrouble(TroubleForbidden, nil, "Team can't be read"), verb: VerbAsk, lacks: "eve", why: "can't be read"},
		{name: "by the policy, and the approver could not merge", parties: []who{{"dora", "read", no}, {"dan", "read", yes}}, via: "@acme/sre", policy: Policy{Commanders: []string{"@acme/sre"}, Approvers: []string{"@dan"}}, verb: VerbAsk, lacks: "dan", why: "Nobody on whose word"},
		{name: "in the team, and may write by now", parties: []who{{"dora", "write", no}}, via: "@acme/sre", verb: VerbAct},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &crowd{teams: map[string][]string{"acme/sre": {"dan", "dora"}}, deaf: tt.deaf}
			r := &run{Flow: c.flow(), rb: Rollback{Repo: "acme/fleet", Incident: Incident{Via: tt.via}}, plan: Plan{Decision: Decision{Verb: tt.verb}}}
			var parties []party
			for _, p := range tt.parties {
				parties = append(parties, party{p.login, p.may, p.approved})
			}
			login, why, err := r.entitled(t.Context(), tt.policy, parties)
			if err != nil || login != tt.lacks || !strings.Contains(why, tt.why) {
				t.Errorf("%q is not entitled, since %q, %v", login, why, err)
			}
		})
	}
}

// TestUnmergeable: what a person could not merge, a second one must approve.
func TestUnmergeable(t *testing.T) {
	for _, tt := range []struct {
		via  string
		verb Verb
		want Verb
	}{
		{"", VerbAct, VerbAct},
		{"@acme/sre", VerbAct, VerbAsk},
		{"@acme/sre", VerbAsk, VerbAsk},
		{"@acme/sre", VerbPropose, VerbPropose},
		{"@acme/sre", VerbRefuse, VerbRefuse},
		{"@acme/sre", VerbObserve, VerbObserve},
	} {
		d := unmergeable(Incident{Requester: "dan", Via: tt.via}, Decision{Verb: tt.verb})
		if d.Verb != tt.want || (len(d.Reasons) > 0) != (tt.verb != tt.want) {
			t.Errorf("%+v: %+v", tt, d)
		}
	}
}

// TestCommandedByThePolicyOfTheVeryApps: who may command something may not
// command everything.
func TestCommandedByThePolicyOfTheVeryApps(t *testing.T) {
	c := &crowd{teams: map[string][]string{"acme/sre": {"dan"}}, policy: Policy{Commanders: []string{"@acme/sre"}}}
	for login, want := range map[string]string{"dan": "@acme/sre", "eve": ""} {
		a, err := c.flow().commanded(t.Context(), Comment{Repo: "acme/fleet", Author: login}, Command{}, aim{})
		if err != nil || a.Via != want || (a.Refusal == nil) != (want != "") {
			t.Errorf("%s: %+v, %v", login, a, err)
		}
	}
	via, _, err := c.flow().commander(t.Context(), "acme/fleet", "dan")
	if err != nil || via != "@acme/sre" {
		t.Errorf("at first: %q, %v", via, err)
	}
}
