package stage

import (
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/test/fakehub"
)

// beside are the endpoints by which people are told. No act waits for them.
var beside = []string{"/comments", "/check-runs", "/reactions"}

// Chain is the length of the longest chain of the bot's API requests between
// two moments in which each began after the one before had ended, without
// those by which people are told and without git: what a merge waits for.
func (s *Stage) Chain(from, to time.Time) int {
	var list []fakehub.Request
	for _, r := range s.Hub.Requests() {
		mine := r.Actor == s.GitHub.BotLogin() || r.Actor == "app:"+s.GitHub.Slug()
		told := slices.ContainsFunc(beside, func(b string) bool { return strings.Contains(r.Path, b) })
		if mine && !told && r.Kind != "git" && !r.Start.Before(from) && !r.End.After(to) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b fakehub.Request) int { return a.End.Compare(b.End) })
	chain, last := 0, time.Time{}
	for _, r := range list {
		if r.Start.After(last) {
			chain, last = chain+1, r.End
		}
	}
	return chain
}
