package policy

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy/window"
	"github.com/backout-dev/backout/bot/strict"
)

// The words that the settings take, most careful first.
var (
	modes       = []bot.Mode{bot.ModeObserve, bot.ModePropose, bot.ModeApprove, bot.ModeAuto}
	holds       = []string{"never", "auto", "always"}
	mitigates   = []string{"never", "ask", "auto"}
	unprotected = []string{"none", "commands", "all"}
	merges      = []string{"backout", autoMerge}
	images      = []string{"hold", "pin", "none"}
	operators   = []string{"<", "<=", ">", ">=", "==", "!="}
	guardVerbs  = []bot.Verb{bot.VerbRefuse, bot.VerbPropose, bot.VerbAsk, bot.VerbAct}
	customVerbs = []bot.Verb{bot.VerbRefuse, bot.VerbPropose, bot.VerbAsk}
	overriders  = []bot.Permission{"", bot.PermissionMaintain, bot.PermissionAdmin}
)

// complain collects one problem: the path of the key ("apps[0].alerts"), and
// what is wrong there and what to do.
type complain func(path, format string, args ...any)

// The bounds of a file: many may write it, and none may stop the bot with it.
const (
	maxList = 50   // entries of one list
	maxApps = 500  // entries of apps
	maxMade = 200  // custom guards and freezes of a whole file
	maxWhen = 4000 // bytes of a condition
)

// few reports whether a list is as short as it must be.
func few(bad complain, key string, n, most int) bool {
	if n > most {
		bad(key, "%d entries; at most %d are allowed", n, most)
	}
	return n <= most
}

// check finds every problem; where is the path of the section.
func (s Settings) check(bad complain, where string, query func(bot.Check) error) {
	words(bad, where+".alerts", s.Alerts, modes)
	words(bad, where+".commands", s.Commands, modes)
	words(bad, where+".hold", s.Hold, holds)
	words(bad, where+".mitigate", s.Mitigate, mitigates)
	words(bad, where+".unprotected", s.Unprotected, unprotected)
	words(bad, where+".merge", s.Merge, merges)
	words(bad, where+".images", s.Images, images)
	checkCount(bad, where+".max_affected", s.MaxAffected, "")
	checkCount(bad, where+".per_day", s.PerDay, " (0 means to propose only)")
	checkCount(bad, where+".break_after", s.BreakAfter, " (0 means never)")
	checkPeople(bad, where+".commanders", s.Commanders, false)
	checkPeople(bad, where+".approvers", s.Approvers, true)
	checkGuards(bad, where+".guards", s.Guards)
	checkCustom(bad, where+".custom_guards", s.Custom)
	checkFreezes(bad, where+".freezes", s.Freezes)
	checkChecks(bad, where+".checks", s.Checks, query)
	checkPatterns(bad, where+".migrations", s.Migrations)
	checkTargets(bad, where+".notify", s.Notify)
}

func words[T ~string](bad complain, key string, v *T, allowed []T) {
	if v == nil || slices.Contains(allowed, *v) {
		return
	}
	list := make([]string, 0, len(allowed))
	for _, a := range allowed {
		if a != "" {
			list = append(list, string(a))
		}
	}
	bad(key, "%q is none of %s", *v, strings.Join(list, ", "))
}

func checkCount(bad complain, key string, n *int, zero string) {
	if n != nil && *n < 0 {
		bad(key, "%d; it can't be less than 0%s", *n, zero)
	}
}

// GitHub's logins and team slugs.
var (
	userName = regexp.MustCompile(`^@[A-Za-z0-9](?:[A-Za-z0-9-_]{0,38})$`)
	teamName = regexp.MustCompile(`^@[A-Za-z0-9](?:[A-Za-z0-9-_]{0,38})/[a-z0-9](?:[a-z0-9-_.]{0,99})$`)
)

func checkPeople(bad complain, key string, people []string, owners bool) {
	if !few(bad, key, len(people), maxList) {
		return
	}
	for i, who := range people {
		if userName.MatchString(who) || teamName.MatchString(who) || owners && who == Codeowners {
			continue
		}
		more := ""
		if owners {
			more = ", or codeowners"
		}
		bad(fmt.Sprintf("%s[%d]", key, i), "%q is neither a user (@alice) nor a team (@acme/sre)%s", who, more)
	}
}

func checkGuards(bad complain, key string, guards map[string]bot.Verb) {
	for _, name := range sortedNames(guards) {
		verb, at := guards[name], key+"."+name
		g, known := builtIn(name)
		switch {
		case !known:
			bad(at, "there is no guard %q%s", name, strict.Meant(name, builtInNames()))
		case !slices.Contains(guardVerbs, verb):
			words(bad, at, &verb, guardVerbs)
		case g.Override == "" && g.boldest().Before(verb):
			bad(at, "%s; nobody may override %s, so it can only be made more careful than %s", verb, name, g.boldest())
		}
	}
}

// guardName is how guards are named.
var guardName = regexp.MustCompile(`^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$`)

func checkCustom(bad complain, key string, guards []CustomGuardSettings) {
	if !few(bad, key, len(guards), maxList) {
		return
	}
	seen := map[string]bool{}
	for i, g := range guards {
		at := fmt.Sprintf("%s[%d]", key, i)
		_, taken := builtIn(g.Name)
		taken = taken || g.Name == guardMode || g.Name == guardFrozen
		switch {
		case !guardName.MatchString(g.Name) || len(g.Name) > 60:
			bad(at+".name", "%q; write it in lower case with dashes, such as no-friday-reverts", g.Name)
		case taken:
			bad(at+".name", "%q is the name of a built-in rule", g.Name)
		case seen[g.Name]:
			bad(at+".name", "%q is used twice", g.Name)
		}
		seen[g.Name] = true
		words(bad, at+".verb", &g.Verb, customVerbs)
		words(bad, at+".override", &g.Override, overriders)
		if strings.TrimSpace(g.Text) == "" {
			bad(at+".text", "missing; say in one sentence why people should look")
		}
		if strings.TrimSpace(g.When) == "" {
			bad(at+".when", "missing; write a CEL expression that is true when the guard is to be raised")
		} else if len(g.When) > maxWhen {
			bad(at+".when", "it has %d bytes; at most %d are allowed", len(g.When), maxWhen)
		} else if _, err := compile(g.guard()); err != nil {
			bad(at, "%v", err)
		}
	}
}

func checkFreezes(bad complain, key string, freezes []FreezeSettings) {
	if !few(bad, key, len(freezes), maxList) {
		return
	}
	for i, f := range freezes {
		at := fmt.Sprintf("%s[%d]", key, i)
		if f.Cron == "" || f.For <= 0 {
			bad(at, "a freeze needs cron, when it begins, and for, how long it lasts")
			continue
		}
		if _, err := window.Parse(f.freeze()); err != nil {
			bad(at, "%v", err)
		}
	}
}

func checkChecks(bad complain, key string, checks []CheckSetting, query func(bot.Check) error) {
	if !few(bad, key, len(checks), maxList) {
		return
	}
	seen := map[string]bool{}
	for i, c := range checks {
		at := fmt.Sprintf("%s[%d]", key, i)
		whole := c.Name != "" && strings.TrimSpace(c.Query) != ""
		switch {
		case !whole:
			bad(at, "a check needs name and query")
		case seen[c.Name]:
			bad(at+".name", "%q is used twice", c.Name)
		}
		seen[c.Name] = true
		words(bad, at+".operator", &c.Operator, operators)
		if whole && query != nil && slices.Contains(operators, c.Operator) {
			if err := query(bot.Check{Name: c.Name, Query: c.Query, Operator: c.Operator, For: time.Duration(c.For)}); err != nil {
				bad(at, "%v", err)
			}
		}
	}
}

func checkPatterns(bad complain, key string, patterns []string) {
	if !few(bad, key, len(patterns), maxList) {
		return
	}
	for i, p := range patterns {
		if _, err := path.Match(p, "x"); err != nil || p == "" {
			bad(fmt.Sprintf("%s[%d]", key, i), "%q is no file name pattern, such as db/*.up or *.ddl", p)
		}
	}
}

// targetName is how notification targets are named.
var targetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

func checkTargets(bad complain, key string, targets []string) {
	if !few(bad, key, len(targets), maxList) {
		return
	}
	for i, name := range targets {
		if !targetName.MatchString(name) {
			bad(fmt.Sprintf("%s[%d]", key, i), "%q can't be the name of a target; addresses stand in the server's configuration only", name)
		}
	}
}

// checkMatch refuses a glob that can match no App: an entry without effect
// would leave an App with less care than its owners asked for.
func checkMatch(bad complain, where, match string) {
	parts := strings.Split(match, "/")
	if _, err := path.Match(match, "x"); err != nil || len(parts) != 4 || slices.Contains(parts, "") {
		bad(where+".match", "%q is not a glob over cluster/Kind/namespace/name, such as prod/Kustomization/flux-system/*", match)
		return
	}
	for _, kind := range []bot.AppKind{bot.KindKustomization, bot.KindHelmRelease, bot.KindApplication} {
		if ok, err := path.Match(parts[1], string(kind)); ok && err == nil {
			return
		}
	}
	bad(where+".match", "%q names no kind of App: Kustomization, HelmRelease or Application", match)
}
