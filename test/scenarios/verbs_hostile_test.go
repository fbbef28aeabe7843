package scenarios

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	renderer "github.com/yuin/goldmark/renderer/html"
)

// alertWith posts the alerts that fire, with a file's text in a label and in
// an annotation, and then once more with a megabyte of it.
func alertWith(p *play, args string) error {
	text, ok := p.files[args]
	if !ok {
		return fmt.Errorf("the archive has no file %q", args)
	}
	// What a text file can't hold.
	text += "\u202ebidi\u2066 zero\u200bwidth \x1b[31mcontrol\x00 \ufeff"
	p.alerts = p.stage.Cluster.Alerts()
	if len(p.alerts) == 0 {
		return fmt.Errorf("no alert fires")
	}
	for _, size := range []int{1, 1<<20/len(text) + 1} {
		for i := range p.alerts {
			p.alerts[i].Labels["note"] = strings.Repeat(text, size)
			p.alerts[i].Annotations = map[string]string{"summary": strings.Repeat(text, size), text: "x"}
			p.alerts[i].GeneratorURL = "javascript:" + text
		}
		if err := p.send(p.alerts); err != nil {
			return err
		}
	}
	return nil
}

var (
	markdown = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(renderer.WithUnsafe()))
	inCode   = regexp.MustCompile(`<code>[^<]*</code>`)
	comments = regexp.MustCompile(`<!-- backout:[\w:.-]+ -->`)
	tags     = regexp.MustCompile(`<[^>]*>`)
	wild     = regexp.MustCompile(`(?i)<(a|img|script|iframe|input type)\b|<!--`)
	power    = regexp.MustCompile(`(?i)@\w|\b(close[sd]?|fix(es|ed)?|resolve[sd]?)\s*:?\s*([\w.-]+/[\w.-]+)?(#|gh-)\d|[\w.-]#\d|\[skip ci\]`)
	address  = regexp.MustCompile(`(?i)\w://|\bwww\.`) // of titles and commit messages, GitHub makes no links
)

// wantTame looks at all that the bot wrote: rendered, nothing of others' text
// links, mentions, closes or hides; and nothing is longer than GitHub takes.
func wantTame(p *play, _ string) error {
	seen := 0
	check := func(where, text string) error {
		seen++
		if len(text) > 65536 {
			return fmt.Errorf("%s has %d bytes", where, len(text))
		}
		if i := strings.IndexFunc(text, func(r rune) bool {
			return r < ' ' && r != '\n' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff
		}); i >= 0 {
			return fmt.Errorf("%s holds %q", where, text[i:i+4])
		}
		var out bytes.Buffer
		if err := markdown.Convert([]byte(comments.ReplaceAllString(text, "")), &out); err != nil {
			return err
		}
		rest := inCode.ReplaceAllString(out.String(), " ")
		if m := wild.FindString(rest); m != "" {
			return fmt.Errorf("%s renders to %s in\n%s", where, m, rest)
		}
		plain := html.UnescapeString(tags.ReplaceAllString(rest, " "))
		if m := power.FindString(plain) + address.FindString(plain); m != "" {
			return fmt.Errorf("%s says %q in\n%s", where, m, rest)
		}
		return nil
	}
	for _, pr := range p.stage.Repo.PRs() {
		for _, c := range p.stage.Repo.Comments(pr.Number) {
			if c.Author != p.stage.GitHub.BotLogin() {
				continue
			}
			if err := check(fmt.Sprintf("a comment on #%d", pr.Number), c.Body); err != nil {
				return err
			}
		}
		if pr.Author != p.stage.GitHub.BotLogin() {
			continue
		}
		if err := check(fmt.Sprintf("the text of #%d", pr.Number), pr.Body); err != nil {
			return err
		}
		if m := power.FindString(pr.Title); m != "" || strings.ContainsAny(pr.Title, "\r\n\u202e") {
			return fmt.Errorf("title %q", pr.Title)
		}
	}
	if seen < 2 {
		return fmt.Errorf("only %d texts of the bot's were found", seen)
	}
	return nil
}
