package trial

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/command"
	"github.com/backout-dev/backout/webhooks"
)

// example is one published payload of an event.
type example struct {
	event   string
	payload map[string]any
}

// examples are all that GitHub's documentation has had.
var examples = sync.OnceValues(func() ([]example, error) {
	body, err := published("webhooks-examples/api.github.com/index.json")
	if err != nil {
		return nil, err
	}
	var events []struct {
		Name     string
		Examples []map[string]any
	}
	if err := json.Unmarshal(body, &events); err != nil {
		return nil, fmt.Errorf("read GitHub's examples: %w", err)
	}
	var list []example
	for _, e := range events {
		for _, payload := range e.Examples {
			list = append(list, example{e.Name, payload})
		}
	}
	return list, nil
})

// at reads a field within fields: "pull_request.head.sha".
func (e example) at(path string) any {
	var v any = e.payload
	for _, name := range strings.Split(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func (e example) text(path string) string { s, _ := e.at(path).(string); return s }

func (e example) number(path string) int64 { n, _ := e.at(path).(float64); return int64(n) }

// told is what the receiver made of a delivery.
type told struct {
	status   int
	answer   string
	accepted []bot.Event
	hints    []bot.Hint
	changes  []webhooks.Installation
}

func (o *told) Accept(_ context.Context, e bot.Event) error {
	o.accepted = append(o.accepted, e)
	return nil
}

func (o *told) Hint(h bot.Hint) { o.hints = append(o.hints, h) }

func (*told) Start(context.Context, bot.RollbackID) error { panic("webhooks start nothing") }

// deliver sends a payload to Backout's receiver as GitHub would: signed, by
// HTTP, to the App that the payload is for.
func deliver(t *testing.T, e example) *told {
	t.Helper()
	const secret = "a webhook secret of at least 32 bytes"
	app := e.number("installation.app_id")
	if app == 0 {
		app = 31337
	}
	o := &told{}
	s, err := webhooks.New(webhooks.Config{
		Engine: o, Secrets: [][]byte{[]byte(secret)}, AppID: app, Mentions: command.Mentions,
		OnInstallation: func(_ context.Context, i webhooks.Installation) error { o.changes = append(o.changes, i); return nil },
	})
	must(t, err)
	body, err := json.Marshal(e.payload)
	must(t, err)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	r := httptest.NewRequest(http.MethodPost, "/webhooks/github", bytes.NewReader(body))
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": e.event, "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		"X-GitHub-Hook-Installation-Target-Type": "integration", "X-GitHub-Hook-Installation-Target-ID": strconv.FormatInt(app, 10),
		"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.Public().ServeHTTP(w, r)
	o.status, o.answer = w.Code, strings.TrimSpace(w.Body.String())
	return o
}

// expected says what must come of an example: what is answered, and the hint
// that is given.
func expected(e example) (answer string, hint *bot.Hint) {
	repo := bot.RepoName(e.text("repository.full_name"))
	switch e.event {
	case "ping":
		return "pong", nil
	case "issue_comment":
		if e.text("action") != "created" {
			return "ignored: only new comments count", nil
		}
		return "ignored: a comment on an issue", nil
	case "installation", "installation_repositories":
		return "accepted", nil
	case "push":
		branch, ok := strings.CutPrefix(e.text("ref"), "refs/heads/")
		if !ok {
			return "ignored: not a push to a branch", nil
		}
		return "seen", &bot.Hint{Repo: repo, Ref: branch, Head: bot.SHA(e.text("after"))}
	case "pull_request", "pull_request_review":
		return "seen", &bot.Hint{Repo: repo, Number: int(e.number("pull_request.number")), Head: bot.SHA(e.text("pull_request.head.sha"))}
	case "check_run", "check_suite":
		return "seen", &bot.Hint{Repo: repo, Head: bot.SHA(e.text(e.event + ".head_sha"))}
	case "status":
		return "seen", &bot.Hint{Repo: repo, Head: bot.SHA(e.text("sha"))}
	case "merge_group":
		h := &bot.Hint{Repo: repo, Ref: strings.TrimPrefix(e.text("merge_group.base_ref"), "refs/heads/"), Head: bot.SHA(e.text("merge_group.head_sha"))}
		fmt.Sscanf(e.text("merge_group.head_ref"), "refs/heads/gh-readonly-queue/"+h.Ref+"/pr-%d-", &h.Number) //nolint:errcheck // 0 then.
		return "seen", h
	}
	return "ignored: not an event that Backout uses", nil
}

// TestPublishedExamples sends every example through the real receiver.
func TestPublishedExamples(t *testing.T) {
	list, err := examples()
	must(t, err)
	classes, used := map[string]int{}, 0
	for i, e := range list {
		got := deliver(t, e)
		answer, hint := expected(e)
		name := fmt.Sprintf("%d: %s %s", i, e.event, e.text("action"))
		if got.status/100 != 2 || got.answer != answer {
			t.Errorf("%s: %d %q, want %q", name, got.status, got.answer, answer)
		}
		if len(got.accepted) != 0 {
			t.Errorf("%s: became an event of ours: %+v", name, got.accepted)
		}
		if hint == nil && len(got.hints) != 0 || hint != nil && (len(got.hints) == 0 || got.hints[0] != *hint) {
			t.Errorf("%s: hints %+v, want %+v", name, got.hints, hint)
		}
		if answer == "accepted" && (len(got.changes) != 1 || got.changes[0].ID != e.number("installation.id") || got.changes[0].Action != e.text("action")) {
			t.Errorf("%s: %+v", name, got.changes)
		}
		class, _, _ := strings.Cut(answer, ":")
		classes[class]++
		if answer != "ignored: not an event that Backout uses" {
			used++
		}
	}
	if len(list) < 329 || used < 80 {
		t.Errorf("only %d examples, %d of events that Backout uses", len(list), used)
	}
	fmt.Printf("trial: %d published examples received, %d of events that Backout uses: %v\n", len(list), used, classes)
}
