package app

import (
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/policy"
)

const withCluster = least + "clusters: [{name: prod, kubeconfig_file: k, flux: {}}]\n"

// TestLimitsAreChecked when the server starts: one that names nothing would limit
// nothing.
func TestLimitsAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		"policy: {limits: {alerts: yolo}}":                                               `policy.limits.alerts: "yolo" is none of`,
		"policy: {limits: {alert: auto}}":                                                "line 8: unknown key policy.limits.alert; did you mean alerts?",
		"policy: {limits: {checks: []}}":                                                 "line 8: unknown key policy.limits.checks",
		"policy: {limits: {apps: [{match: dev/*/*/*}]}}":                                 `policy.limits.apps[0].match: there is no cluster "dev"`,
		"policy: {limits: {apps: [{match: web}]}}":                                       `policy.limits.apps[0].match: "web" is not a glob`,
		"policy: {limits: {guards: {nope: ask}}}":                                        `policy.limits.guards.nope: there is no guard "nope"`,
		"policy: {limits: {guards: {bypass: act}}}":                                      "policy.limits.guards.bypass: act; nobody may override bypass",
		"policy: {limits: {freezes: [{cron: never, for: 1h}]}}":                          "policy.limits.freezes[0]: cron:",
		"policy: {limits: {custom_guards: [{name: a, when: x, verb: ask, text: t}]}}":    "policy.limits.custom_guards[0]: when:",
		"policy: {per_day_overall: -1}":                                                  "policy.per_day_overall: -1;",
		"policy: {defaults: {guards: {stateful: shrug}}}":                                `policy.defaults.guards.stateful: "shrug" is none of`,
		"policy: {apps: [{match: prod/*/*/*, approvers: [ann]}]}":                        `policy.apps[0].approvers[0]: "ann" is neither a user`,
		"policy: {apps: [{match: prod/*/*/*, freezes: [{cron: '* * * * *', for: 1h}]}]}": "policy.apps[0].freezes[0]: for:",
	} {
		if _, err := ParseConfig([]byte(withCluster + text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestLimitsHold from the configuration to the rules of a repository.
func TestLimitsHold(t *testing.T) {
	c, err := ParseConfig([]byte(withCluster + "policy: {defaults: {per_day: 3}, limits: {commands: propose, apps: [{match: prod/*/*/web, per_day: 1}]}, per_day_overall: 9}\n"))
	if err != nil {
		t.Fatal(err)
	}
	judge, err := policy.Open(c.Policy, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := judge.Read("a/b", bot.PolicyFile{Found: true, Text: []byte("version: 1\ndefaults: {commands: auto, per_day: 5}")})
	p := r.Policy(bot.AppID{Cluster: "prod", Kind: bot.KindKustomization, Namespace: "flux-system", Name: "web"})
	if p.Commands != bot.ModePropose || p.PerDay != 1 || *p.PerDayOverall != 9 {
		t.Errorf("policy is %+v", p)
	}
}
