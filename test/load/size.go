package main

import (
	"fmt"
	"time"
)

// size is how large a storm is.
type size struct {
	Apps     int           // that are broken, a third by each commit
	Alerts   int           // alerts that are sent, repeats and resolutions included
	Comments int           // comments on pull requests
	Within   time.Duration // in which all of it is sent
}

var (
	full  = size{Apps: 500, Alerts: 10_000, Comments: 1000, Within: time.Minute}
	small = size{Apps: 30, Alerts: 300, Comments: 60, Within: 5 * time.Second}
)

// quiet is how many broken Apps of team alpha raise no alert: more than the
// default max_affected, so that its guard must speak.
const quiet = 6

// The teams whose Apps a commit breaks, and the one whose Apps people speak
// of.
var teams = []string{"alpha", "beta", "gamma"}

const aside = "delta"

// team lists the Apps of a team.
func (s size) team(name string) []string {
	n := s.Apps / len(teams)
	switch name {
	case teams[0]:
		n = s.Apps - n*(len(teams)-1)
	case aside:
		n = 2
	}
	apps := make([]string, n)
	for i := range apps {
		apps[i] = fmt.Sprintf("%s-%03d", name, i)
	}
	return apps
}

// loud lists the Apps of a team that raise alerts.
func (s size) loud(name string) []string {
	apps := s.team(name)
	if name == teams[0] {
		return apps[quiet:]
	}
	return apps
}

// all lists every App.
func (s size) all() []string {
	var apps []string
	for _, t := range append([]string{aside}, teams...) {
		apps = append(apps, s.team(t)...)
	}
	return apps
}
