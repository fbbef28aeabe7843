package policy

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/backout-dev/backout/bot"
)

// Server is the server's part of the policies: what holds where a repository
// says nothing, and what none of them can loosen.
type Server struct {
	Defaults Settings      `json:"defaults"`
	Apps     []AppSettings `json:"apps"`
	Limits   Limits        `json:"limits"`
	// PerDayOverall caps acting Rollbacks of all repositories and day.
	PerDayOverall *int `json:"per_day_overall,omitempty"`
}

// Judge makes rules of the server's part and a repository's file.
type Judge struct {
	query func(bot.Check) error
	plain *Rules // of a repository without a file

	mu    sync.Mutex
	known map[[sha256.Size]byte]*Rules
}

var _ bot.Judge = (*Judge)(nil)

// maxKnown bounds how many files are remembered, by what they hold.
const maxKnown = 200

// Open checks the server's part. query, which may be nil, says what is wrong with
// the query of a check. The error names every entry that is wrong and what is
// allowed there.
func Open(s Server, query func(bot.Check) error) (*Judge, error) {
	var errs []error
	s.check(func(path, format string, args ...any) {
		errs = append(errs, fmt.Errorf("policy.%s: "+format, append([]any{path}, args...)...))
	}, query)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	base := []layer{{fromServer, "policy.defaults", "", s.Defaults}}
	for i, a := range s.Apps {
		base = append(base, layer{fromServer, fmt.Sprintf("policy.apps[%d]", i), a.Match, a.Settings})
	}
	limits := append([]AppLimits{{LimitSettings: s.Limits.LimitSettings}}, s.Limits.Apps...)
	return &Judge{query: query, plain: newRules(base, limits, s.PerDayOverall), known: map[[sha256.Size]byte]*Rules{}}, nil
}

// New are the rules of a server without limits for a repository without a file.
func New(defaults Settings, apps []AppSettings) (*Rules, error) {
	j, err := Open(Server{Defaults: defaults, Apps: apps}, nil)
	if err != nil {
		return nil, err
	}
	return j.plain, nil
}

func (s Server) check(bad complain, query func(bot.Check) error) {
	s.Defaults.check(bad, "defaults", query)
	for i, a := range s.Apps {
		where := fmt.Sprintf("apps[%d]", i)
		checkMatch(bad, where, a.Match)
		a.Settings.check(bad, where, query)
	}
	s.Limits.check(bad, "limits")
	checkCount(bad, "per_day_overall", s.PerDayOverall, " (0 means to propose only)")
}

// Read implements bot.Judge. Files are remembered by what they hold, so the
// repository does not matter and nothing here can be out of date.
func (j *Judge) Read(_ bot.RepoName, file bot.PolicyFile) bot.Rules { return j.Rules(file) }

// Rules are the rules of a repository with this file.
func (j *Judge) Rules(file bot.PolicyFile) *Rules {
	switch {
	case !file.Found:
		return j.plain
	case file.Broken != "":
		return j.distrusting(file.Broken)
	}
	key := sha256.Sum256(file.Text)
	j.mu.Lock()
	r, ok := j.known[key]
	j.mu.Unlock()
	if ok {
		return r
	}
	r = j.read(file.Text)
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.known) >= maxKnown {
		clear(j.known)
	}
	j.known[key] = r
	return r
}

func (j *Judge) read(text []byte) *Rules {
	f, _, problems := ParseFile(text, j.query)
	if len(problems) > 0 {
		return j.distrusting(summary(problems))
	}
	return j.plain.with(f.layers())
}

// distrusting are the rules where a repository's file is not understood.
func (j *Judge) distrusting(why string) *Rules {
	r := *j.plain
	r.broken = why
	return &r
}
