package scenarios

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"
)

// vault takes down every secret of one play: those in the bot's files, and the
// tokens that GitHub hands out while it plays.
type vault struct {
	mu     sync.Mutex
	minted []string
}

// token matches an installation token in an answer of GitHub.
var token = regexp.MustCompile(`"token":"([^"]+)"`)

// RoundTrip implements http.RoundTripper: it looks on at the bot's requests.
func (v *vault) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || !strings.HasSuffix(req.URL.Path, "/access_tokens") {
		if jwt, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer "); ok {
			v.add(jwt)
		}
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if m := token.FindSubmatch(body); m != nil {
		v.add(string(m[1]))
	}
	return resp, nil
}

func (v *vault) add(secret string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.Contains(v.minted, secret) {
		v.minted = append(v.minted, secret)
	}
}

// secrets are all of them, each by a name.
func (v *vault) secrets(dir string) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"webhook-secret", "alert-token"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			out[name] = strings.TrimSpace(string(b))
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "key.pem")); err == nil {
		for i, line := range strings.Split(string(b), "\n") {
			if len(line) >= 32 && !strings.HasPrefix(line, "-----") {
				out[fmt.Sprintf("private key, line %d", i)] = line
			}
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, t := range v.minted {
		out[fmt.Sprintf("token %d", i)] = t
	}
	return out
}

// leaks looks for secrets in a text, as they are and as git sends them.
func leaks(where, text string, secrets map[string]string) (found []string) {
	for name, s := range secrets {
		for _, spelling := range []string{s, base64.StdEncoding.EncodeToString([]byte("x-access-token:" + s))} {
			if strings.Contains(text, spelling) {
				found = append(found, name+" in "+where)
			}
		}
	}
	return found
}

// traces is all that a play left where others can read: comments, pull
// requests, commits and check runs on GitHub, the metrics, the log, and every
// file in the bot's data directory.
func (p *play) traces(log string) (map[string]string, error) {
	out := map[string]string{"the log": log}
	for _, pr := range p.stage.Repo.PRs() {
		out[fmt.Sprintf("#%d", pr.Number)] = fmt.Sprintf("%+v", pr)
		for i, c := range p.stage.Repo.Comments(pr.Number) {
			out[fmt.Sprintf("comment %d on #%d", i, pr.Number)] = c.Body
		}
	}
	for i, r := range p.stage.Hub.Requests() {
		out[fmt.Sprintf("request %d", i)] = r.String() + string(r.Body)
	}
	if resp, err := p.stage.Client().Get(p.stage.InternalURL() + "/metrics"); err == nil { // a story may end with the bot down
		metrics, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			return nil, err
		}
		out["the metrics"] = string(metrics)
	}
	data := filepath.Join(p.stageOpts.Dir, "data")
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, data)] = string(b)
		return err
	})
	return out, err
}

// search keeps a play's secrets and log; the end of the play looks for the ones
// in what it left.
type search struct {
	vault *vault
	log   *buffer
}

// searched lets a play be searched when it ends.
func (p *play) searched() *search {
	s := &search{&vault{}, &buffer{}}
	p.stageOpts.Transport = s.vault
	p.stageOpts.Log = slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return s
}

// finds lists the secrets that show.
func (s *search) finds(p *play) []string {
	traces, err := p.traces(s.log.String())
	if err != nil {
		p.t.Fatal(err)
	}
	secrets := s.vault.secrets(p.stageOpts.Dir)
	if len(secrets) < 10 || len(traces) < 5 || !strings.Contains(s.log.String(), "backout serves") {
		p.t.Fatalf("only %d secrets and %d traces are known", len(secrets), len(traces))
	}
	var found []string
	for where, text := range traces {
		found = append(found, leaks(where, text, secrets)...)
	}
	slices.Sort(found)
	return found
}

// TestTheSearchFinds: a secret in any of the traces would be found. What tells
// it leaves each in one of them.
func TestTheSearchFinds(t *testing.T) {
	p := newPlay(t, story(t, "command"), nil)
	s := p.searched()
	p.run(string(story(t, "command").Comment))
	if found := s.finds(p); len(found) != 0 {
		t.Fatalf("found before anything is leaked: %q", found)
	}
	secrets := s.vault.secrets(p.stageOpts.Dir)
	if _, err := p.stage.Repo.Comment(1, "eve", "look: "+secrets["token 0"]); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(s.log, secrets["alert-token"])
	leak := filepath.Join(p.stageOpts.Dir, "data", "leak")
	if err := os.WriteFile(leak, []byte("\x00\x01"+base64.StdEncoding.EncodeToString([]byte("x-access-token:"+secrets["token 1"]))+secrets["webhook-secret"]), 0o600); err != nil {
		t.Fatal(err)
	}
	found := strings.Join(s.finds(p), "\n")
	for _, want := range []string{"token 0 in comment", "alert-token in the log", "token 1 in /leak", "webhook-secret in /leak"} {
		if !strings.Contains(found, want) {
			t.Errorf("%q is not among\n%s", want, found)
		}
	}
}

// TestTheLogIsFenced: what passes through the bot's own log comes out without
// secrets, wherever it came from.
func TestTheLogIsFenced(t *testing.T) {
	p := newPlay(t, story(t, "command"), nil)
	s := p.searched()
	p.run(string(story(t, "command").Comment))
	secrets := s.vault.secrets(p.stageOpts.Dir)
	for name, secret := range secrets {
		p.stage.App.Flow.Log.Info("a library says "+secret, "of", name, "error", fmt.Errorf("request with %s failed", secret))
	}
	if found := s.finds(p); len(found) != 0 {
		t.Errorf("found %q", found)
	}
	if n := strings.Count(s.log.String(), "a library says [redacted]"); n != len(secrets) {
		t.Errorf("%d of %d lines are fenced", n, len(secrets))
	}
}

func story(t *testing.T, name string) *txtar.Archive {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	return archive
}
