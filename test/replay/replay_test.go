package replay_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/command"
	"github.com/backout-dev/backout/test/replay"
)

// bell takes the hints that a flow gives between two steps: they carry no truth.
type bell struct{ bot.Engine }

func (bell) Hint(bot.Hint) {}

// absent are ports behind which there is nothing: using one panics.
var absent = bot.Ports{
	People:  struct{ bot.People }{},
	Pulls:   struct{ bot.Pulls }{},
	Reverts: struct{ bot.Reverts }{},
	Board:   struct{ bot.Board }{},
	History: struct{ bot.History }{},
	Alerts:  struct{ bot.Alerts }{},
	Checks:  struct{ bot.Checks }{},
	Ranker:  struct{ bot.Ranker }{},
	Judge:   struct{ bot.Judge }{},
	Switch:  struct{ bot.Switch }{},
	Teller:  struct{ bot.Teller }{},
	Engine:  bell{},
}

// bare is a flow with nothing to touch: no port but the grammar, which is part
// of the code.
func bare(l bot.Ledger, now func() time.Time) bot.Config {
	ports := absent
	ports.Grammar, ports.Ledger = command.Grammar{}, l
	return bot.Config{
		Ports:  ports,
		Timing: bot.DefaultTiming(),
		Now:    now,
		Log:    slog.New(slog.DiscardHandler),
	}
}

// code is the code as it is, under a configuration.
func code(change func(*bot.Config)) replay.Code {
	return func(l bot.Ledger, now func() time.Time) bot.Versions {
		c := bare(l, now)
		change(&c)
		return bot.NewFlow(c).Versions()
	}
}

// configs are as different as can be from the one that the stories were played
// with: what a flow does next rests on its record and on nothing else.
var configs = map[string]func(*bot.Config){
	"production": func(*bot.Config) {},
	"all else": func(c *bot.Config) {
		c.Observe, c.Host, c.Server, c.MaxFor = true, "ghe.example.com", "https://ghe.example.com", 40*time.Hour
		c.Timing = bot.Timing{Gate: 1, Mergeable: 2, Sync: 3, Resync: 4, Verify: 5, Approve: 6, Retry: 7}
	},
}

func kept(t *testing.T) []replay.Kept {
	t.Helper()
	all, err := replay.Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no journals are kept: make journals")
	}
	return all
}

func TestKeptJournalsReplay(t *testing.T) {
	t.Parallel()
	var advice error
	steps, all := 0, kept(t)
	for _, k := range all {
		steps += len(k.Steps)
		for name, change := range configs {
			if err := replay.Replay(t.Context(), &k, code(change)); err != nil {
				what, _, _ := strings.Cut(err.Error(), "\n")
				t.Errorf("%s configuration: %s", name, what)
				advice = err
				break
			}
		}
	}
	if advice != nil {
		t.Errorf("what to do, by the last of them:\n%v", advice)
	}
	t.Logf("replayed %d journals of %d steps under %d configurations", len(all), steps, len(configs))
}

// flowless are the stories that begin no flow: they are of the command line.
var flowless = []string{"preview"}

// TestEveryStoryIsKept fails for a story that was added without its journals,
// and for a flow version that was added without any.
func TestEveryStoryIsKept(t *testing.T) {
	t.Parallel()
	stories, err := filepath.Glob("../scenarios/testdata/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	have := map[string][]string{} // the stories that a version, or a kind of flow, has journals of
	for _, k := range kept(t) {
		kind, _, _ := strings.Cut(k.Flow, "/")
		have[k.Flow], have[kind] = append(have[k.Flow], k.Story), append(have[kind], k.Story)
	}
	v := bot.NewFlow(bare(nil, nil)).Versions()
	intake, rollback := v.Intakes[len(v.Intakes)-1].Name, v.Rollbacks[len(v.Rollbacks)-1].Name
	for _, file := range stories {
		story := strings.TrimSuffix(filepath.Base(file), ".txtar")
		if slices.Contains(flowless, story) {
			continue
		}
		if !slices.Contains(have["intake"], story) {
			t.Errorf("no journal of the story %s is kept: make journals", story)
		}
		for kind, newest := range map[string]string{"intake": intake, "rollback": rollback} {
			if slices.Contains(have[kind], story) && !slices.Contains(have[newest], story) {
				t.Errorf("no journal of the story %s under %s is kept: make journals", story, newest)
			}
		}
	}
}

// TestReplayTellsWhatToDo breaks the way through a kept journal in every manner
// and wants to be told.
func TestReplayTellsWhatToDo(t *testing.T) {
	t.Parallel()
	all := kept(t)
	i := slices.IndexFunc(all, func(k replay.Kept) bool { return k.Story == "command" && strings.HasPrefix(k.Flow, "rollback/") })
	if i < 0 {
		t.Fatal("the plain command story is not kept")
	}
	tests := []struct {
		name  string
		spoil func(k *replay.Kept)
		first func(context.Context, *bot.Flow, bot.Journal) error // what the flow does before all else
		want  string
	}{
		{name: "another name", spoil: func(k *replay.Kept) { k.Steps[1].Name = "do ponder" }, want: `step 2 of N: the code of rollback/v1 asks for "do decide"; the record has "do ponder" there.`},
		{name: "another kind", spoil: func(k *replay.Kept) { k.Steps[0].Name = "wait load" }, want: `asks for "do load"; the record has "wait load" there.`},
		{name: "another order", spoil: func(k *replay.Kept) { k.Steps[0], k.Steps[1] = k.Steps[1], k.Steps[0] }, want: `asks for "do load"; the record has "do decide" there.`},
		{name: "a step less", spoil: func(k *replay.Kept) { k.Steps = slices.Delete(k.Steps, 1, 2) }, want: `asks for "do decide"`},
		{name: "the end of the record", spoil: func(k *replay.Kept) { k.Steps = k.Steps[:len(k.Steps)-1] }, want: `asks for "do finish"; the record ends there.`},
		{name: "the end of the flow", spoil: func(k *replay.Kept) { k.Steps = append(k.Steps, k.Steps[0]) }, want: `ends; the record has "do load" there.`},
		{name: "another outcome", spoil: func(k *replay.Kept) { k.Outcome = "failed" }, want: `the record came to "failed" there.`},
		{name: "not registered", spoil: func(k *replay.Kept) { k.Flow = "rollback/v99" }, want: "rollback/v99 is not registered"},
		{name: "a version of the future", spoil: func(k *replay.Kept) { k.Steps[0].Out = strings.Replace(k.Steps[0].Out, `{"v":1,`, `{"v":9,`, 1) }, want: "recorded by a newer Backout"},
		{name: "the clock", want: "the clock was read", first: func(_ context.Context, f *bot.Flow, _ bot.Journal) error {
			f.Now()
			return nil
		}},
		{name: "a port", want: "uses the clock or a port outside of a step, at ", first: func(ctx context.Context, f *bot.Flow, _ bot.Journal) error {
			_, err := f.Ports.Pulls.Pull(ctx, "acme/fleet", 1)
			return err
		}},
		{name: "a new step", want: `asks for "do greet"; the record has "do load" there.`, first: func(ctx context.Context, _ *bot.Flow, j bot.Journal) error {
			_, err := j.Do(ctx, "greet", nil)
			return err
		}},
		{name: "a new sleep", want: `asks for "sleep rest"; the record has "do load" there.`, first: func(ctx context.Context, _ *bot.Flow, j bot.Journal) error {
			return j.Sleep(ctx, "rest", time.Second)
		}},
		{name: "an identifier", want: `asks for "id"; the record has "do load" there.`, first: func(ctx context.Context, _ *bot.Flow, j bot.Journal) error {
			_, err := j.NewID(ctx)
			return err
		}},
	}
	for _, tt := range tests {
		k := all[i]
		k.Steps = slices.Clone(k.Steps)
		if tt.spoil != nil {
			tt.spoil(&k)
		}
		err := replay.Replay(t.Context(), &k, func(l bot.Ledger, now func() time.Time) bot.Versions {
			flow := bot.NewFlow(bare(l, now))
			v := flow.Versions()
			if tt.first != nil {
				plain := v.Rollbacks[0].Run
				v.Rollbacks[0].Run = func(ctx context.Context, j bot.Journal, id bot.RollbackID) error {
					return errors.Join(tt.first(ctx, flow, j), plain(ctx, j, id))
				}
			}
			return v
		})
		var d *replay.Difference
		if !errors.As(err, &d) {
			t.Errorf("%s: replayed with %v", tt.name, err)
			continue
		}
		said := strings.ReplaceAll(err.Error(), " of "+strconv.Itoa(len(k.Steps))+":", " of N:")
		for _, want := range []string{tt.want, "test/replay/testdata/" + k.File, "make journals", "bot/versions.go", "docs/reliability.md", "next version"} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: the message does not say %q:\n%s", tt.name, want, said)
			}
		}
	}
}
