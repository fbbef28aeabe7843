package scenarios

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
	"github.com/backout-dev/backout/cmd/app"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/memory"
	"github.com/backout-dev/backout/test/stage"
)

// engines are the ways in which each story is played.
var engines = []struct {
	name string
	opts *memory.Options // nil: the durable engine
}{
	{"plain", &memory.Options{}},
	{"restart after each step", &memory.Options{RestartAfterEachStep: true}},
	{"lose each result", &memory.Options{LoseEachResult: true}},
	{"durable", nil},
}

func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var plain []string
			for _, e := range engines {
				t.Run(e.name, func(t *testing.T) {
					p := newPlay(t, archive, e.opts)
					var s *search
					if e.opts == nil {
						s = p.searched()
					}
					p.run(string(archive.Comment))
					if s != nil {
						for _, found := range s.finds(p) {
							t.Errorf("a secret shows: %s", found)
						}
					}
					if e.opts == nil || e.opts.LoseEachResult {
						return
					}
					if err := p.engine.Idle(p.ctx); err != nil {
						t.Fatal(err)
					}
					steps := p.steps()
					if plain == nil {
						plain = steps
						if err := p.keep(strings.TrimSuffix(filepath.Base(file), ".txtar")); err != nil {
							t.Fatal(err)
						}
					}
					if diff := cmp.Diff(plain, steps); diff != "" && !strings.Contains(string(archive.Comment), "\nrestart\n") {
						t.Errorf("steps differ from the plain run (-plain +this):\n%s", diff)
					}
				})
			}
		})
	}
}

// play is one run of one story.
type play struct {
	t      *testing.T
	ctx    context.Context
	files  map[string]string
	opts   *memory.Options
	clock  *memory.Clock
	engine *memory.Engine
	store  *memory.Store
	ledger *durable.Ledger
	stage  *stage.Stage

	stageOpts   stage.Options
	settings    []func(*app.Config)
	before      []func() // verbs that wait for the stage
	lastComment int64
	alerts      []bot.Alert
	killFile    string
	repo        []func(*fakehub.RepoOptions)
	ciApps      map[string]*fakehub.App
}

// patience bounds every want. It is generous: a busy machine is no failure.
const patience = 30 * time.Second

func newPlay(t *testing.T, archive *txtar.Archive, opts *memory.Options) *play {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	p := &play{t: t, ctx: ctx, files: map[string]string{}, opts: opts, clock: memory.NewClock(), store: memory.NewStore(), ciApps: map[string]*fakehub.App{}}
	repoFiles := map[string]string{}
	for _, f := range archive.Files {
		text := p.timed(string(f.Data))
		p.files[f.Name] = text
		if name, ok := strings.CutPrefix(f.Name, "main/"); ok {
			repoFiles[name] = text
		}
	}
	dir := t.TempDir()
	p.killFile = filepath.Join(dir, "kill-switch")
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	p.stageOpts = stage.Options{Dir: dir, Log: log, Files: repoFiles, Now: p.clock.Now, Repo: func(o *fakehub.RepoOptions) {
		for _, set := range p.repo {
			set(o)
		}
	}, Config: func(c *app.Config) {
		c.KillSwitchFile = p.killFile
		for _, set := range p.settings {
			set(c)
		}
	}}
	return p
}

// run plays the script line by line.
func (p *play) run(script string) {
	for n, line := range strings.Split(script, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		verb, rest, _ := strings.Cut(line, " ")
		do, ok := verbs[verb]
		if !ok {
			p.t.Fatalf("line %d: unknown verb %q", n+1, verb)
		}
		if err := do(p, rest); err != nil {
			p.t.Fatalf("line %d: %s: %v\n%s", n+1, line, err, p.state())
		}
	}
}

// open sets the stage; before it, verbs only collect settings.
func (p *play) open() error {
	if err := p.newEngine(); err != nil {
		return err
	}
	s, err := stage.Open(p.ctx, p.stageOpts)
	if err != nil {
		return err
	}
	p.stage = s
	p.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			p.t.Errorf("close stage: %v", err)
		}
	})
	for _, f := range p.before {
		f()
	}
	if err := s.Cluster.Reconcile(); err != nil {
		return err
	}
	s.Start(p.ctx)
	return p.recorded()
}

// newEngine makes the engine of this run on the run's store.
func (p *play) newEngine() error {
	if p.opts == nil {
		return nil
	}
	if p.ledger == nil {
		ledger, err := durable.OpenLedger(p.ctx, filepath.Join(p.stageOpts.Dir, "ledger.db"))
		if err != nil {
			return err
		}
		p.t.Cleanup(func() { _ = ledger.Close() })
		ledger.Now = p.clock.Now
		p.ledger = ledger
	}
	o := *p.opts
	o.Clock, o.Store, o.Log = p.clock, p.store, p.stageOpts.Log
	p.engine = memory.New(o)
	p.stageOpts.Engine, p.stageOpts.Ledger = p.engine, p.ledger
	return nil
}

// until waits for a condition; what names it and shows what was last seen.
func (p *play) until(what string, cond func() (bool, string)) error {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, seen := cond()
		if ok {
			return nil
		}
		if time.Now().After(deadline) || p.ctx.Err() != nil {
			return fmt.Errorf("waited for %s; last seen: %s", what, seen)
		}
		<-tick.C
	}
}

// recorded waits until the bot's record shows what runs in the cluster.
func (p *play) recorded() error {
	return p.until("the bot's record of what runs", func() (bool, string) {
		apps, err := p.stage.Cluster.Apps(p.ctx)
		if err != nil {
			return true, ""
		}
		for _, a := range apps {
			lines, err := p.ledgerPort().Deployments(p.ctx, a.ID, 1)
			if err != nil || len(lines) == 0 || lines[0].Revision != a.Revision || lines[0].Health != a.Health {
				return false, fmt.Sprintf("%s: %v %v", a.ID, lines, err)
			}
		}
		return true, ""
	})
}

func (p *play) ledgerPort() bot.Ledger { return p.stage.App.Flow.Ports.Ledger }

func (p *play) rollbacks() []bot.Record {
	records, err := p.ledgerPort().Find(p.ctx, bot.RollbackQuery{Repo: stage.RepoName})
	if err != nil {
		p.t.Fatalf("find rollbacks: %v", err)
	}
	return records
}

// steps are the recorded steps of all flows without the polls: how often a
// flow looks depends on the machine.
func (p *play) steps() []string {
	var out []string
	all := p.store.Steps()
	for _, id := range p.store.Workflows() {
		kind, _, _ := strings.Cut(id, "-")
		last := ""
		for _, s := range all[id] {
			name := string(s)
			if strings.Contains(name, "wait") || strings.HasSuffix(name, ": pause") || name == last {
				continue
			}
			last = name
			out = append(out, kind+": "+name)
		}
	}
	// Intakes run side by side; their order is not part of the story.
	slices.Sort(out)
	return out
}

// state shows the bot's records and comments for a story that went wrong.
func (p *play) state() string {
	if p.stage == nil || p.stage.App == nil {
		return ""
	}
	var b strings.Builder
	for _, r := range p.rollbacks() {
		fmt.Fprintf(&b, "rollback %s of %s: end %+v\n", r.ID, r.Culprit.Head().Short(), r.End)
		if r.View != nil {
			for _, s := range r.View.Steps {
				fmt.Fprintf(&b, "  %s %s %s\n", s.State, s.Name, s.Detail)
			}
			fmt.Fprintf(&b, "  now %q waiting %q decision %+v todo %v\n", r.View.Now, r.View.Waiting, r.View.Decision, r.View.Todo)
		}
	}
	for _, pr := range p.stage.Repo.PRs() {
		fmt.Fprintf(&b, "#%d %s %s %q by %s\n", pr.Number, pr.State, pr.Status, pr.Title, pr.Author)
		for _, c := range p.stage.Repo.Comments(pr.Number) {
			fmt.Fprintf(&b, "  %s: %s\n", c.Author, strings.ReplaceAll(c.Body, "\n", "\n    "))
		}
	}
	return b.String()
}
