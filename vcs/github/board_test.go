package github_test

import (
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

const marker = "<!-- backout:rollback=r1 -->"

func post(number int, text string) bot.Post {
	return bot.Post{Repo: repoName, Number: number, Marker: marker, Body: text + "\n" + marker}
}

func TestPostIsWrittenOnce(t *testing.T) {
	w, p := opened(t)
	for i := range 120 { // more than a page before ours
		_, err := w.repo.Comment(p.Number, "ann", strings.Repeat("chatter ", i%3+1))
		must(t, err)
	}
	_, err := w.repo.Comment(p.Number, "eve", "> forged\n"+marker)
	must(t, err)
	id, err := w.client.Post(t.Context(), post(p.Number, "Working on it."))
	must(t, err)

	seen := w.since(func() {
		again, err := w.newClient(nil).Post(t.Context(), post(p.Number, "Working on it."))
		if err != nil || again != id {
			t.Errorf("a replay wrote comment %d after %d: %v", again, id, err)
		}
	})
	for _, r := range seen {
		if r.Writes > 0 && !strings.HasSuffix(r.Path, "access_tokens") {
			t.Errorf("a replay with the same text wrote: %v", r)
		}
	}
	again, err := w.client.Post(t.Context(), post(p.Number, "Done."))
	must(t, err)
	known := post(p.Number, "Really done.")
	known.ID = id
	third, err := w.client.Post(t.Context(), known)
	must(t, err)
	if again != id || third != id {
		t.Errorf("comments %d, %d, %d: want one", id, again, third)
	}
	comments := w.repo.Comments(p.Number)
	last := comments[len(comments)-1]
	if len(comments) != 122 || last.Body != known.Body || last.Author != "backout[bot]" {
		t.Errorf("%d comments, the last %+v", len(comments), last)
	}
}

func TestPostAfterAPersonDeletedIt(t *testing.T) {
	w, p := opened(t)
	first := post(p.Number, "Working on it.")
	id, err := w.client.Post(t.Context(), first)
	must(t, err)
	must(t, w.repo.DeleteComment(id, "ann"))
	first.ID = id
	second, err := w.client.Post(t.Context(), first)
	must(t, err)
	if second == id || second == 0 || len(w.repo.Comments(p.Number)) != 1 {
		t.Errorf("comment %d after %d, %d comments", second, id, len(w.repo.Comments(p.Number)))
	}
}

func TestPostCutOff(t *testing.T) {
	w, p := opened(t)
	const route = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments"
	w.hub.Fail(fakehub.Fault{Match: fakehub.MatchRoute(route), CutAfter: true})
	id, err := w.client.Post(t.Context(), post(p.Number, "Working on it."))
	must(t, err)
	w.hub.Fail(fakehub.Fault{Match: fakehub.MatchRoute(route), CutBefore: true})
	other := post(p.Number, "Other.")
	other.Marker, other.Body = "<!-- backout:2 -->", "Other. <!-- backout:2 -->"
	_, err = w.client.Post(t.Context(), other)
	wantTrouble(t, err, bot.TroubleTransient, "write the comment")
	if list := w.repo.Comments(p.Number); len(list) != 1 || list[0].ID != id {
		t.Errorf("comments %+v, want %d alone", list, id)
	}
}

func TestPostTooLong(t *testing.T) {
	w, p := opened(t)
	_, err := w.client.Post(t.Context(), post(p.Number, strings.Repeat("häßlich ", 20000)))
	must(t, err)
	body := w.repo.Comments(p.Number)[0].Body
	if n := len([]rune(body)); n > 65536 || n < 65000 || !strings.Contains(body, marker) || !strings.Contains(body, "too long") {
		t.Errorf("%d characters, ending in %q", n, body[len(body)-120:])
	}
}

func TestPostNeedsItsMarker(t *testing.T) {
	w, p := opened(t)
	bad := post(p.Number, "x")
	bad.Body = "no marker"
	_, err := w.client.Post(t.Context(), bad)
	wantTrouble(t, err, bot.TroubleInvalid, "marker")
}

func TestReact(t *testing.T) {
	w, p := opened(t)
	id, err := w.repo.Comment(p.Number, "ann", "/rollback")
	must(t, err)
	for range 2 {
		must(t, w.client.React(t.Context(), repoName, id, "eyes"))
	}
	must(t, w.client.React(t.Context(), repoName, id, "rocket"))
	if got := w.repo.Comments(p.Number)[0].Reactions; len(got) != 2 {
		t.Errorf("reactions %v, want eyes and rocket", got)
	}
	must(t, w.repo.DeleteComment(id, "ann"))
	wantTrouble(t, w.client.React(t.Context(), repoName, id, "eyes"), bot.TroubleNotFound, "react to comment")
}

func TestCheckIsWrittenOnce(t *testing.T) {
	w, p := opened(t)
	run := bot.CheckRun{
		Repo: repoName, Head: p.Head, Name: "backout", ExternalID: "r1",
		Title: "Waiting for checks", Summary: "All is well.", DetailsURL: "https://backout.example.com/r1",
	}
	other := run
	other.ExternalID = "r0"
	otherID, err := w.client.Check(t.Context(), other)
	must(t, err)
	id, err := w.client.Check(t.Context(), run)
	must(t, err)
	again, err := w.newClient(nil).Check(t.Context(), run)
	must(t, err)
	if id == otherID || again != id {
		t.Errorf("runs %d, %d, %d: want the second found again", otherID, id, again)
	}
	run.Done, run.Conclusion, run.ID = true, "success", id
	run.Title, run.Summary = strings.Repeat("t", 300), strings.Repeat("s", 70000)
	last, err := w.client.Check(t.Context(), run)
	must(t, err)
	var found bool
	for _, c := range w.repo.Checks(string(p.Head)) {
		if c.ID == last && last == id {
			found = c.Status == "completed" && c.Conclusion == "success" && c.App == "backout" &&
				len([]rune(c.Title)) == 255 && len([]rune(c.Summary)) <= 65535 && c.DetailsURL == run.DetailsURL
		}
	}
	if !found {
		t.Errorf("run %d is not completed as told, among %d", id, len(w.repo.Checks(string(p.Head))))
	}
}

func TestCheckCutOff(t *testing.T) {
	w, p := opened(t)
	w.hub.Fail(fakehub.Fault{Match: fakehub.MatchRoute("POST /repos/{owner}/{repo}/check-runs"), CutAfter: true})
	run := bot.CheckRun{Repo: repoName, Head: p.Head, Name: "backout", ExternalID: "r1", Title: "x", Summary: "y"}
	id, err := w.client.Check(t.Context(), run)
	must(t, err)
	if list := w.repo.Checks(string(p.Head)); len(list) != 1 || list[0].ID != id {
		t.Errorf("checks %+v, want %d alone", list, id)
	}
}

// TestFinalPostLeavesOne: a request of a process that died has left a second
// comment and put the first back to an older text.
func TestFinalPostLeavesOne(t *testing.T) {
	w, p := opened(t)
	id, err := w.client.Post(t.Context(), post(p.Number, "Working on it."))
	must(t, err)
	stray := post(p.Number, "Stray.")
	stray.Marker = "<!-- stray -->"
	stray.Body += stray.Marker
	_, err = w.client.Post(t.Context(), stray)
	must(t, err)
	_, err = w.repo.Comment(p.Number, "eve", "mine\n"+marker)
	must(t, err)

	late := true
	w.hub.Fail(fakehub.Fault{Match: fakehub.MatchRoute("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}"), After: func() {
		if late {
			late = false
			must(t, w.repo.EditComment(id, "backout[bot]", "Working on it.\n"+marker))
		}
	}})
	final := post(p.Number, "Done.")
	final.ID, final.Final = id, true
	last, err := w.client.Post(t.Context(), final)
	must(t, err)
	comments := w.repo.Comments(p.Number)
	if last != id || len(comments) != 2 || comments[0].ID != id || comments[0].Body != final.Body || comments[1].Author != "eve" {
		t.Errorf("comment %d of %+v, want %d and eve's", last, comments, id)
	}
}

// TestFinalCheckCompletesAll: a second run that a request of a process that died
// has made does not stay in progress.
func TestFinalCheckCompletesAll(t *testing.T) {
	w, p := opened(t)
	run := bot.CheckRun{Repo: repoName, Head: p.Head, Name: "backout", ExternalID: "r1", Title: "x", Summary: "y"}
	id, err := w.client.Check(t.Context(), run)
	must(t, err)
	w.hub.Fail(fakehub.Fault{Match: func(r fakehub.Request) bool { return r.Method == "GET" && strings.HasSuffix(r.Path, "/check-runs") },
		Body: `{"total_count":0,"check_runs":[]}`, Status: 200})
	second, err := w.client.Check(t.Context(), run)
	must(t, err)
	if all, open := w.repo.Runs(string(p.Head), "backout"); second == id || all != 2 || open != 2 {
		t.Fatalf("%d runs, %d open, want two", all, open)
	}
	run.ID, run.Final, run.Done, run.Conclusion = second, true, true, "success"
	must(t, func() error { _, err := w.client.Check(t.Context(), run); return err }())
	if all, open := w.repo.Runs(string(p.Head), "backout"); all != 2 || open != 0 {
		t.Errorf("%d runs, %d open, want all completed", all, open)
	}
}
