package audit

import (
	"context"
	"encoding/json"
	"regexp"
	"sync"

	"github.com/backout-dev/backout/bot"
)

// Ports are the ports with every effect on record.
func (l *Log) Ports(p bot.Ports) bot.Ports {
	p.Reverts = reverts{p.Reverts, l}
	p.Board = board{p.Board, l}
	p.Fleet = fleet(p.Fleet, l)
	p.Ledger = ledger{p.Ledger, l}
	return p
}

// Versions are the flows with every decision on record. find tells of a
// Rollback that is begun.
func (l *Log) Versions(v bot.Versions, find func(context.Context, bot.RollbackID) (bot.Record, error)) bot.Versions {
	var out bot.Versions
	for _, in := range v.Intakes {
		run := in.Run
		name := in.Name
		in.Run = func(ctx context.Context, j bot.Journal, e bot.Event) error {
			w := who{flow: name, actor: sender(e)}
			if e.Comment != nil {
				w.repo = e.Comment.Repo
			}
			return run(as(ctx, w), l.journal(j, w, maxIntake, &e), e)
		}
		out.Intakes = append(out.Intakes, in)
	}
	for _, rb := range v.Rollbacks {
		run := rb.Run
		name := rb.Name
		rb.Run = func(ctx context.Context, j bot.Journal, id bot.RollbackID) error {
			w := who{flow: name, rollback: id, actor: "backout"}
			// Who it is for is not worth failing over: the lines have the ID.
			if rec, err := find(ctx, id); err == nil {
				w.repo, w.why = rec.Repo, rec.Incident.Reason
				if by := actor(rec.Rollback); by != "" {
					w.actor = by
				}
			}
			return run(as(ctx, w), l.journal(j, w, maxWhat, nil), id)
		}
		out.Rollbacks = append(out.Rollbacks, rb)
	}
	return out
}

// maxIntake bounds what a step of an intake leaves here, in bytes: alerts come
// by the thousands.
const maxIntake = 8 << 10

// sender is who sent an event.
func sender(e bot.Event) string {
	if e.Comment != nil {
		return e.Comment.Author
	}
	return "alertmanager"
}

// journal is a bot.Journal that leaves a line for each result of a step that
// differs from the one before: polls mostly see the same.
type journal struct {
	bot.Journal

	log   *Log
	who   who
	limit int
	event *bot.Event // not written down yet

	mu   sync.Mutex
	last map[string]string // digest of a step's last result
}

func (l *Log) journal(j bot.Journal, w who, limit int, e *bot.Event) *journal {
	return &journal{Journal: j, log: l, who: w, limit: limit, event: e, last: map[string]string{}}
}

// Do implements bot.Journal. A step that is on record already is not run, and
// leaves no line.
func (j *journal) Do(ctx context.Context, name string, act func(context.Context) ([]byte, error)) ([]byte, error) {
	return j.Journal.Do(ctx, name, func(ctx context.Context) ([]byte, error) {
		ctx = as(ctx, j.who) // an engine may run acts in a context of its own
		j.began(ctx)
		raw, err := act(ctx)
		if err == nil {
			j.decided(ctx, name, raw)
		}
		return raw, err
	})
}

// began writes down what an intake was begun with, once and only if it is not a
// replay of what is all on record.
func (j *journal) began(ctx context.Context) {
	j.mu.Lock()
	event := j.event
	j.event = nil
	j.mu.Unlock()
	if event == nil {
		return
	}
	e := entry(ctx, KindEvent, "accept")
	e.What = short(what(event), j.limit)
	j.append(ctx, e)
}

// polled matches the end by which an engine's caller tells repeated steps apart.
var polled = regexp.MustCompile(`[ -]\d+$`)

func (j *journal) decided(ctx context.Context, name string, raw []byte) {
	var rec struct {
		Value   json.RawMessage `json:"value"`
		Trouble *bot.Trouble    `json:"trouble"`
	}
	if json.Unmarshal(raw, &rec) != nil {
		return // not a step's
	}
	e := entry(ctx, KindDecision, name)
	e.Result, e.What = "done", rec.Value
	if rec.Trouble != nil {
		e.Result, e.Detail, e.What = string(rec.Trouble.Kind), rec.Trouble.Text, nil
	}
	key, sum := polled.ReplaceAllString(name, ""), digest(append([]byte(e.Result+e.Detail), e.What...))
	j.mu.Lock()
	same := j.last[key] == sum
	j.last[key] = sum
	j.mu.Unlock()
	if same {
		return
	}
	e.What = short(e.What, j.limit)
	j.append(ctx, e)
}

func (j *journal) append(ctx context.Context, e Entry) {
	if _, err := j.log.Append(e, false); err != nil {
		j.log.cfg.Log.ErrorContext(ctx, "the audit log lacks a decision", "step", e.Act, "error", err)
	}
}
