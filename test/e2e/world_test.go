//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/backout-dev/backout/test/fakehub"
)

// world is one story's own: a namespace in the cluster, a GitHub with one
// repository, and a bot.
type world struct {
	*testing.T
	ctx context.Context
	// name is the story's: of its namespace, its Argo project and its rules.
	name  string
	dir   string
	begun time.Time

	hub    *fakehub.Hub
	github *fakehub.App
	repo   *fakehub.Repo
	log    *tail  // the bot's
	addr   string // where the bot listens
}

// The images that apps run: the bed makes pods crash whose tag has "bad" in it.
const (
	goodImage = "registry.example/app:v1"
	badImage  = "registry.example/app:v2-bad"
)

// newWorld makes a namespace in which the bot may do what role says, and a
// repository with the given files that everybody may read.
func newWorld(t *testing.T, name, role string, files map[string]string) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	w := &world{T: t, ctx: ctx, name: name, dir: t.TempDir(), begun: time.Now(), log: &tail{}}
	var err error
	w.hub, err = fakehub.New(fakehub.Options{Dir: w.path("hub")})
	w.must(err)
	t.Cleanup(func() { _ = w.hub.Close() })
	w.github, err = w.hub.CreateApp(fakehub.AppOptions{Slug: "backout"})
	w.must(err)
	w.repo, err = w.hub.CreateRepo("acme/fleet", fakehub.RepoOptions{Public: true, Files: files})
	w.must(err)
	_, err = w.hub.Install(w.github, w.repo.FullName())
	w.must(err)
	for _, login := range []string{"ann", "bob", "carol"} {
		w.must(w.repo.Grant(login, "write"))
	}
	w.must(plane.Apply(ctx, w.fill(namespaceManifest), w.fill(role)))
	t.Cleanup(w.tell)
	t.Cleanup(w.allowed)
	return w
}

// allowed asserts that the documented permissions were enough, to read as well.
func (w *world) allowed() {
	if log := w.log.text(); strings.Contains(log, "does not let Backout") {
		w.Error("the cluster refused the bot something; see its log")
	}
}

// tell shows, after a failure, what everybody said last.
func (w *world) tell() {
	if !w.Failed() {
		return
	}
	for _, pr := range w.repo.PRs() {
		w.Logf("#%d %q: %s, %s, merged %v\n%s", pr.Number, pr.Title, pr.State, pr.Status, pr.Merged, pr.Body)
		for _, c := range w.repo.Comments(pr.Number) {
			w.Logf("#%d, %s: %s", pr.Number, c.Author, c.Body)
		}
	}
	for _, d := range w.github.Deliveries() {
		if d.StatusCode/100 != 2 {
			w.Logf("delivery %s.%s: %d %s", d.Event, d.Action, d.StatusCode, d.Status)
		}
	}
	w.Logf("the bot's log:\n%s", w.log.last(80))
	_ = plane.WriteTails(w.Output(), 8)
}

func (w *world) path(name string) string { return w.dir + "/" + name }

// fill puts the story's names into a manifest.
func (w *world) fill(manifest string) string {
	return strings.NewReplacer("STORY", w.name, "USER", botUser, "REPOSITORY", w.repo.CloneURL()).Replace(manifest)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// phase tells how long the story took since the last one.
func (w *world) phase(name string) {
	w.Helper()
	w.Logf("%-40s %6.1f s", name, time.Since(w.begun).Seconds())
	w.begun = time.Now()
}

// until waits for a condition; its error says what is still missing.
func (w *world) until(what string, missing func() error) {
	w.Helper()
	w.must(plane.Wait(w.ctx, what, func(context.Context) (bool, error) {
		err := missing()
		return err == nil, err
	}))
}

// holds asserts that a text has all the given parts.
func (w *world) holds(what, text string, parts ...string) {
	w.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			w.Errorf("%s lacks %q:\n%s", what, p, text)
		}
	}
}

// missing is an error about a text that lacks one of the parts.
func missing(text string, parts ...string) error {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return fmt.Errorf("no %q in %q", p, text)
		}
	}
	return nil
}
