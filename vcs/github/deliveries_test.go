package github_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

// TestDeliveries reads what failed, page by page, newest first, and one payload.
func TestDeliveries(t *testing.T) {
	w := newWorld(t, nil)
	status := http.StatusServiceUnavailable
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(status) }))
	t.Cleanup(srv.Close)
	w.app.SetWebhook(srv.URL, "secret")
	issue := w.repo.OpenIssue("ann", "x", "")
	say := func(body string) int64 {
		t.Helper()
		n, err := w.repo.Comment(issue, "ann", body)
		must(t, err)
		must(t, w.hub.Flush(t.Context()))
		return n
	}
	for i := range 150 {
		say(fmt.Sprint("/rollback ", i))
	}
	status = http.StatusAccepted
	say("this one arrived")
	status = http.StatusUnauthorized
	last := say("the secret was wrong")

	first, err := w.client.Deliveries(t.Context(), "")
	must(t, err)
	second, err := w.client.Deliveries(t.Context(), first.Next)
	must(t, err)
	if len(first.Deliveries) != 100 || len(second.Deliveries) != 51 || second.Next != "" {
		t.Fatalf("pages of %d and %d, then %q", len(first.Deliveries), len(second.Deliveries), second.Next)
	}
	all := append(first.Deliveries, second.Deliveries...)
	guids := map[string]bool{}
	for i, d := range all {
		if !d.Failed || d.Event != "issue_comment" || d.Action != "created" || i > 0 && d.At.After(all[i-1].At) {
			t.Fatalf("delivery %d is %+v", i, d)
		}
		guids[d.GUID] = true
	}
	if len(guids) != 151 {
		t.Errorf("%d GUIDs", len(guids))
	}
	// GitHub's clock has whole seconds here.
	if d := w.clock.now().Sub(first.Now); d < -time.Second || d > time.Minute {
		t.Errorf("GitHub's clock is %v", first.Now)
	}
	var payload struct{ Comment struct{ ID int64 } }
	raw, err := w.client.Payload(t.Context(), all[0].ID)
	must(t, err)
	must(t, json.Unmarshal(raw, &payload))
	if payload.Comment.ID != last {
		t.Errorf("payload is of comment %d, not %d", payload.Comment.ID, last)
	}
	if _, err := w.client.Payload(t.Context(), 1); !bot.IsTrouble(err, bot.TroubleNotFound) {
		t.Errorf("a delivery that is not there: %v", err)
	}
	if _, err := w.client.Deliveries(t.Context(), "nonsense"); !bot.IsTrouble(err, bot.TroubleInvalid) {
		t.Errorf("a cursor that is none: %v", err)
	}
	// GitHub keeps three days.
	w.clock.advance(73 * time.Hour)
	page, err := w.client.Deliveries(t.Context(), "")
	must(t, err)
	if len(page.Deliveries) != 0 {
		t.Errorf("after three days there are %d", len(page.Deliveries))
	}
	if _, err := w.client.Payload(t.Context(), all[0].ID); !bot.IsTrouble(err, bot.TroubleNotFound) {
		t.Errorf("after three days: %v", err)
	}
}

// TestDeliveriesOfAServerWithoutFilter: GitHub Enterprise Server before 3.17
// lists what went well, too, and may lack a date.
func TestDeliveriesOfAServerWithoutFilter(t *testing.T) {
	entry := func(id, code int) map[string]any {
		return map[string]any{
			"id": id, "guid": fmt.Sprint("guid-", id), "delivered_at": "2026-03-01T03:00:00.000Z", "redelivery": false, "duration": 0.1,
			"status": "", "status_code": code, "event": "push", "action": nil, "installation_id": nil, "repository_id": nil,
		}
	}
	s := &stub{}
	c := s.start(t, map[string]any{
		"GET /app/hook/deliveries": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if got, want := r.URL.RawQuery, "per_page=100&status=failure"; got != want {
				t.Errorf("query is %s, not %s", got, want)
			}
			w.Header()["Date"] = nil
			must(t, json.NewEncoder(w).Encode([]any{entry(4, 202), entry(3, 0), entry(2, 503), entry(1, 302)}))
		}),
		"GET /app/hook/deliveries/3": map[string]any{"id": 3, "request": map[string]any{"headers": nil, "payload": nil}},
	})
	page, err := c.Deliveries(t.Context(), "")
	must(t, err)
	var failed []int64
	for _, d := range page.Deliveries {
		if d.Failed {
			failed = append(failed, d.ID)
		}
	}
	if diff := cmp.Diff([]int64{3, 2, 1}, failed); diff != "" {
		t.Error(diff)
	}
	if time.Since(page.Now).Abs() > time.Minute {
		t.Errorf("without a date it is %v", page.Now)
	}
	if _, err := c.Payload(t.Context(), 3); !bot.IsTrouble(err, bot.TroubleNotFound) {
		t.Errorf("a payload that is gone: %v", err)
	}
}

// TestComments reads a conversation again.
func TestComments(t *testing.T) {
	w := newWorld(t, nil)
	issue := w.repo.OpenIssue("ann", "x", "")
	var ids []int64
	for i := range 120 {
		id, err := w.repo.Comment(issue, "ann", fmt.Sprint(i))
		must(t, err)
		ids = append(ids, id)
	}
	w.clock.advance(time.Hour)
	since := w.clock.now()
	id, err := w.repo.Comment(issue, "bob", "later")
	must(t, err)
	must(t, w.repo.EditComment(ids[3], "bob", "edited"))
	must(t, w.repo.DeleteComment(ids[4], "ann"))
	all, err := w.client.Comments(t.Context(), repoName, issue, since.Add(-2*time.Hour))
	must(t, err)
	if len(all) != 120 || all[4].ID != ids[5] {
		t.Errorf("%d comments, the fifth is %d", len(all), all[4].ID)
	}
	got, err := w.client.Comments(t.Context(), repoName, issue, since.Add(-time.Second))
	must(t, err)
	want := []bot.Comment{
		{Repo: repoName, Number: issue, ID: ids[3], Author: "ann", Body: "edited", Written: since.Add(-time.Hour), Edited: true},
		{Repo: repoName, Number: issue, ID: id, Author: "bob", Body: "later", Written: since},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(time.Minute)); diff != "" {
		t.Error(diff)
	}
	w.hub.Fail(fakehub.Fault{Status: http.StatusInternalServerError, Match: fakehub.MatchRoute("GET /repos/{owner}/{repo}/issues/{issue_number}/comments")})
	if _, err := w.client.Comments(t.Context(), repoName, issue, since); !bot.IsTrouble(err, bot.TroubleTransient) {
		t.Errorf("a server error: %v", err)
	}
}
