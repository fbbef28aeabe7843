package report

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	renderer "github.com/yuin/goldmark/renderer/html"
)

// markdown reads as GitHub does, and lets raw HTML through so that it is seen.
var markdown = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(renderer.WithUnsafe()))

func render(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := markdown.Convert([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	codeSpan = regexp.MustCompile(`<code>[^<]*</code>`)
	tag      = regexp.MustCompile(`<[^>]*>`)
	// ours are the tags that our own text makes.
	ours = regexp.MustCompile(`^</?(p|h3|ul|ol|li|table|thead|tbody|tr|th|td|strong|details|summary)( start="\d+")?>$|^<input disabled="" type="checkbox">$`)
	// powers are what text outside code must not hold: GitHub looks for them in
	// the rendered text.
	powers = map[string]*regexp.Regexp{
		"a mention":                         regexp.MustCompile(`@[\w-]`),
		"a closing keyword":                 regexp.MustCompile(`(?i)(close[sd]?|fix(es|ed)?|resolve[sd]?)\s*:?\s*([\w.-]+/[\w.-]+)?(#|gh-)\d`),
		"an address":                        regexp.MustCompile(`(?i)\w://\S|\bwww\.\S`),
		"a reference to another repository": regexp.MustCompile(`[\w.-]#\d`),
	}
	mySkips = regexp.MustCompile(`(?i)\[(skip ci|ci skip|no ci|skip actions|actions skip)\]|skip-checks:`)
)

// harmless checks that a text, once rendered, holds no link, image, raw HTML,
// mention, closing keyword or invisible character outside code.
func harmless(t testing.TB, text string) {
	t.Helper()
	harmlessAs(t, text, render(t, text))
}

// harmlessAs is harmless for what some renderer made of the text.
func harmlessAs(t testing.TB, text, out string) {
	t.Helper()
	rest := codeSpan.ReplaceAllString(out, " ")
	for _, tg := range tag.FindAllString(rest, -1) {
		if !ours.MatchString(tg) {
			t.Errorf("%s comes of\n%s", tg, text)
		}
	}
	// A space for each tag: what stands in different cells does not meet.
	plain := html.UnescapeString(tag.ReplaceAllString(rest, " "))
	for what, re := range powers {
		if m := re.FindString(plain); m != "" {
			t.Errorf("%s: %q in\n%s\nfrom\n%s", what, m, plain, text)
		}
	}
	visible(t, text)
	if strings.Contains(text, "<!--") {
		t.Errorf("a hidden marker in\n%s", text)
	}
}

// visible checks that a text holds no character that hides or reorders others,
// besides the zero-width space by which words are broken.
func visible(t testing.TB, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && r != '\u200b' && (!unicode.IsGraphic(r) || unicode.Is(unicode.Cf, r) || blank(r) && r != '\ufe0f') {
			t.Errorf("character U+%04X in %q", r, text)
			return
		}
	}
}

// harmlessLine checks a title or a line of a commit message: nothing renders
// it, and GitHub looks for keywords in it all the same.
func harmlessLine(t testing.TB, text string) {
	t.Helper()
	for what, re := range powers {
		if m := re.FindString(text); m != "" && what != "an address" {
			t.Errorf("%s: %q in %q", what, m, text)
		}
	}
	if m := mySkips.FindString(text); m != "" {
		t.Errorf("%q skips CI in %q", m, text)
	}
	visible(t, text)
	if strings.ContainsAny(text, "\r\n") {
		t.Errorf("not one line: %q", text)
	}
}
