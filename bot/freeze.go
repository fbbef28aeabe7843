package bot

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Labels reads which issues and pull requests carry a label, open or closed, and
// who put it there. An empty By means that this could not be found out.
type Labels interface {
	Labelled(ctx context.Context, repo RepoName, label string) ([]Labelled, error)
}

// Labelled is one issue or pull request with a label.
type Labelled struct {
	Number int
	URL    string
	By     string // login of who put the label there last
}

// DefaultFreezeLabel stops all acting in a repository while an issue carries it.
const DefaultFreezeLabel = "backout-freeze"

// The bounds of what is known of the label. A look is good for labelFresh, so
// that many Rollbacks of one repository cost one request; when GitHub can't be
// asked, the last answer holds for labelStale, and then the switch counts as on.
const (
	labelFresh = 10 * time.Second
	labelStale = 5 * time.Minute
)

// halted says what stops all acting in a repository: the server's kill switch, a
// freeze by command, or the label. Each counts as on where it can't be read.
//
// It asks GitHub at most once in labelFresh, so whoever asks for other things at
// the same time may call it beside them and again afterwards.
func (f *Flow) halted(ctx context.Context, repo RepoName) (why Reason, on bool) {
	if why, on = f.stopped(ctx, repo); on {
		return why, true
	}
	return f.labels.look(ctx, f, repo)
}

// stopped is halted without what only GitHub knows.
func (f *Flow) stopped(ctx context.Context, repo RepoName) (why Reason, on bool) {
	if on, why := f.Ports.Switch.On(ctx); on {
		return Reason{"kill-switch", "The kill switch is on: " + why}, true
	}
	z, err := f.Ports.Ledger.Frozen(ctx, repo)
	if err != nil {
		f.Log.ErrorContext(ctx, "freeze can't be read", "repo", repo, "error", err)
		return Reason{"freeze", fmt.Sprintf("Whether %s is frozen can't be read, which counts as frozen.", repo)}, true
	}
	if z.On(f.Now()) {
		return Reason{"freeze", z.text(repo)}, true
	}
	return Reason{}, false
}

// text says who froze what, until when and why.
func (z *Frozen) text(repo RepoName) string {
	s := fmt.Sprintf("@%s froze %s at %s UTC", z.By, repo, z.At.UTC().Format("2006-01-02 15:04"))
	if z.Until.IsZero() {
		s += ", until an admin comments `/rollback unfreeze`"
	} else {
		s += fmt.Sprintf(", until %s UTC", z.Until.UTC().Format("2006-01-02 15:04"))
	}
	if z.Reason != "" {
		s += ": " + strings.TrimRight(z.Reason, ".")
	}
	return s + "."
}

// switches remember what was last seen of the label, for each repository. What
// they hold saves requests, and is nothing that must survive.
type switches struct {
	mu   sync.Mutex
	seen map[RepoName]labelSeen
}

type labelSeen struct {
	at  time.Time
	why Reason
	on  bool
}

// look tells whether the label stops a repository.
func (s *switches) look(ctx context.Context, f *Flow, repo RepoName) (why Reason, on bool) {
	if f.Ports.Labels == nil || f.FreezeLabel == "" {
		return Reason{}, false
	}
	s.mu.Lock()
	last, known := s.seen[repo]
	s.mu.Unlock()
	if known && f.Now().Sub(last.at) < labelFresh {
		return last.why, last.on
	}
	why, on, err := f.readLabel(ctx, repo)
	switch {
	case err == nil:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.seen == nil {
			s.seen = map[RepoName]labelSeen{}
		}
		s.seen[repo] = labelSeen{f.Now(), why, on}
		return why, on
	case known && f.Now().Sub(last.at) < labelStale && IsTrouble(AsTrouble(err), TroubleTransient):
		return last.why, last.on
	}
	t := AsTrouble(err)
	f.Log.WarnContext(ctx, "freeze label can't be read", "repo", repo, "trouble", t.Text, "advice", t.Advice)
	return Reason{"freeze", strings.TrimSpace(fmt.Sprintf("Whether an issue of %s carries the label %s can't be read, which counts as frozen. %s", repo, f.FreezeLabel, t.Advice))}, true
}

// readLabel asks GitHub. Who may not write stops nothing, whoever opened the
// issue; a label that nobody is known to have put there stops everything.
func (f *Flow) readLabel(ctx context.Context, repo RepoName) (why Reason, on bool, err error) {
	found, err := f.Ports.Labels.Labelled(ctx, repo, f.FreezeLabel)
	if err != nil {
		return Reason{}, false, fmt.Errorf("look for the label %s: %w", f.FreezeLabel, err)
	}
	for _, l := range found {
		if l.By == "" {
			return Reason{"freeze", fmt.Sprintf("#%d carries the label %s, and who put it there can't be read, which counts as frozen. Take the label off to go on.", l.Number, f.FreezeLabel)}, true, nil
		}
		p, err := f.Ports.People.Permission(ctx, repo, l.By)
		if err != nil {
			return Reason{}, false, fmt.Errorf("read what @%s may do: %w", l.By, err)
		}
		if p.AtLeast(PermissionWrite) {
			return Reason{"freeze", fmt.Sprintf("@%s froze %s with the label %s on #%d. Take the label off to go on.", l.By, repo, f.FreezeLabel, l.Number)}, true, nil
		}
		f.Log.WarnContext(ctx, "freeze label by somebody without write permission counts for nothing", "repo", repo, "number", l.Number, "by", l.By)
	}
	return Reason{}, false, nil
}
