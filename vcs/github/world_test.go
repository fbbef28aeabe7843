package github_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/vcs/github"
)

// appKey is made once: a key takes longer to make than any test takes to run.
var appKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// appKeyPEM is the key as it would be downloaded.
func appKeyPEM() ([]byte, error) {
	key, err := appKey()
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
}

const repoName = bot.RepoName("acme/fleet")

// world is a hub with one repository, our App on it, and a client.
type world struct {
	*testing.T

	hub    *fakehub.Hub
	repo   *fakehub.Repo
	app    *fakehub.App
	client *github.Client
	clock  *clock
}

// clock runs with the real one, plus what a test adds.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// newWorld starts a hub whose repository acme/fleet holds the files.
func newWorld(t *testing.T, files map[string]string) *world {
	t.Helper()
	c := &clock{}
	hub, err := fakehub.New(fakehub.Options{Now: c.now, AuthNow: time.Now})
	must(t, err)
	t.Cleanup(func() { must(t, hub.Close()) })
	if files == nil {
		files = map[string]string{"apps/web.yaml": "image: web:1\n", "README.md": "fleet\n"}
	}
	repo, err := hub.CreateRepo(string(repoName), fakehub.RepoOptions{Files: files})
	must(t, err)
	key, err := appKey()
	must(t, err)
	app, err := hub.CreateApp(fakehub.AppOptions{Slug: "backout", PrivateKey: key})
	must(t, err)
	_, err = hub.Install(app, string(repoName))
	must(t, err)
	w := &world{T: t, hub: hub, repo: repo, app: app, clock: c}
	w.client = w.newClient(nil)
	return w
}

// newClient is what a restart leaves: a client that remembers nothing.
func (w *world) newClient(transport http.RoundTripper) *github.Client {
	w.Helper()
	c, err := github.New(github.Config{
		AppID: w.app.ID(), PrivateKey: w.app.PrivateKeyPEM(), APIURL: w.hub.URL(),
		Transport: transport, Now: w.clock.now,
	})
	must(w.T, err)
	return c
}

// warm gets tokens ready, so that what is counted afterwards is the act alone.
func (w *world) warm() *world {
	w.Helper()
	must(w.T, w.client.Warm(w.Context(), repoName))
	return w
}

// push commits to main; a nil text removes a file.
func (w *world) push(message string, files map[string]*string) bot.SHA {
	w.Helper()
	sha, err := w.repo.Commit("main", "ann", message, files)
	must(w.T, err)
	return bot.SHA(sha)
}

// since counts the requests that f makes.
func (w *world) since(f func()) []fakehub.Request {
	before := len(w.hub.Requests())
	f()
	return w.hub.Requests()[before:]
}

// bad is a change to take back, on top of main.
func (w *world) bad() bot.SHA {
	return w.push("Roll out web 2", map[string]*string{"apps/web.yaml": fakehub.Text("image: web:2\n")})
}

// revert asks for the files on top of main, with the tree that git computes.
func (w *world) revert(files ...bot.FileChange) bot.RevertRequest {
	w.Helper()
	onto := w.repo.Head("main")
	return bot.RevertRequest{
		Repo: repoName, Base: "main", Branch: "backout/revert-" + onto[:12],
		Onto: bot.SHA(onto), Tree: w.tree(onto, files), Files: files,
		Message: "Revert \"Roll out web 2\"\n\nThis reverts commit " + onto + ".\n",
		Title:   `Revert "Roll out web 2"`, Body: "It broke.",
	}
}

// webBack is the revert of bad.
func (w *world) webBack() bot.RevertRequest {
	return w.revert(edit("apps/web.yaml", "image: web:2\n", "image: web:1\n"))
}

func edit(path, before, after string) bot.FileChange {
	return bot.FileChange{Path: path, Before: []byte(before), After: []byte(after), BeforeMode: "100644", AfterMode: "100644"}
}

func add(path, text, mode string) bot.FileChange {
	return bot.FileChange{Path: path, After: []byte(text), AfterMode: mode}
}

func remove(path string) bot.FileChange {
	return bot.FileChange{Path: path, BeforeMode: "100644"}
}

// tree asks git for the tree that has the files on top of a commit. What git
// writes for that stays outside of the hub's repository.
func (w *world) tree(onto string, files []bot.FileChange) bot.SHA {
	w.Helper()
	dir := w.TempDir()
	must(w.T, os.MkdirAll(filepath.Join(dir, "objects"), 0o755))
	env := append(os.Environ(),
		"GIT_DIR="+w.repo.Dir, "GIT_WORK_TREE="+dir, "GIT_INDEX_FILE="+filepath.Join(dir, "index"),
		"GIT_OBJECT_DIRECTORY="+filepath.Join(dir, "objects"),
		"GIT_ALTERNATE_OBJECT_DIRECTORIES="+filepath.Join(w.repo.Dir, "objects"),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
	)
	git := func(stdin []byte, args ...string) string {
		cmd := exec.CommandContext(w.Context(), "git", args...)
		cmd.Env, cmd.Stdin = env, bytes.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			w.Fatalf("git %s: %v: %s", args[0], err, out)
		}
		return strings.TrimSpace(string(out))
	}
	// One process for all contents: they are files by number, named on stdin.
	var paths, lines strings.Builder
	for i, f := range files {
		path := filepath.Join(dir, strconv.Itoa(i))
		must(w.T, os.WriteFile(path, f.After, 0o600))
		paths.WriteString(path + "\n")
	}
	blobs := strings.Fields(git([]byte(paths.String()), "hash-object", "-w", "--no-filters", "--stdin-paths"))
	for i, f := range files {
		mode, blob := f.AfterMode, blobs[i]
		if f.Blob != "" {
			blob = string(f.Blob)
		}
		if mode == "" {
			mode, blob = "0", strings.Repeat("0", 40) // removes the path.
		}
		lines.WriteString(mode + " " + blob + "\t" + f.Path + "\x00")
	}
	git(nil, "read-tree", onto)
	git([]byte(lines.String()), "update-index", "-z", "--add", "--index-info")
	return bot.SHA(git(nil, "write-tree", "--missing-ok"))
}

// tip is the head commit of a branch.
func (w *world) tip(branch string) fakehub.CommitInfo {
	w.Helper()
	log, err := w.repo.Log(w.repo.Head(branch))
	must(w.T, err)
	if len(log) == 0 {
		w.Fatalf("there is no branch %s", branch)
	}
	return log[0]
}

// openPRs lists the open pull requests.
func (w *world) openPRs() []fakehub.PR {
	var open []fakehub.PR
	for _, pr := range w.repo.PRs() {
		if pr.State == "open" {
			open = append(open, pr)
		}
	}
	return open
}

// gitIn runs git in a bare repository.
func gitIn(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"--git-dir", dir, "-c", "safe.directory=*"}, args...)...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantTrouble checks the kind of an error, and words that its text and advice
// must hold between them.
func wantTrouble(t *testing.T, err error, kind bot.TroubleKind, words ...string) {
	t.Helper()
	if !bot.IsTrouble(err, kind) {
		t.Fatalf("error is %v (%+v), want trouble of kind %s", err, bot.AsTrouble(err), kind)
	}
	got := bot.AsTrouble(err)
	for _, word := range words {
		if !strings.Contains(got.Text+" | "+got.Advice, word) {
			t.Errorf("trouble %q, advice %q: %q is missing", got.Text, got.Advice, word)
		}
	}
}
