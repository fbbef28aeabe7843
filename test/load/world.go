package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/simcluster"
	"github.com/backout-dev/backout/test/stage"
)

const (
	repoName = "acme/fleet"
	cluster  = "prod"
	secret   = "a-webhook-secret-of-the-storm-of-more-than-32-bytes"
	token    = "an-alertmanager-token-of-the-storm-of-more-than-32"
)

// people who may write, and one who may not.
var people = []string{"ann", "bob", "carol", "dave"}

const stranger = "eve"

// rules are the alerting rules: each fires for every broken App.
var rules = []string{simcluster.AlertName, "PodCrashLooping", "LatencyHigh", "ReplicasMismatch", "ProbeFailed"}

// world is everything around the bot.
type world struct {
	size     size
	dir      string
	hub      *fakehub.Hub
	app      *fakehub.App
	repo     *fakehub.Repo
	cluster  *simcluster.Cluster
	remote   *httptest.Server // the cluster and its monitoring
	culprit  map[string]int   // pull request by team
	innocent []int            // pull requests that broke nothing
	fresh    int              // the one that is taken back in the storm
	warm     int              // and the one before it
}

func newWorld(dir string, s size) (*world, error) {
	w := &world{size: s, dir: dir, culprit: map[string]int{}}
	var err error
	if w.hub, err = fakehub.New(fakehub.Options{Dir: filepath.Join(dir, "hub")}); err != nil {
		return nil, fmt.Errorf("open hub: %w", err)
	}
	if err := w.openRepo(); err != nil {
		return w, err
	}
	w.cluster = simcluster.New(simcluster.Config{Name: cluster, Repo: repoName, Source: source{w.repo}, Now: time.Now, Rules: rules})
	for _, name := range s.all() {
		w.cluster.Add(simcluster.AppSpec{
			ID: appID(name), Branch: "main", Path: "apps/" + name, AutoSync: true,
			Workload: bot.Workload{Kind: "Deployment", Namespace: "shop", Name: name},
		})
	}
	mux := http.NewServeMux()
	mux.Handle("/", w.cluster.Monitor())
	mux.Handle("/cluster/", serveCluster(w.cluster))
	w.remote = httptest.NewServer(mux)
	return w, w.cluster.Reconcile()
}

func appID(name string) bot.AppID {
	return bot.AppID{Cluster: cluster, Kind: bot.KindKustomization, Namespace: "flux-system", Name: name}
}

func (w *world) openRepo() error {
	files := map[string]string{}
	for _, name := range w.size.all() {
		files[manifestOf(name)] = stage.Deployment(name, "v1")
	}
	var err error
	if w.app, err = w.hub.CreateApp(fakehub.AppOptions{Slug: "backout"}); err != nil {
		return fmt.Errorf("create the App: %w", err)
	}
	if w.repo, err = w.hub.CreateRepo(repoName, fakehub.RepoOptions{Files: files}); err != nil {
		return fmt.Errorf("create repository: %w", err)
	}
	if _, err := w.hub.Install(w.app, repoName); err != nil {
		return fmt.Errorf("install the App: %w", err)
	}
	for _, login := range people {
		if err := w.repo.Grant(login, "write"); err != nil {
			return fmt.Errorf("grant: %w", err)
		}
	}
	w.repo.Protect("main", fakehub.Protection{RequiredChecks: []fakehub.RequiredCheck{{Context: "ci"}}})
	w.repo.CI(func(string) []fakehub.CIResult { return []fakehub.CIResult{{Name: "ci", Conclusion: "success"}} })
	return nil
}

func manifestOf(app string) string { return "apps/" + app + "/deploy.yaml" }

// ship opens and merges a pull request that moves Apps to an image.
func (w *world) ship(author, title, branch, tag string, apps []string) (int, error) {
	files := map[string]*string{}
	for _, app := range apps {
		text := stage.Deployment(app, tag)
		files[manifestOf(app)] = &text
	}
	pr, err := w.repo.OpenPR(author, title, branch, "main", files)
	if err != nil {
		return 0, err
	}
	_, err = w.repo.MergePR(pr.Number, "squash", author)
	return pr.Number, err
}

// prepare makes the pull requests that people will speak on.
func (w *world) prepare() error {
	delta := w.size.team(aside)
	for i := range 6 {
		n, err := w.repo.OpenPR(people[i%len(people)], fmt.Sprintf("Tidy the docs, part %d", i+1), fmt.Sprintf("docs-%d", i), "main",
			map[string]*string{fmt.Sprintf("docs/part-%d.md", i): fakehub.Text("words\n")})
		if err != nil {
			return err
		}
		w.innocent = append(w.innocent, n.Number)
	}
	var err error
	if w.warm, err = w.ship("dave", "Tune "+delta[0], "tune-0", "v2", delta[:1]); err != nil {
		return err
	}
	w.fresh, err = w.ship("dave", "Tune "+delta[1], "tune-1", "v2", delta[1:])
	return err
}

// breakAll merges the three culprits, each as a rollout of its own.
func (w *world) breakAll(rolledOut func() error) error {
	for _, team := range teams {
		n, err := w.ship("dave", "Move "+team+" to v2", "bump-"+team, "v2-bad", w.size.team(team))
		if err != nil {
			return err
		}
		w.culprit[team] = n
		if err := w.cluster.Reconcile(); err != nil {
			return err
		}
		if err := rolledOut(); err != nil {
			return err
		}
	}
	return nil
}

// reconcile plays the control plane until ctx ends.
func (w *world) reconcile(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = w.cluster.Reconcile() // the source is a file; what fails once is done next time
		}
	}
}

func (w *world) close() {
	if w.remote != nil {
		w.remote.Close()
	}
	if w.hub != nil {
		_ = w.hub.Close()
	}
}

// source is the hub's repository as the cluster reads it.
type source struct{ repo *fakehub.Repo }

func (s source) Head(branch string) (bot.SHA, error) { return bot.SHA(s.repo.Head(branch)), nil }

func (s source) File(rev bot.SHA, path string) ([]byte, error) {
	text, ok := s.repo.File(string(rev), path)
	if !ok {
		return nil, nil
	}
	return []byte(text), nil
}
