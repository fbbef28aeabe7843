package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/stage"
)

// notice is one notification that is to be sent.
type notice struct {
	key    string
	alerts []stage.NotifiedAlert
}

func (n notice) body() []byte {
	p := stage.Notification{
		Version: "4", GroupKey: n.key, Status: "resolved", Receiver: "backout", ExternalURL: "http://alertmanager.example",
		GroupLabels: map[string]string{}, CommonLabels: map[string]string{"severity": "page"}, CommonAnnotations: map[string]string{}, Alerts: n.alerts,
	}
	if slices.ContainsFunc(n.alerts, func(f stage.NotifiedAlert) bool { return f.Status == "firing" }) {
		p.Status = "firing"
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // maps of strings and times: it can't be
	}
	return b
}

// The shares of the alerts that are sent, in tenths. What is left over are
// exact repeats, as after the repeat interval, or when an answer got lost.
const (
	singly  = 4 // one alert to a notification, grouped by rule and App
	grouped = 3 // many Apps to a notification, grouped by rule and team
	flapped = 2 // a notification of resolution, and one of the alert that fired anew
)

// script makes what Alertmanager sends: exactly size.Alerts alerts, in an order
// that looks like chance and is the same each time. alerts are what fires,
// by App.
func (s size) script(alerts map[string][]bot.Alert) []notice {
	rnd := rand.New(rand.NewPCG(1, uint64(s.Alerts)))
	var all []stage.NotifiedAlert
	for _, team := range teams {
		for _, app := range s.loud(team) {
			for _, a := range alerts[app] {
				all = append(all, of(a))
			}
		}
	}
	rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var out []notice
	for i := range s.Alerts * singly / 10 {
		f := all[i%len(all)]
		// The second time around it is a later episode of the same alert.
		f.StartsAt = f.StartsAt.Add(time.Duration(i/len(all)) * time.Second)
		out = append(out, notice{fmt.Sprintf(`{}:{alertname="%s", app="%s"}`, f.Labels["alertname"], f.Labels["deployment"]), []stage.NotifiedAlert{f}})
	}
	out = append(out, s.groups(all, rnd)...)
	for i := range s.Alerts * flapped / 20 {
		f := all[i%len(all)]
		gone, anew := f, f
		gone.Status, gone.EndsAt = "resolved", f.StartsAt.Add(time.Duration(1+i/len(all))*time.Second)
		anew.StartsAt = gone.EndsAt.Add(time.Second)
		key := fmt.Sprintf(`{}:{alertname="%s", app="%s"}`, f.Labels["alertname"], f.Labels["deployment"])
		out = append(out, notice{key, []stage.NotifiedAlert{gone}}, notice{key, []stage.NotifiedAlert{anew}})
	}
	for sent := count(out); sent < s.Alerts; {
		n := out[rnd.IntN(s.Alerts*singly/10)]
		out = append(out, n)
		sent += len(n.alerts)
	}
	rnd.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// groups makes notifications of 10 to 50 Apps of one team and rule.
func (s size) groups(all []stage.NotifiedAlert, rnd *rand.Rand) []notice {
	var out []notice
	for left := s.Alerts * grouped / 10; left > 0; {
		team, rule := teams[rnd.IntN(len(teams))], rules[rnd.IntN(len(rules))]
		var n notice
		n.key = fmt.Sprintf(`{}:{alertname="%s", team="%s"}`, rule, team)
		most := min(left, 10+rnd.IntN(41))
		for _, i := range rnd.Perm(len(all)) {
			if len(n.alerts) == most {
				break
			}
			if f := all[i]; f.Labels["alertname"] == rule && teamOf(f.Labels["deployment"]) == team {
				n.alerts = append(n.alerts, f)
			}
		}
		left -= len(n.alerts)
		out = append(out, n)
	}
	return out
}

func of(a bot.Alert) stage.NotifiedAlert {
	return stage.NotifiedAlert{
		Status: "firing", Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.StartsAt.UTC().Truncate(time.Millisecond), Fingerprint: a.Fingerprint,
		GeneratorURL: "http://prometheus.example/graph?g0.expr=" + a.Labels["alertname"],
	}
}

// fired are the Apps of which a firing alert is sent.
func fired(list []notice) map[string]bool {
	apps := map[string]bool{}
	for _, n := range list {
		for _, f := range n.alerts {
			if f.Status == "firing" {
				apps[f.Labels["deployment"]] = true
			}
		}
	}
	return apps
}

// teamOf is the part of an App's name before the dash.
func teamOf(app string) string {
	team, _, _ := strings.Cut(app, "-")
	return team
}

func count(list []notice) int {
	n := 0
	for _, one := range list {
		n += len(one.alerts)
	}
	return n
}
