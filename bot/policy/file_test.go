package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// example is a policy file with every key.
const example = `version: 1
defaults:
  alerts: propose
  commands: auto
  hold: auto
  mitigate: ask
  unprotected: commands
  merge: backout
  commanders: ["@acme/sre", "@ann"]
  approvers: [codeowners, "@acme/sre"]
  guards: {stateful: refuse, prune: act, cooldown: refuse}
  custom_guards:
    - {name: by-a-machine, when: culprit.automated, verb: ask, text: An automation made the change., override: maintain}
  max_affected: 5
  per_day: 20
  cooldown: 30m
  break_after: 3
  freezes:
    - {cron: "0 16 * * FRI", for: 64h, zone: Europe/Zurich, reason: weekend}
  blame_window: 30m
  hold_for: 30m
  approve_within: 24h
  merge_within: 1h
  sync_within: 15m
  verify_within: 10m
  migrations: ["db/*.up"]
  images: hold
  checks:
    - {name: errors, query: 'rate(errors[2m])', operator: "<", threshold: 0.05, for: 2m}
  notify: [sre-chat]
apps:
  - match: prod/*/*/payments
    alerts: observe
`

func TestParseFile(t *testing.T) {
	f, lines, problems := ParseFile([]byte(example), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if f.Version != 1 || *f.Defaults.Alerts != bot.ModePropose || len(f.Apps) != 1 || *f.Apps[0].Alerts != bot.ModeObserve {
		t.Errorf("file is %+v", f)
	}
	for path, want := range map[string]int{"version": 1, "defaults.alerts": 3, "defaults.guards.prune": 11, "apps[0].alerts": 33, "apps[0].gone": 32, "nowhere": 0} {
		if got := lines.Line(path); got != want {
			t.Errorf("%s is on line %d, want %d", path, got, want)
		}
	}
}

// TestProblemsOfAFile: each is told with its line and what to do.
func TestProblemsOfAFile(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // the beginnings of the problems
	}{
		{"nothing", "", []string{"the policy file is empty"}},
		{"comments only", "# nothing\n", []string{"the policy file is empty"}},
		{"no YAML", "version: [", []string{"parse policy file: yaml: line 1:"}},
		{"no text", "version: 1\x00", []string{"the policy file is no text"}},
		{"a word", "hello", []string{"line 1: the policy file: a section belongs here, with keys of these: apps, defaults, version"}},
		{"no version", "defaults: {}", []string{"version: missing; write version: 1"}},
		{"a version of the future", "version: 2", []string{"line 1: version: 2; this Backout reads version 1"}},
		{"a second document", "version: 1\n---\nversion: 1", []string{"line 2: a second document begins here; the policy file is one document"}},
		{"an unknown key", "version: 1\ndefault: {}", []string{"line 2: unknown key default; did you mean defaults?"}},
		{"an unknown key, deep", "version: 1\napps:\n- match: '*/*/*/*'\n  alert: auto", []string{"line 4: unknown key apps[0].alert; did you mean alerts?"}},
		{"a key of the server", "version: 1\nlimits: {}", []string{"line 2: unknown key limits; known here: apps, defaults, version"}},
		{"a key twice", "version: 1\ndefaults: {hold: auto, hold: never}", []string{"line 2: key defaults.hold stands twice"}},
		{"a merge key", "version: 1\ndefaults: {<<: {hold: auto}}", []string{"line 2: unknown key defaults.<<"}},
		{"a mode", "version: 1\ndefaults:\n  alerts: yolo", []string{`line 3: defaults.alerts: "yolo" is none of observe, propose, approve, auto`}},
		{"a pattern for no App", "version: 1\napps:\n- match: prod", []string{`line 3: apps[0].match: "prod" is not a glob over`}},
		{"no pattern", "version: 1\napps:\n- alerts: auto", []string{`line 3: apps[0].match: "" is not a glob over`}},
		{"a guard", "version: 1\ndefaults:\n  guards: {statefull: ask}", []string{`line 3: defaults.guards.statefull: there is no guard "statefull"; did you mean stateful?`}},
		{"a guard's verb", "version: 1\ndefaults:\n  guards:\n    stateful: observe", []string{`line 4: defaults.guards.stateful: "observe" is none of refuse, propose, ask, act`}},
		{"a guard that nobody overrides", "version: 1\ndefaults: {guards: {bypass: act, not-confident: refuse}}", []string{"line 2: defaults.guards.bypass: act; nobody may override bypass, so it can only be made more careful than refuse"}},
		{"people", "version: 1\ndefaults:\n  commanders: [ann, codeowners]\n  approvers: ['@acme/SRE team']", []string{
			`line 3: defaults.commanders[0]: "ann" is neither a user (@alice) nor a team (@acme/sre)`, `line 3: defaults.commanders[1]: "codeowners" is neither`,
			`line 4: defaults.approvers[0]: "@acme/SRE team" is neither a user (@alice) nor a team (@acme/sre), or codeowners`,
		}},
		{"a custom guard of nothing", "version: 1\ndefaults:\n  custom_guards:\n  - {}", []string{
			`line 4: defaults.custom_guards[0].name: "";`, `line 4: defaults.custom_guards[0].verb: "" is none of refuse, propose, ask`,
			"line 4: defaults.custom_guards[0].text: missing;", "line 4: defaults.custom_guards[0].when: missing;",
		}},
		{"custom guards", "version: 1\ndefaults:\n  custom_guards:\n  - {name: pvc, when: 'true', verb: ask, text: t}\n  - {name: a, when: 'culprit.athor == \"x\"', verb: act, text: t, override: write}\n  - {name: a, when: 'true', verb: ask, text: t}\n  - {name: mode, when: 'true', verb: ask, text: t}", []string{
			`line 4: defaults.custom_guards[0].name: "pvc" is the name of a built-in rule`,
			`line 5: defaults.custom_guards[1].verb: "act" is none of`, `line 5: defaults.custom_guards[1].override: "write" is none of maintain, admin`, "line 5: defaults.custom_guards[1]: when: 1:8: undefined field",
			`line 6: defaults.custom_guards[2].name: "a" is used twice`, `line 7: defaults.custom_guards[3].name: "mode" is the name of`,
		}},
		{"freezes", "version: 1\ndefaults:\n  freezes:\n  - {cron: '0 16 * * FRI'}\n  - {cron: often, for: 1h}\n  - {cron: '0 16 * * FRI', for: 1h, zone: Mars/Olympus}", []string{
			"line 4: defaults.freezes[0]: a freeze needs cron", "line 5: defaults.freezes[1]: cron:", "line 6: defaults.freezes[2]: zone:",
		}},
		{"a duration", "version: 1\ndefaults: {cooldown: -5m}", []string{`line 2: defaults.cooldown: "-5m" is not a duration:`}},
		{"numbers", "version: 1\ndefaults: {break_after: -1, per_day: -1, max_affected: -1}", []string{"line 2: defaults.max_affected: -1;", "line 2: defaults.per_day: -1;", "line 2: defaults.break_after: -1; it can't be less than 0 (0 means never)"}},
		{"words", "version: 1\ndefaults: {mitigate: now, images: keep, merge: me}", []string{`line 2: defaults.mitigate: "now" is none of`, `line 2: defaults.merge: "me" is none of`, `line 2: defaults.images: "keep" is none of`}},
		{"patterns and targets", "version: 1\ndefaults: {migrations: ['['], notify: ['https://evil.example']}", []string{`line 2: defaults.migrations[0]: "[" is no file name pattern`, `line 2: defaults.notify[0]: "https://evil.example" can't be the name of a target`}},
		{"a query", "version: 1\ndefaults:\n  checks:\n  - {name: a, query: bad, operator: '<'}", []string{"line 4: defaults.checks[0]: that can't be asked"}},
		{"all sorts at once, by line", "version: 1\napps:\n- match: x\n  hold: x\ndefault: 1", []string{"line 3: apps[0].match:", "line 4: apps[0].hold:", "line 5: unknown key default"}},
	}
	query := func(c bot.Check) error {
		if c.Query == "bad" {
			return fmt.Errorf("that can't be asked")
		}
		return nil
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, problems := ParseFile([]byte(tt.text), query)
			ok := len(problems) == len(tt.want)
			for i := range min(len(problems), len(tt.want)) {
				ok = ok && strings.HasPrefix(problems[i].Error(), tt.want[i])
			}
			if !ok {
				t.Errorf("problems are\n%v\nwant\n%s", problems, strings.Join(tt.want, "\n"))
			}
		})
	}
}

func judge(t testing.TB, s Server) *Judge {
	t.Helper()
	j, err := Open(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func found(text string) bot.PolicyFile { return bot.PolicyFile{Found: true, Text: []byte(text)} }

// TestFileWinsOverTheServer, key by key; where there is none, the server's word
// counts.
func TestFileWinsOverTheServer(t *testing.T) {
	j := judge(t, Server{Defaults: Settings{Commands: ptr(bot.ModeApprove), PerDay: ptr(7)}, Apps: []AppSettings{{Match: "*/*/*/web", Settings: Settings{Hold: ptr("always")}}}})
	if p := j.Read("acme/fleet", bot.PolicyFile{}).Policy(appID("web")); p.Commands != bot.ModeApprove || p.Hold != "always" || p.PerDay != 7 {
		t.Errorf("without a file: %+v", p)
	}
	p := j.Read("acme/fleet", found("version: 1\ndefaults: {hold: never}\napps: [{match: '*/*/*/web', commands: auto}]")).Policy(appID("web"))
	if p.Commands != bot.ModeAuto || p.Hold != "never" || p.PerDay != 7 {
		t.Errorf("with a file: %+v", p)
	}
}

// TestBrokenFileFailsClosed: whatever the server allows, and though the file says
// more, alerts are observed, commands proposed, every guard stands, and the
// decision says which line is wrong.
func TestBrokenFileFailsClosed(t *testing.T) {
	bold := Server{Defaults: Settings{Alerts: ptr(bot.ModeAuto), Commands: ptr(bot.ModeAuto), Guards: map[string]bot.Verb{"prune": bot.VerbAct, "stateful": bot.VerbRefuse}}}
	for name, file := range map[string]bot.PolicyFile{
		"a problem": found("version: 1\ndefaults: {alerts: auto}\nfoo: bar\n"),
		"no YAML":   found("\t"),
		"empty":     found(""),
		"a link":    {Found: true, Broken: "it is a symbolic link"},
		"cut off":   {Found: true, Broken: "it has too many bytes", Text: []byte("version: 1\ndefaults: {alerts: auto}")},
	} {
		t.Run(name, func(t *testing.T) {
			r := judge(t, bold).Read("acme/fleet", file)
			check(t, r.Decide(onAlert()), bot.VerbObserve, guardBroken, "mode")
			check(t, r.Decide(onCommand()), bot.VerbPropose, guardBroken, "mode")
			if p := r.Policy(appID("web")); p.Broken == "" || len(p.Guards) != 1 || p.Guards["stateful"] != bot.VerbRefuse {
				t.Errorf("policy %+v", p)
			}
		})
	}
	d := judge(t, bold).Read("acme/fleet", found("version: 1\ndefaults: {alerts: auto}\nfoo: bar\n")).Decide(onCommand())
	if want := ".backout.yaml of the default branch is not understood, so Backout does not act by it: line 3: unknown key foo"; !strings.Contains(d.Reasons[0].Text, want) {
		t.Errorf("reason is %q, want %q in it", d.Reasons[0].Text, want)
	}
}

// TestSummaryIsShortAndPlain: what stands in a file is anybody's.
func TestSummaryIsShortAndPlain(t *testing.T) {
	text := "version: 1\n"
	for i := range 50 {
		text += fmt.Sprintf("\"key%d\\e\\u202e%s\": 1\n", i, strings.Repeat("x", 500))
	}
	r := judge(t, Server{}).Read("acme/fleet", found(text))
	got := r.Policy().Broken
	if strings.ContainsAny(got, "\x1b\u202e\n") || len([]rune(got)) > maxText+1 || got == "" {
		t.Errorf("%d characters: %q", len([]rune(got)), got)
	}
}

// TestFilesAreRememberedByWhatTheyHold.
func TestFilesAreRememberedByWhatTheyHold(t *testing.T) {
	j := judge(t, Server{})
	one, same, other := j.Read("a/b", found(example)), j.Read("c/d", found(example)), j.Read("a/b", found(example+"\n"))
	if one != same || one == other {
		t.Error("the same text is read twice, or another text is taken for it")
	}
	for i := range 2*maxKnown + 1 {
		j.Read("a/b", found(fmt.Sprintf("version: 1\n# %d\n", i)))
	}
	if n := len(j.known); n > maxKnown {
		t.Errorf("%d files are remembered", n)
	}
}

// TestHugeFiles: who may write the file can't stop the bot with it.
func TestHugeFiles(t *testing.T) {
	repeat := func(n int, entry string) string { return strings.Repeat(entry, n) }
	guard := "\n    - {name: a, when: 'true', verb: ask, text: t}"
	for name, tt := range map[string]struct{ text, want string }{
		"many guards":        {"version: 1\ndefaults:\n  custom_guards:" + repeat(51, guard), "line 3: defaults.custom_guards: 51 entries; at most 50 are allowed"},
		"many guards of all": {"version: 1\napps:" + repeat(100, "\n- match: '*/*/*/*'\n  custom_guards:"+repeat(3, guard)), "line 1: version: the file has 300 custom guards and freezes; at most 200 are allowed"},
		"many Apps":          {"version: 1\napps:" + repeat(501, "\n- match: '*/*/*/*'"), "line 2: apps: 501 entries; at most 500 are allowed"},
		"a long condition":   {"version: 1\ndefaults:\n  custom_guards:\n    - {name: a, verb: ask, text: t, when: '" + repeat(4001, "!") + "'}", "line 4: defaults.custom_guards[0].when: it has 4001 bytes; at most 4000 are allowed"},
		"many people":        {"version: 1\ndefaults:\n  approvers: [" + repeat(51, "'@a',") + "]", "line 3: defaults.approvers: 51 entries; at most 50 are allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, problems := ParseFile([]byte(tt.text), nil)
			if len(problems) != 1 || problems[0].Error() != tt.want {
				t.Errorf("problems are %v, want %s", problems, tt.want)
			}
		})
	}
	// Aliases that hold each other grow without end when they are written out.
	bomb := "version: 1\na: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'i'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	if _, _, problems := ParseFile([]byte(bomb+"defaults: {approvers: *i, cooldown: *i}\n"), nil); len(problems) == 0 {
		t.Error("a bomb is no problem")
	}
}
