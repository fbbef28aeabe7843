package github

import (
	"context"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// handover asks GitHub to merge a pull request by itself, by its merge queue or
// by its auto-merge, or takes that back.
type handover struct {
	document string
	field    string                    // the mutation
	in       any                       // its input
	stands   func(bot.Gate) bool       // what it is to bring about, seen in the gate
	judge    func(said string) refusal // what GitHub's no means
}

// refusal is GitHub's no in words that help. Stale says that looking again may help.
type refusal struct {
	text  string
	stale bool
}

// hand sends the mutation, and looks at the world unless the answer is a clean
// success. What stands there then counts, not the answer: it may have been lost
// after the act, and it may be that of a repetition.
func (r *repository) hand(ctx context.Context, h handover, req bot.MergeRequest) (bot.Queued, error) {
	err := r.mutate(ctx, h)
	if err == nil {
		return bot.Queued{Accepted: true}, nil
	}
	if never(err) {
		return bot.Queued{}, err
	}
	g, _, lookErr := r.gate(ctx, req.Number)
	switch {
	case lookErr != nil:
		return bot.Queued{}, lookErr
	case g.Head != req.Head:
		return bot.Queued{Refusal: "the head moved from " + req.Head.Short() + " to " + g.Head.Short(), Stale: true}, nil
	case g.Merged || h.stands(g):
		return bot.Queued{Accepted: true}, nil
	case !g.Open:
		return bot.Queued{Refusal: "the pull request is closed"}, nil
	}
	if said, ok := refusalOf(err, h.field); ok {
		no := h.judge(said)
		return bot.Queued{Refusal: no.text, Stale: no.stale}, nil
	}
	return bot.Queued{}, err
}

// take sends a mutation that takes a handover back. Where GitHub refuses, or
// the answer is lost, it is well as long as nothing stands.
func (r *repository) take(ctx context.Context, h handover, number int) error {
	err := r.mutate(ctx, h)
	if err == nil || never(err) {
		return err
	}
	g, _, lookErr := r.gate(ctx, number)
	switch {
	case lookErr != nil:
		return lookErr
	case !h.stands(g):
		return nil
	}
	if said, ok := refusalOf(err, h.field); ok {
		// It stands, and GitHub refuses: a merge that is just being done.
		return bot.NewTrouble(bot.TroubleTransient, nil, "GitHub says: %s", said)
	}
	return err
}

// mutate sends one mutation whose answer counts only for its errors.
func (r *repository) mutate(ctx context.Context, h handover) error {
	var answer map[string]any
	return r.graphql(ctx, h.document, map[string]any{"input": h.in}, &answer)
}

// never tells an answer after which nothing can have happened, and that says
// nothing of the pull request: no permission, a limit, a document that the host
// does not know.
func never(err error) bool {
	graph, ok := asGraph(err)
	if !ok {
		return refused(err)
	}
	return graph.beforeEffect() || graph.has("FORBIDDEN") || graph.has("INSUFFICIENT_SCOPES") || graph.has("RATE_LIMITED")
}

// refusalOf is what GitHub said when it refused a field for what the pull
// request is. The published examples begin with "Pull request", often before a
// sentence of its own ("Pull request Required status check …"), and some are a
// JSON list of one sentence
// (https://github.com/peter-evans/enable-pull-request-automerge/issues/343).
func refusalOf(err error, field string) (string, bool) {
	graph, ok := asGraph(err)
	if !ok {
		return "", false
	}
	errs, ok := graph.at(field)
	if !ok || transientType(errs.list[0]) {
		return "", false
	}
	said := strings.TrimSuffix(strings.TrimPrefix(tidy(errs.list[0].Message), `["`), `"]`)
	for {
		rest, ok := strings.CutPrefix(said, "Pull request ")
		if !ok || rest == "" || rest[0] < 'A' || rest[0] > 'Z' {
			return said, true
		}
		said = rest
	}
}

// pullID returns the node ID by which mutations name a pull request. Opening
// it, or reading its gate, has told it; else, after a restart, the gate is read
// now, and returned as well.
func (r *repository) pullID(ctx context.Context, number int) (id string, read *bot.Gate, err error) {
	if id = r.noted(number); id != "" {
		return id, nil, nil
	}
	g, _, err := r.gate(ctx, number)
	if err != nil {
		return "", nil, err
	}
	if id = r.noted(number); id == "" {
		return "", nil, bot.NewTrouble(bot.TroubleTransient, nil, "GitHub does not name the pull request")
	}
	return id, &g, nil
}

// wholeHead refuses a request without a head: GitHub would take whatever the
// head is then.
func wholeHead(req bot.MergeRequest) error {
	if req.Head.Valid() {
		return nil
	}
	return bot.NewTrouble(bot.TroubleInvalid, nil, "head %q is not an object name", req.Head)
}
