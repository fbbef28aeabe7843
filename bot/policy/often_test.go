package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
)

// ended is a Rollback of web that ended some time before noon.
func ended(verdict bot.Verdict, ago time.Duration, apps ...string) bot.Ended {
	e := bot.Ended{ID: "rb-0", At: noon.Add(-ago), Verdict: verdict}
	for _, name := range apps {
		e.Apps = append(e.Apps, appID(name))
	}
	return e
}

// TestCooldown, with its edges: an alert is acted on from the very end of it.
func TestCooldown(t *testing.T) {
	r := rulesOf(t, auto) // 30 minutes
	for name, tt := range map[string]struct {
		ended bot.Ended
		holds bool
	}{
		"just over":          {ended(bot.VerdictVerified, 30*time.Minute, "web"), false},
		"almost over":        {ended(bot.VerdictVerified, 30*time.Minute-1, "web"), true},
		"one of several":     {ended(bot.VerdictVerified, time.Minute, "api", "web"), true},
		"another App's":      {ended(bot.VerdictVerified, time.Minute, "api"), false},
		"whatever it led to": {ended(bot.VerdictNotFixed, time.Minute, "web"), true},
		// A clock that was wrong must not end it.
		"in the future": {ended(bot.VerdictVerified, -time.Hour, "web"), true},
		"an ID as good": {bot.Ended{At: noon.Add(-time.Minute), Apps: []bot.AppID{appID("web")}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := onAlert()
			c.Now, c.Ended = noon, []bot.Ended{tt.ended}
			if tt.holds {
				check(t, r.Decide(c), bot.VerbPropose, "cooldown")
			} else {
				check(t, r.Decide(c), bot.VerbAct)
			}
			// Who commands knows what happened.
			c.Incident = onCommand().Incident
			check(t, r.Decide(c), bot.VerbAct)
		})
	}
	none := auto
	none.Cooldown, none.BreakAfter = ptr(Duration(0)), ptr(0)
	c := onAlert()
	c.Now, c.Ended = noon, []bot.Ended{ended(bot.VerdictVerified, 0, "web")}
	check(t, rulesOf(t, none).Decide(c), bot.VerbAct)
}

// TestCircuitBreaker: failures count in a row, newest first, for a day.
func TestCircuitBreaker(t *testing.T) {
	r := rulesOf(t, auto) // three
	bad := func(v bot.Verdict, hours int) bot.Ended { return ended(v, time.Duration(hours)*time.Hour, "other") }
	for name, tt := range map[string]struct {
		ended []bot.Ended
		open  bool
	}{
		"three in a row":           {[]bot.Ended{bad(bot.VerdictNotFixed, 1), bad(bot.VerdictFailed, 2), bad(bot.VerdictUnverified, 3)}, true},
		"two in a row":             {[]bot.Ended{bad(bot.VerdictNotFixed, 1), bad(bot.VerdictNeedsHuman, 2)}, false},
		"one verified since":       {[]bot.Ended{bad(bot.VerdictVerified, 1), bad(bot.VerdictFailed, 2), bad(bot.VerdictFailed, 3), bad(bot.VerdictFailed, 4)}, false},
		"one verified in between":  {[]bot.Ended{bad(bot.VerdictFailed, 1), bad(bot.VerdictFailed, 2), bad(bot.VerdictVerified, 3), bad(bot.VerdictFailed, 4)}, false},
		"a day has passed":         {[]bot.Ended{bad(bot.VerdictFailed, 1), bad(bot.VerdictFailed, 2), bad(bot.VerdictFailed, 24)}, false},
		"not quite a day":          {[]bot.Ended{bad(bot.VerdictFailed, 1), bad(bot.VerdictFailed, 2), bad(bot.VerdictFailed, 23)}, true},
		"people's own ends aside":  {[]bot.Ended{bad(bot.VerdictFailed, 1), bad(bot.VerdictCancelled, 2), bad(bot.VerdictProposed, 3), bad(bot.VerdictFailed, 4), bad(bot.VerdictFailed, 5)}, true},
		"an end that is not known": {[]bot.Ended{bad("surprise", 1), bad("", 2), bad(bot.VerdictFailed, 3)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := onAlert()
			c.Now, c.Ended = noon, tt.ended
			want := []string(nil)
			verb := bot.VerbAct
			if tt.open {
				verb, want = bot.VerbPropose, []string{"circuit-breaker"}
			}
			check(t, r.Decide(c), verb, want...)
			c.Incident = onCommand().Incident
			check(t, r.Decide(c), bot.VerbAct)
		})
	}
	never := auto
	never.BreakAfter = ptr(0)
	c := onAlert()
	c.Now, c.Ended = noon, slices.Repeat([]bot.Ended{bad(bot.VerdictFailed, 1)}, 9)
	check(t, rulesOf(t, never).Decide(c), bot.VerbAct)
}

// TestOverallCap counts all repositories, whatever one of them says.
func TestOverallCap(t *testing.T) {
	j := judge(t, Server{Defaults: auto, PerDayOverall: ptr(3)})
	r := j.Read("a/b", found("version: 1\ndefaults: {per_day: 1000, guards: {cap: act}}"))
	c := onCommand()
	c.Overall = 2
	check(t, r.Decide(c), bot.VerbAct)
	c.Overall = 3
	check(t, r.Decide(c), bot.VerbPropose, "cap-overall")
	c.Forced, c.Forcer = true, bot.PermissionAdmin
	check(t, r.Decide(c), bot.VerbPropose, "cap-overall")
	c.Overall, c.Forced = 1<<40, false
	check(t, rulesOf(t, auto).Decide(c), bot.VerbAct)
}

// freezing is a policy with a freeze on the day of noon, a Monday, from eleven
// to one in Zurich, which is ten to twelve UTC.
const freezing = "version: 1\ndefaults: {alerts: auto, commands: auto, freezes: [{cron: '0 11 * * MON', for: 2h, zone: Europe/Zurich, reason: release}]}"

// TestFreeze: while it holds nothing merges, from its first moment to its last,
// and people are told until when.
func TestFreeze(t *testing.T) {
	r := judge(t, Server{}).Read("a/b", found(freezing))
	gate := func(at time.Time) bot.GateCall {
		g := ready()
		g.Policy, g.Now = r.Policy(appID("web")), at
		return r.Gate(g)
	}
	for at, frozen := range map[time.Duration]bool{-2 * time.Hour: true, -2*time.Hour - 1: false, -1: true, 0: false} {
		call := gate(noon.Add(at))
		if got := call.Do == bot.GateFreeze; got != frozen || !frozen && call.Do != bot.GateMerge {
			t.Errorf("%v: the gate says %+v", at, call)
		}
		if want := "until Mon 2 Mar 13:00 CET (release)"; frozen && !strings.Contains(call.Reason.Text, want) {
			t.Errorf("%v: %q does not say %q", at, call.Reason.Text, want)
		}
	}
	// At the decision it is foreseen, and decides nothing.
	c := onCommand()
	c.Now = noon.Add(-time.Hour)
	check(t, r.Decide(c), bot.VerbAct, "frozen")
	c.Now = noon
	check(t, r.Decide(c), bot.VerbAct)
}

// TestFreezeThatIsNotUnderstoodHolds.
func TestFreezeThatIsNotUnderstoodHolds(t *testing.T) {
	r := rulesOf(t, auto)
	g := ready()
	g.Policy.Freezes, g.Now = []bot.Freeze{{Cron: "whenever"}}, noon
	if call := r.Gate(g); call.Do != bot.GateFreeze {
		t.Errorf("the gate says %+v", call)
	}
}

// TestFreezeTakesBack what was left to GitHub, and concerns no proposal: that,
// people merge.
func TestFreezeTakesBack(t *testing.T) {
	r := judge(t, Server{}).Read("a/b", found(freezing))
	g := ready()
	g.Policy, g.Now = r.Policy(appID("web")), noon.Add(-1)
	for name, change := range map[string]func(*bot.GateCase){
		"queued": func(g *bot.GateCase) { g.Gate.InQueue = true },
		"armed":  func(g *bot.GateCase) { g.Gate.Armed, g.Gate.State = true, "BLOCKED" },
	} {
		h := g
		change(&h)
		if call := r.Gate(h); call.Do != bot.GateFreeze {
			t.Errorf("%s: the gate says %+v", name, call)
		}
	}
	g.Verb = bot.VerbPropose
	if call := r.Gate(g); call.Do != bot.GateMerge {
		t.Errorf("a proposal: the gate says %+v", call)
	}
	g.Approved = true
	if call := r.Gate(g); call.Do != bot.GateFreeze {
		t.Errorf("an approved proposal: the gate says %+v", call)
	}
}

// TestForcePassesFreezes of the repository, by who may, and none of the server's.
func TestForcePassesFreezes(t *testing.T) {
	limit := Server{Limits: Limits{LimitSettings: LimitSettings{Freezes: []FreezeSettings{{Cron: "0 11 * * MON", For: Duration(2 * time.Hour)}}}}}
	for name, tt := range map[string]struct {
		server          Server
		forced, command bool
		may             bot.Permission
		do              string
	}{
		"maintain":             {Server{}, true, true, bot.PermissionMaintain, bot.GateMerge},
		"admin":                {Server{}, true, true, bot.PermissionAdmin, bot.GateMerge},
		"write":                {Server{}, true, true, bot.PermissionWrite, bot.GateFreeze},
		"nothing is known":     {Server{}, true, true, "", bot.GateFreeze},
		"not asked for":        {Server{}, false, true, bot.PermissionAdmin, bot.GateFreeze},
		"no command":           {Server{}, true, false, bot.PermissionAdmin, bot.GateFreeze},
		"the server's own one": {limit, true, true, bot.PermissionAdmin, bot.GateFreeze},
	} {
		t.Run(name, func(t *testing.T) {
			r := judge(t, tt.server).Read("a/b", found(freezing))
			g := ready()
			g.Policy, g.Now = r.Policy(appID("web")), noon.Add(-30*time.Minute)
			g.Forced, g.Command, g.Forcer = tt.forced, tt.command, tt.may
			if call := r.Gate(g); call.Do != tt.do {
				t.Errorf("the gate says %+v, want %s", call, tt.do)
			}
		})
	}
}

// TestGateKeepsThePolicyOfNow: what was allowed at the decision and is not now
// does not merge, and what is not known does not either.
func TestGateKeepsThePolicyOfNow(t *testing.T) {
	r := rulesOf(t, auto)
	changed := bot.Reason{Name: "mode", Text: "The policy has changed since."}
	for name, tt := range map[string]struct {
		verb     bot.Verb
		why      bot.Reason
		approved bool
		broken   string
		do, says string
	}{
		"as it was":                        {verb: bot.VerbAct, do: bot.GateMerge, says: "green"},
		"asks now":                         {verb: bot.VerbAsk, why: changed, do: bot.GateFreeze, says: "mode"},
		"asks now, and was approved":       {verb: bot.VerbAsk, why: changed, approved: true, do: bot.GateMerge, says: "green"},
		"proposes now":                     {verb: bot.VerbPropose, why: changed, do: bot.GateFreeze, says: "mode"},
		"observes now, though approved":    {verb: bot.VerbObserve, why: changed, approved: true, do: bot.GateFreeze, says: "mode"},
		"refuses now, though approved":     {verb: bot.VerbRefuse, why: changed, approved: true, do: bot.GateFreeze, says: "mode"},
		"nothing is known":                 {do: bot.GateFreeze, says: "mode"},
		"a verb that is not known":         {verb: "yolo", approved: true, do: bot.GateFreeze, says: "mode"},
		"the file is broken":               {verb: bot.VerbAct, broken: "line 1", do: bot.GateFreeze, says: guardBroken},
		"the file is broken, and approved": {verb: bot.VerbPropose, approved: true, broken: "line 1", do: bot.GateFreeze, says: guardBroken},
		"the file is broken, a proposal":   {verb: bot.VerbPropose, broken: "line 1", do: bot.GateMerge, says: "green"}, // the flow leaves that to people
	} {
		t.Run(name, func(t *testing.T) {
			g := ready()
			g.Verb, g.Why, g.Approved, g.Policy.Broken = tt.verb, tt.why, tt.approved, tt.broken
			if call := r.Gate(g); call.Do != tt.do || call.Reason.Name != tt.says {
				t.Errorf("the gate says %+v, want %s for %s", call, tt.do, tt.says)
			}
			g.Gate.Head = "pushed"
			if call := r.Gate(g); call.Do != bot.GateStop {
				t.Errorf("though somebody pushed, the gate says %+v", call)
			}
		})
	}
}
