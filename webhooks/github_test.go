package webhooks

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

const head = bot.SHA("6dcb09b5b57875f334f61aebed695e2e4193db5e")

func TestACommandIsMadeDurable(t *testing.T) {
	h := newHarness(t)
	resp := h.do(delivered("issue_comment", fixture(t, "github/issue_comment", nil)))
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%s: %s", resp.Status, resp.Text)
	}
	want := map[string]bot.Event{eventID: {
		ID: eventID, Received: time.Date(2026, 2, 26, 19, 11, 0, 0, time.UTC),
		Comment: &bot.Comment{
			Repo: "acme/fleet", Number: 12, ID: 99262140, Author: "mona", Body: "It broke checkout.\r\n\r\n/rollback\r\n",
			Written: time.Date(2026, 2, 26, 19, 10, 0, 0, time.UTC),
		},
	}}
	if diff := cmp.Diff(want, h.engine.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	h.wantMetric(t, `backout_webhook_requests_total{event="issue_comment",result="accepted",source="github"} 1`)
	for _, never := range []string{secret, "checkout", "sha256="} {
		if strings.Contains(h.log.String(), never) {
			t.Errorf("the log holds %q:\n%s", never, h.log)
		}
	}
}

// eventID is that of the comment in the fixture.
const eventID = "comment-github.com-99262140-created"

// A redelivery has the same GUID, in whatever case a proxy writes it. Who sends a
// signed body that he saw under a GUID of his own gets no second event.
func TestARedeliveryIsTheSameEvent(t *testing.T) {
	h := newHarness(t)
	body := fixture(t, "github/issue_comment", nil)
	for _, guid := range []string{id, strings.ToUpper(id), "00000000-0000-0000-0000-000000000000"} {
		r := delivered("issue_comment", body)
		r.Header.Set("X-GitHub-Delivery", guid)
		if resp := h.do(r); resp.StatusCode != http.StatusAccepted {
			t.Fatal(resp.Status)
		}
	}
	if len(h.engine.events) != 1 {
		t.Errorf("%d events", len(h.engine.events))
	}
}

// No 2xx without a commit: GitHub then shows a failed delivery, which the sweep
// finds.
func TestWhatIsNotRecordedIsNotAccepted(t *testing.T) {
	h := newHarness(t, func(c *Config) {
		c.OnInstallation = func(context.Context, Installation) error { return errors.New("disk full") }
	})
	h.engine.fail = errors.New("disk full")
	for event, body := range map[string][]byte{
		"issue_comment": fixture(t, "github/issue_comment", nil), "installation": fixture(t, "github/installation", nil),
	} {
		resp := h.do(delivered(event, body))
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %s, Retry-After %q", event, resp.Status, resp.Header.Get("Retry-After"))
		}
		if strings.Contains(resp.Text, "disk") {
			t.Errorf("%s: the answer tells what is only for the log", event)
		}
	}
	if !strings.Contains(h.log.String(), "disk full") {
		t.Error("the log does not tell why")
	}
}

// A sender that hangs up does not undo what is being recorded.
func TestASenderThatHangsUp(t *testing.T) {
	h := newHarness(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h.do(delivered("issue_comment", fixture(t, "github/issue_comment", nil)).WithContext(ctx))
	if len(h.engine.events) != 1 {
		t.Error("nothing was recorded")
	}
}

// TestCommentsThatDoNotCommand holds who and what is dropped at the door.
func TestCommentsThatDoNotCommand(t *testing.T) {
	ci := map[string]any{"id": 77, "slug": "ci"}
	tests := []struct {
		name    string
		changes map[string]any
		why     string
	}{
		{"edited", map[string]any{"action": "edited"}, "only new comments"},
		{"deleted", map[string]any{"action": "deleted"}, "only new comments"},
		{"on an issue", map[string]any{"issue.pull_request": nil}, "on an issue"},
		{"without a command", map[string]any{"comment.body": "It broke."}, "without a command"},
		{"without a body", map[string]any{"comment.body": nil}, "without a command"},
		{"by a bot", map[string]any{"comment.user.type": "Bot", "sender.type": "Bot"}, "by a bot"},
		{"sent by a bot", map[string]any{"sender.type": "Bot"}, "by a bot"},
		{"in the name of a bot", map[string]any{"comment.user.type": "Bot"}, "by a bot"},
		{"by an organization", map[string]any{"comment.user.type": "Organization"}, "by a bot"},
		{"by who knows", map[string]any{"comment.user.type": nil}, "by a bot"},
		{"by way of an App", map[string]any{"comment.performed_via_github_app": ci}, "by a bot"},
		{"by way of our App", map[string]any{"comment.performed_via_github_app": map[string]any{"id": ourApp}}, "by a bot"},
		{"of a deleted user", map[string]any{"comment.user": nil}, "without an author"},
		{"in another's name", map[string]any{"sender.login": "hubot"}, "another's name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t)
			resp := h.do(delivered("issue_comment", fixture(t, "github/issue_comment", tt.changes)))
			if resp.StatusCode != http.StatusAccepted || !h.engine.quiet() {
				t.Errorf("%s, events %v", resp.Status, h.engine.events)
			}
			if got := resp.Text; !strings.Contains(got, tt.why) {
				t.Errorf("answer %q, want a word about %q", got, tt.why)
			}
		})
	}
}

func TestHints(t *testing.T) {
	const zeros = "0000000000000000000000000000000000000000"
	tests := []struct {
		name    string
		event   string
		changes map[string]any
		want    []bot.Hint
	}{
		{"pull request", "pull_request", nil, []bot.Hint{{Repo: "acme/fleet", Number: 12, Head: head}}},
		{"review", "pull_request_review", nil, []bot.Hint{{Repo: "acme/fleet", Number: 12, Head: head}}},
		{"push", "push", nil, []bot.Hint{{Repo: "acme/fleet", Ref: "main", Head: head}}},
		{"push to a branch with a path", "push", map[string]any{"ref": "refs/heads/a/b"}, []bot.Hint{{Repo: "acme/fleet", Ref: "a/b", Head: head}}},
		{"push that deletes", "push", map[string]any{"after": zeros, "deleted": true}, []bot.Hint{{Repo: "acme/fleet", Ref: "main"}}},
		{"push of a tag", "push", map[string]any{"ref": "refs/tags/v1"}, nil},
		{"check suite", "check_suite", nil, []bot.Hint{{Repo: "acme/fleet", Head: head}, {Repo: "acme/fleet", Number: 12, Head: head}}},
		{"check run", "check_run", nil, []bot.Hint{{Repo: "acme/fleet", Head: head}, {Repo: "acme/fleet", Number: 12, Head: head}}},
		{"check run of a fork", "check_run", map[string]any{"check_run.pull_requests": []any{}}, []bot.Hint{{Repo: "acme/fleet", Head: head}}},
		{"check run with old dates", "check_run", map[string]any{"check_run.app.created_at": "2018-04-25 20:42:10"}, []bot.Hint{{Repo: "acme/fleet", Head: head}, {Repo: "acme/fleet", Number: 12, Head: head}}},
		{"our own check run", "check_run", map[string]any{"check_run.app.id": ourApp}, nil},
		{"our own check suite", "check_suite", map[string]any{"check_suite.app.id": ourApp}, nil},
		{"status", "status", nil, []bot.Hint{{Repo: "acme/fleet", Head: head}}},
		{"merge queue", "merge_group", nil, []bot.Hint{{Repo: "acme/fleet", Number: 12, Ref: "main", Head: head}}},
		{"merge queue of other names", "merge_group", map[string]any{"merge_group.head_ref": "refs/heads/x"}, []bot.Hint{{Repo: "acme/fleet", Ref: "main", Head: head}}},
		{"ping", "ping", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t)
			resp := h.do(delivered(tt.event, fixture(t, "github/"+tt.event, tt.changes)))
			if resp.StatusCode/100 != 2 {
				t.Fatalf("%s: %s", resp.Status, resp.Text)
			}
			if diff := cmp.Diff(tt.want, h.engine.hints); diff != "" {
				t.Errorf("hints (-want +got):\n%s", diff)
			}
			if h.engine.calls != 0 {
				t.Error("a hint was made durable")
			}
		})
	}
}

func TestPingIsAnswered(t *testing.T) {
	h := newHarness(t)
	if resp := h.do(delivered("ping", fixture(t, "github/ping", nil))); resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
}

func TestEventsThatWeDoNotUse(t *testing.T) {
	h := newHarness(t)
	for _, event := range []string{"star", "deployment", "no-such-event"} {
		if resp := h.do(delivered(event, []byte(`{"action":"created"}`))); resp.StatusCode != http.StatusAccepted || !h.engine.quiet() {
			t.Errorf("%s: %s", event, resp.Status)
		}
	}
	// What a stranger calls an event is no series of its own.
	h.wantMetric(t, `backout_webhook_requests_total{event="other",result="ignored",source="github"} 3`)
}

func TestInstallations(t *testing.T) {
	tests := []struct {
		event string
		want  Installation
	}{
		{"installation", Installation{ID: 4242, Account: "acme", Action: "created", Added: []bot.RepoName{"acme/fleet"}}},
		{"installation_repositories", Installation{ID: 4242, Account: "acme", Action: "added", Added: []bot.RepoName{"acme/apps"}, Removed: []bot.RepoName{"acme/old"}}},
	}
	for _, tt := range tests {
		var got []Installation
		h := newHarness(t, func(c *Config) {
			c.OnInstallation = func(_ context.Context, i Installation) error {
				got = append(got, i)
				return nil
			}
		})
		if resp := h.do(delivered(tt.event, fixture(t, "github/"+tt.event, nil))); resp.StatusCode != http.StatusAccepted {
			t.Errorf("%s: %s", tt.event, resp.Status)
		}
		if diff := cmp.Diff([]Installation{tt.want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.event, diff)
		}
		other := delivered(tt.event, fixture(t, "github/"+tt.event, map[string]any{"installation.app_id": 1}))
		if resp := h.do(other); resp.StatusCode != http.StatusAccepted || len(got) != 1 {
			t.Errorf("%s of another App: %s, told %v", tt.event, resp.Status, got)
		}
	}
}

// TestForeign: who else knows the secret is not our App.
func TestForeign(t *testing.T) {
	body := fixture(t, "github/issue_comment", nil)
	tests := []struct {
		name   string
		kind   string
		target string
		body   []byte
		want   bool // accepted
	}{
		{"ours", "integration", "31337", body, true},
		{"another App", "integration", "1", body, false},
		{"a repository's webhook", "repository", "1296269", body, false},
		{"a repository whose ID is that of our App", "repository", "31337", body, false},
		{"an old server", "", "", body, true},
		{"an old server, a repository's webhook", "", "", fixture(t, "github/issue_comment", map[string]any{"installation": nil}), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t)
			r := delivered("issue_comment", tt.body)
			r.Header.Del("X-GitHub-Hook-Installation-Target-Type")
			r.Header.Del("X-GitHub-Hook-Installation-Target-ID")
			if tt.kind != "" {
				r.Header.Set("X-GitHub-Hook-Installation-Target-Type", tt.kind)
				r.Header.Set("X-GitHub-Hook-Installation-Target-ID", tt.target)
			}
			if resp := h.do(r); resp.StatusCode != http.StatusAccepted || h.engine.quiet() == tt.want {
				t.Errorf("%s, events %v", resp.Status, h.engine.events)
			}
		})
	}
}

func TestBothSecretsAreGood(t *testing.T) {
	h := newHarness(t)
	body := fixture(t, "github/issue_comment", nil)
	r := delivered("issue_comment", body)
	r.Header.Set("X-Hub-Signature-256", signature256(body, second))
	if resp := h.do(r); resp.StatusCode != http.StatusAccepted || h.engine.quiet() {
		t.Error(resp.Status)
	}
}

// endless is a body that must not be read.
type endless struct{ t *testing.T }

func (e endless) Read([]byte) (int, error) {
	e.t.Error("the body was read before its sender was looked at")
	return 0, io.EOF
}

func TestRefusals(t *testing.T) {
	body := fixture(t, "github/issue_comment", nil)
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	unread := func(change func(*http.Request)) func(*http.Request) {
		return func(r *http.Request) {
			r.Body = io.NopCloser(endless{t})
			change(r)
		}
	}
	sum := signature256(body, secret)
	tests := []struct {
		name   string
		change func(*http.Request)
		status int
		text   string
	}{
		{"GET", unread(func(r *http.Request) { r.Method = http.MethodGet }), http.StatusMethodNotAllowed, "POST"},
		{"PUT", unread(func(r *http.Request) { r.Method = http.MethodPut }), http.StatusMethodNotAllowed, "POST"},
		{"form", unread(set("Content-Type", "application/x-www-form-urlencoded")), http.StatusUnsupportedMediaType, "set the webhook's content type"},
		{"no content type", unread(func(r *http.Request) { r.Header.Del("Content-Type") }), http.StatusUnsupportedMediaType, ""},
		{"JSON of another kind", unread(set("Content-Type", "application/jsonx")), http.StatusUnsupportedMediaType, ""},
		{"not signed", unread(func(r *http.Request) { r.Header.Del("X-Hub-Signature-256"); r.Header.Del("X-Hub-Signature") }), http.StatusUnauthorized, "not signed"},
		{"signed with SHA-1 only", unread(func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }), http.StatusUnauthorized, "SHA-1 only"},
		{"signed with SHA-1 under the other name", unread(set("X-Hub-Signature-256", signatureSHA1(body, secret))), http.StatusUnauthorized, "not a SHA-256"},
		{"a short signature", unread(set("X-Hub-Signature-256", "sha256=00")), http.StatusUnauthorized, "not a SHA-256"},
		{"a signature that is none", unread(set("X-Hub-Signature-256", "sha256="+strings.Repeat("zz", 32))), http.StatusUnauthorized, "not a SHA-256"},
		{"an announced length beyond the limit", unread(func(r *http.Request) { r.ContentLength = 4097 }), http.StatusRequestEntityTooLarge, "4096 bytes"},
		{"a length beyond the limit", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat(" ", 4097))), -1
		}, http.StatusRequestEntityTooLarge, "4096 bytes"},
		{"a body that breaks off", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader("{"), broken{})), -1
		}, http.StatusBadRequest, "to its end"},
		{"another secret", set("X-Hub-Signature-256", signature256(body, "another")), http.StatusUnauthorized, "does not match"},
		{"the empty secret", set("X-Hub-Signature-256", signature256(body, "")), http.StatusUnauthorized, "does not match"},
		{"another body", set("X-Hub-Signature-256", signature256(append(body, ' '), secret)), http.StatusUnauthorized, "does not match"},
		{"a bit off", set("X-Hub-Signature-256", sum[:len(sum)-1]+flip(sum[len(sum)-1])), http.StatusUnauthorized, "does not match"},
		{"no GUID", func(r *http.Request) { r.Header.Del("X-GitHub-Delivery") }, http.StatusBadRequest, "GUID"},
		{"a GUID that is none", set("X-GitHub-Delivery", "72d3162e"), http.StatusBadRequest, "GUID"},
		{"a GUID and more", set("X-GitHub-Delivery", id+"0"), http.StatusBadRequest, "GUID"},
		{"no event", func(r *http.Request) { r.Header.Del("X-GitHub-Event") }, http.StatusBadRequest, "X-GitHub-Event"},
		{"an event of another payload", set("X-GitHub-Event", "pull_request"), http.StatusBadRequest, "not that of the event"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, func(c *Config) { c.MaxGitHubBody = 4096 })
			r := delivered("issue_comment", body)
			tt.change(r)
			resp := h.do(r)
			if got := resp.Text; resp.StatusCode != tt.status || !strings.Contains(got, tt.text) {
				t.Errorf("%s: %s; want %d and a word about %q", resp.Status, got, tt.status, tt.text)
			}
			if !h.engine.quiet() {
				t.Error("the engine was told all the same")
			}
			if h.memory.Load() != 0 {
				t.Errorf("%d bytes are still counted as held", h.memory.Load())
			}
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func flip(b byte) string {
	if b == '0' {
		return "1"
	}
	return "0"
}

// Payloads that are signed but are not what GitHub describes.
func TestPayloadsThatMakeNoSense(t *testing.T) {
	tests := map[string]struct {
		event string
		body  string
	}{
		"no JSON":               {"push", `{`},
		"a list":                {"push", `[]`},
		"two values":            {"push", `{}{}`},
		"no repository":         {"push", `{"ref":"refs/heads/main"}`},
		"half a name":           {"push", `{"ref":"refs/heads/main","repository":{"full_name":"fleet"}}`},
		"too much of a name":    {"pull_request", `{"repository":{"full_name":"a/b/c"}}`},
		"a check on nothing":    {"check_run", `{"repository":{"full_name":"acme/fleet"}}`},
		"a queue of nothing":    {"merge_group", `{"repository":{"full_name":"acme/fleet"}}`},
		"a review of nothing":   {"pull_request_review", `{"repository":{"full_name":"acme/fleet"}}`},
		"a comment on nothing":  {"issue_comment", string(fixture(t, "github/issue_comment", map[string]any{"issue.number": 0}))},
		"a comment without ID":  {"issue_comment", string(fixture(t, "github/issue_comment", map[string]any{"comment.id": nil}))},
		"no installation":       {"installation", `{"action":"created"}`},
		"a date that is none":   {"check_run", string(fixture(t, "github/check_run", map[string]any{"check_run.app.created_at": "noon"}))},
		"words for numbers":     {"issue_comment", string(fixture(t, "github/issue_comment", map[string]any{"comment.id": "x"}))},
		"an App that is a word": {"issue_comment", string(fixture(t, "github/issue_comment", map[string]any{"comment.performed_via_github_app": "x"}))},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			resp := h.do(delivered(tt.event, []byte(tt.body)))
			if resp.StatusCode != http.StatusBadRequest || !h.engine.quiet() {
				t.Errorf("%s: %s", resp.Status, resp.Text)
			}
		})
	}
}

// Whoever floods the listener with bodies fills a bounded memory.
func TestMemoryIsBounded(t *testing.T) {
	h := newHarness(t)
	h.memory.Store(maxMemory)
	resp := h.do(delivered("push", fixture(t, "github/push", nil)))
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || !h.engine.quiet() {
		t.Error(resp.Status)
	}
	if got := h.memory.Load(); got != maxMemory {
		t.Errorf("%d bytes are held, want what was held before", got)
	}
	h.memory.Store(0)
	if resp := h.do(delivered("push", fixture(t, "github/push", nil))); resp.StatusCode != http.StatusAccepted {
		t.Error(resp.Status)
	}
}
