package scenarios

import (
	"bytes"
	"log/slog"
	"maps"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/backout-dev/backout/test/fakehub"
	"github.com/backout-dev/backout/test/memory"
)

// openings are the lines of stories from which on the bot has to act.
var openings = map[string]*regexp.Regexp{
	"command": regexp.MustCompile(`(?m)^comment ann 1 /rollback.*$`), "alert": regexp.MustCompile(`(?m)^alert$`),
	"gate-queue": regexp.MustCompile(`(?m)^comment ann 1 /rollback.*$`),
}

// hears is how the bot learns of anything in a story that begins with a
// comment: without it, GitHub tells it nothing.
var hears = map[string]bool{"issues": true}

// lost is a permission that is not granted as it should be.
type lost struct {
	name, level string // "" is none
	// merges is whether the revert merges all the same.
	merges bool
	// told is what the bot says when it comes to need it: on the pull request, in
	// the record, or where neither can be written, in the log.
	told string
}

// TestEachPermissionIsNeeded plays stories with one permission taken away. The
// bot says which one is missing and what does not work without it, and where
// it is needed for the merge, nothing merges. With all of them, and no others,
// TestStories passes.
func TestEachPermissionIsNeeded(t *testing.T) {
	for _, l := range []lost{
		{name: "contents", told: "contents"},
		{name: "contents", level: "read", told: "contents: write"},
		{name: "pull_requests", told: "pull_requests: "},
		{name: "pull_requests", level: "read", told: "pull_requests: write"},
		{name: "issues", told: "issues: read"}, // the freeze label counts as there
		{name: "checks", told: "checks: "},
		{name: "checks", level: "read", merges: true},
		{name: "statuses", merges: true},
		{name: "merge_queues", merges: true},
	} {
		for story, from := range openings {
			t.Run(strings.Trim(l.name+" "+l.level, " ")+"/"+story, func(t *testing.T) {
				t.Parallel()
				playWithout(t, l, story, from)
			})
		}
	}
}

func playWithout(t *testing.T, l lost, story string, from *regexp.Regexp) {
	archive, err := txtar.ParseFile("testdata/" + story + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	p := newPlay(t, archive, &memory.Options{})
	log := &buffer{}
	p.stageOpts.Log = slog.New(slog.NewTextHandler(log, nil))
	p.before = append(p.before, func() {
		perms := maps.Clone(fakehub.DefaultPermissions())
		delete(perms, l.name)
		if l.level != "" {
			perms[l.name] = l.level
		}
		p.stage.GitHub.SetPermissions(perms)
	})
	at := from.FindIndex(archive.Comment)
	if at == nil {
		t.Fatalf("the story has no line %s", from)
	}
	rest := string(archive.Comment[at[1]:])
	p.run(string(archive.Comment[:at[1]]))

	// The log says it at the start, whatever the story.
	want := regexp.MustCompile(`the App lacks a permission.* permission="` + l.name + `: \w+" .*breaks=`)
	if err := p.until("the log to name "+l.name, func() (bool, string) { return want.MatchString(log.String()), log.String() }); err != nil {
		t.Fatal(err)
	}
	if hears[l.name] && story != "alert" {
		return // nothing arrives that could be answered
	}
	if l.merges {
		p.run(rest)
		return
	}
	if err := p.until("the end", func() (bool, string) {
		said := p.told()
		for line := range strings.Lines(log.String()) {
			if !strings.Contains(line, "the App lacks a permission") { // that is from the start
				said += line
			}
		}
		return strings.Contains(said, l.told), said
	}); err != nil {
		t.Fatal(err)
	}
	for _, pr := range p.mine() {
		if pr.Merged {
			t.Errorf("#%d was merged", pr.Number)
		}
	}
}

// told is all that people can read.
func (p *play) told() string {
	var b strings.Builder
	for _, pr := range p.stage.Repo.PRs() {
		for _, c := range p.stage.Repo.Comments(pr.Number) {
			if c.Author == p.stage.GitHub.BotLogin() {
				b.WriteString(c.Body)
			}
		}
	}
	for _, r := range p.rollbacks() {
		if r.End != nil {
			b.WriteString(r.End.Summary)
		}
		if r.View != nil {
			b.WriteString(r.View.Waiting + strings.Join(r.View.Todo, "\n"))
			for _, reason := range r.View.Decision.Reasons {
				b.WriteString(reason.Text)
			}
		}
	}
	return b.String()
}

// buffer is a log that many write to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
