package webhooks

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// logged is a delivery as the log has it, three hours old.
func logged(event, action string) bot.Delivery {
	return bot.Delivery{ID: 7, GUID: id, Event: event, Action: action, At: time.Date(2026, 2, 26, 16, 0, 0, 0, time.UTC), Failed: true}
}

// TestTheLogHoldsTheSameEvent: a command has one ID by either way, so the engine
// takes it in once.
func TestTheLogHoldsTheSameEvent(t *testing.T) {
	h := newHarness(t)
	body := fixture(t, "github/issue_comment", nil)
	found, err := h.Delivered(t.Context(), logged("issue_comment", "created"), body)
	if err != nil || found == nil {
		t.Fatalf("%v %v", found, err)
	}
	if !h.engine.quiet() {
		t.Error("reading the log accepted something")
	}
	if resp := h.do(delivered("issue_comment", body)); resp.StatusCode != http.StatusAccepted {
		t.Fatal(resp.Status)
	}
	want := h.engine.events[found.ID]
	if !found.Received.Equal(logged("", "").At) {
		t.Errorf("received at %v, not when it was sent", found.Received)
	}
	want.Received = found.Received
	if diff := cmp.Diff(want, *found); diff != "" {
		t.Errorf("by HTTP (-) and from the log (+):\n%s", diff)
	}
}

// TestTheLogIsHeldToTheSameRules: what is dropped at the door is dropped here.
func TestTheLogIsHeldToTheSameRules(t *testing.T) {
	for name, changes := range map[string]map[string]any{
		"edited":            {"action": "edited"},
		"on an issue":       {"issue.pull_request": nil},
		"without a command": {"comment.body": "It broke."},
		"by a bot":          {"comment.user.type": "Bot", "sender.type": "Bot"},
	} {
		h := newHarness(t)
		e, err := h.Delivered(t.Context(), logged("issue_comment", "created"), fixture(t, "github/issue_comment", changes))
		if err != nil || e != nil {
			t.Errorf("%s: %v %v", name, e, err)
		}
	}
	h := newHarness(t)
	for name, body := range map[string][]byte{
		"no JSON":        []byte("<html>"),
		"without a date": fixture(t, "github/issue_comment", map[string]any{"comment.created_at": nil}),
	} {
		if e, err := h.Delivered(t.Context(), logged("issue_comment", "created"), body); e != nil || !bot.IsTrouble(err, bot.TroubleInvalid) {
			t.Errorf("%s: %v %v", name, e, err)
		}
	}
}

func TestInstallationsFromTheLog(t *testing.T) {
	var got []Installation
	fail := errors.New("disk full")
	h := newHarness(t, func(c *Config) {
		c.OnInstallation = func(_ context.Context, i Installation) error {
			got = append(got, i)
			return fail
		}
	})
	body := fixture(t, "github/installation_repositories", nil)
	if e, err := h.Delivered(t.Context(), logged("installation_repositories", "added"), body); e != nil || !errors.Is(err, fail) {
		t.Errorf("a change that could not be recorded: %v %v", e, err)
	}
	fail = nil
	if e, err := h.Delivered(t.Context(), logged("installation_repositories", "added"), body); e != nil || err != nil {
		t.Errorf("%v %v", e, err)
	}
	want := Installation{ID: 4242, Account: "acme", Action: "added", Added: []bot.RepoName{"acme/apps"}, Removed: []bot.RepoName{"acme/old"}}
	if diff := cmp.Diff([]Installation{want, want}, got); diff != "" {
		t.Error(diff)
	}
	// One that is of another App is not ours.
	other := fixture(t, "github/installation", map[string]any{"installation.app_id": 5})
	if e, err := h.Delivered(t.Context(), logged("installation", "created"), other); e != nil || err != nil || len(got) != 2 {
		t.Errorf("another App's: %v %v", e, err)
	}
}

// TestWhatMustNotBeLost: only what is made durable is worth a request.
func TestWhatMustNotBeLost(t *testing.T) {
	with := newHarness(t, func(c *Config) { c.OnInstallation = func(context.Context, Installation) error { return nil } })
	without := newHarness(t)
	for _, tt := range []struct {
		event, action string
		want          bool
	}{
		{"issue_comment", "created", true},
		{"issue_comment", "edited", false},
		{"issue_comment", "deleted", false},
		{"installation", "deleted", true},
		{"installation_repositories", "removed", true},
		{"push", "", false},
		{"pull_request", "closed", false},
		{"check_run", "completed", false},
		{"star", "created", false},
	} {
		if got := with.Wants(tt.event, tt.action); got != tt.want {
			t.Errorf("%s %s: %v", tt.event, tt.action, got)
		}
	}
	if without.Wants("installation", "deleted") {
		t.Error("a change that nobody waits for is wanted")
	}
}
