package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// take takes in what is pending, oldest first, until something stands in the way.
func (s *sweep) take(ctx context.Context) error {
	var list []*missed
	for _, m := range s.pending {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b *missed) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	for _, m := range list {
		if !s.spend() {
			return nil
		}
		if err := s.takeOne(ctx, m); err != nil {
			return fmt.Errorf("take in delivery %s: %w", m.GUID, err)
		}
	}
	return nil
}

// takeOne takes in one delivery. An error holds up those behind it.
func (s *sweep) takeOne(ctx context.Context, m *missed) error {
	log := s.Flow.Log.With("delivery", m.GUID, "event", m.Event, "action", m.Action, "at", m.At, "status", m.Status)
	event, err := s.open(ctx, m)
	switch {
	case IsTrouble(err, TroubleNotFound), IsTrouble(err, TroubleInvalid):
		log.ErrorContext(ctx, "missed webhook is lost", "error", err)
		s.Lost++
		s.settle(m)
		return nil
	case err != nil && ctx.Err() == nil:
		if m.tries++; m.tries >= blockedSweeps {
			log.WarnContext(ctx, "missed webhook is overtaken", "tries", m.tries, "error", err)
			return nil
		}
		return err
	case err != nil:
		return err
	case event == nil && m.Event == "issue_comment":
		s.Ignored++
		s.settle(m)
		return nil
	case event != nil:
		if err := s.Flow.Ports.Engine.Accept(ctx, *event); err != nil {
			return err
		}
		log = log.With("incident", event.ID)
	}
	log.WarnContext(ctx, "missed webhook taken in")
	s.Taken++
	s.settle(m)
	return nil
}

// open reads what a delivery holds.
func (s *sweep) open(ctx context.Context, m *missed) (*Event, error) {
	payload, err := s.Log.Payload(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	event, err := s.Inbox.Delivered(ctx, m.Delivery, payload)
	if event != nil {
		event.Swept = true
	}
	return event, err
}

func (s *sweep) settle(m *missed) {
	s.done[m.GUID] = m.At
	delete(s.pending, m.GUID)
}

// nudge makes up for hints that were missed: everything unfinished looks again.
// When pushes were missed, mirrors are fetched, so that the next command does
// not wait for that.
func (c *CatchUp) nudge(ctx context.Context) error {
	records, err := c.Flow.Ports.Ledger.Find(ctx, RollbackQuery{Unfinished: true})
	if err != nil {
		return fmt.Errorf("list unfinished rollbacks: %w", err)
	}
	var repos []RepoName
	for _, r := range records {
		repos = append(repos, r.Repo)
	}
	slices.Sort(repos)
	for _, repo := range slices.Compact(repos) {
		c.Flow.Ports.Engine.Hint(Hint{Repo: repo})
	}
	if !c.pushed {
		return nil
	}
	apps, err := c.Flow.Ports.Fleet.Apps(ctx)
	if err != nil {
		return fmt.Errorf("list apps: %w", err)
	}
	for _, app := range apps {
		if app.Source.Repo != "" {
			repos = append(repos, app.Source.Repo)
		}
	}
	slices.Sort(repos)
	for _, repo := range slices.Compact(repos) {
		c.Inbox.Pushed(repo)
	}
	c.pushed = false
	return nil
}
