package corpus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/culprit"
)

// Limit is how many candidates are looked at.
const Limit = 30

// Row is a case with what was seen of its candidates, newest first.
type Row struct {
	Case
	Signs []culprit.Signs `json:"signs"`
}

// rank is the place, from 1, of the culprit in an order of the candidates; 0
// when it is not among them.
func (r Row) rank(order []int) int {
	for place, i := range order {
		if r.Signs[i].Commit == r.Culprit {
			return place + 1
		}
	}
	return 0
}

// right is which candidate is the culprit; -1 when none is.
func (r Row) right() int {
	return slices.IndexFunc(r.Signs, func(s culprit.Signs) bool { return s.Commit == r.Culprit })
}

// Gather reads the signs of each case. Cases that can't be read, since the
// snapshot lacks an object, are counted as skipped by repository.
//
// With objects, the object that fails is derived from each culprit's change;
// cases in which none can be are left out.
func Gather(ctx context.Context, h bot.History, cases []Case, objects bool, emit func(Row) error) (skipped map[bot.RepoName]int, err error) {
	trails := map[bot.RepoName]*trail{}
	skipped = map[bot.RepoName]int{}
	for _, c := range cases {
		t := trails[c.Repo]
		if t == nil {
			clear(trails) // the cases stand by repository
			t = newTrail(h, c.Repo)
			trails[c.Repo] = t
		}
		signs, err := t.signs(ctx, c, objects)
		if bot.IsTrouble(err, bot.TroubleTransient) || bot.IsTrouble(err, bot.TroubleNotFound) {
			skipped[c.Repo]++
			slog.WarnContext(ctx, "skipped", "repo", c.Repo, "head", c.Head, "why", err)
			continue
		}
		if err != nil {
			return skipped, fmt.Errorf("%s at %s below %s: %w", c.Repo, c.Head.Short(), c.Path, err)
		}
		if signs == nil {
			continue
		}
		if err := emit(Row{c, signs}); err != nil {
			return skipped, err
		}
	}
	return skipped, nil
}

// signs measures the candidates of one case; nil when it has no object and one is
// wanted.
func (t *trail) signs(ctx context.Context, c Case, objects bool) ([]culprit.Signs, error) {
	tree, err := t.history.Tree(ctx, c.Repo, c.Head)
	if err != nil {
		return nil, err
	}
	facts := bot.Facts{Now: c.Time(), App: bot.App{Source: bot.Source{Repo: c.Repo, Paths: []string{c.Path}}}}
	facts.Closure = culprit.Ranker{}.Closure(tree, facts.App.Source.Paths)
	if objects {
		if facts.Failing, err = t.object(ctx, c, tree); err != nil || facts.Failing == nil {
			return nil, err
		}
		parts := culprit.PartsOf(tree, facts.Closure, *facts.Failing)
		facts.PartFiles, facts.PartObjects = parts.Files, parts.Objects
	}
	commits, err := t.newest(ctx, c.Head, facts.Closure, Limit)
	if err != nil {
		return nil, err
	}
	diff := func(ctx context.Context, from, to bot.SHA) ([]bot.FileChange, error) {
		return t.history.Diff(ctx, c.Repo, from, to, facts.Closure)
	}
	seen := culprit.NewMeasuring(facts)
	for _, commit := range commits {
		cand, err := bot.Examine(ctx, commit, tree, diff)
		if err != nil {
			return nil, err
		}
		seen.Add(cand)
	}
	return seen.Signs(), nil
}

// ReadRows reads what was gathered before, one JSON object a line.
func ReadRows(file string) ([]Row, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	var rows []Row
	for dec := json.NewDecoder(f); ; {
		var r Row
		err := dec.Decode(&r)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		rows = append(rows, r)
	}
}
