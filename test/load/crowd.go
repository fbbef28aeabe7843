package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"sync"
	"time"
)

// said is one comment of the crowd.
type said struct {
	id   int64
	at   time.Time
	text string
}

// remark is a comment that is to be written.
type remark struct {
	due  time.Duration
	on   func() int // pull request
	by   string
	text func(rollback string) string
	// about is set for a command to a culprit's Rollback: it waits for it.
	about string
}

// chatter is what people say meanwhile. Some of it looks like a command and is
// none.
var chatter = []string{
	"Checkout is down for me, too.", "Same here since ten minutes.", "I see it in apps/alpha-001/deploy.yaml", "Who is on call?",
	"Rolling back would help, /rollback is the word I think", "> /rollback\n\nlet's wait", "/shrug", "```\n/rollback\n```",
	"The dashboard: http://grafana.example/d/1", "Could it be DNS?", "+1", "cc /everyone",
}

// remarks makes exactly size.Comments of them: commands by people who may, by
// one who may not, and some that are not understood; the rest is chatter.
func (s size) remarks(w *world) []remark {
	rnd := rand.New(rand.NewPCG(3, uint64(s.Comments)))
	var out []remark
	at := func(from, to float64) time.Duration {
		return time.Duration((from + rnd.Float64()*(to-from)) * float64(s.Within))
	}
	onCulprit := func(text string, n int, by ...string) {
		for range max(1, n) {
			team := teams[rnd.IntN(len(teams))]
			if text == "/rollback" {
				// The one Rollback that surely has not ended: after the end, the
				// command of a person who may is obeyed and begins another.
				team = teams[1]
			}
			out = append(out, remark{
				due: at(.2, .95), by: by[rnd.IntN(len(by))], about: team,
				on: func() int { return w.culprit[team] }, text: func(string) string { return text },
			})
		}
	}
	onCulprit("/rollback status", s.Comments*20/1000, people...)
	onCulprit("/rollback", s.Comments*12/1000, people...)
	onCulprit("/rollback", s.Comments*4/1000, stranger)
	onCulprit("/rollback everything --now", s.Comments*4/1000, people...)
	out = append(out,
		remark{due: at(.5, .6), by: "bob", about: teams[0], on: func() int { return w.culprit[teams[0]] },
			text: func(id string) string { return "/rollback approve " + id }},
		remark{due: at(.3, .4), by: "ann", on: func() int { return w.fresh }, text: func(string) string { return "/rollback" }})
	for len(out) < s.Comments {
		text := chatter[rnd.IntN(len(chatter))]
		on := w.innocent[rnd.IntN(len(w.innocent))]
		if rnd.IntN(3) == 0 {
			on = w.culprit[teams[rnd.IntN(len(teams))]]
		}
		out = append(out, remark{due: at(0, 1), by: people[rnd.IntN(len(people))], on: func() int { return on }, text: func(string) string { return text }})
	}
	slices.SortFunc(out, func(a, b remark) int { return int(a.due - b.due) })
	return out
}

var rollbackID = regexp.MustCompile(`backout:rollback:(rb-[0-9a-f]{12})`)

// sticky is the ID of the Rollback that the bot tells of on a pull request; ""
// before it does.
func (w *world) sticky(number int) string {
	for _, c := range w.repo.Comments(number) {
		if m := rollbackID.FindStringSubmatch(c.Body); m != nil && c.Author == w.app.BotLogin() {
			return m[1]
		}
	}
	return ""
}

// speak writes the remarks when they are due and returns the commands among
// them.
func (w *world) speak(ctx context.Context, list []remark, began time.Time) ([]said, error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var commands []said
	var failed error
	for _, r := range list {
		wg.Go(func() {
			c, err := w.remark(ctx, r, began)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
			}
			if len(c.text) > 8 && c.text[:9] == "/rollback" {
				commands = append(commands, c)
			}
		})
	}
	wg.Wait()
	return commands, failed
}

func (w *world) remark(ctx context.Context, r remark, began time.Time) (said, error) {
	select {
	case <-time.After(time.Until(began.Add(r.due))):
	case <-ctx.Done():
		return said{}, context.Cause(ctx)
	}
	id := ""
	if r.about != "" {
		err := until(ctx, "the Rollback of team "+r.about, func() (bool, error) {
			id = w.sticky(r.on())
			return id != "", nil
		})
		if err != nil {
			return said{}, err
		}
	}
	c := said{at: time.Now(), text: r.text(id)}
	var err error
	if c.id, err = w.repo.Comment(r.on(), r.by, c.text); err != nil {
		return c, fmt.Errorf("comment: %w", err)
	}
	return c, nil
}

// until waits for a condition; what names it.
func until(ctx context.Context, what string, cond func() (bool, error)) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := cond(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited for %s: %w", what, context.Cause(ctx))
		}
	}
}
