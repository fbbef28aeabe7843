package command

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// line is one line of a comment.
type line struct {
	number int
	text   string
}

// commandLines returns the lines that their author typed as commands, by the
// rules in the package comment. The body's lines end in "\n".
func commandLines(body string) []line {
	src := []byte(body)
	doc := goldmark.New(goldmark.WithExtensions(
		extension.Table, extension.Strikethrough, extension.TaskList, extension.Footnote,
	)).Parser().Parse(text.NewReader(src))

	tags := htmlTags(doc, src)
	var found []line
	for block := doc.FirstChild(); block != nil; block = block.NextSibling() {
		if k := block.Kind(); k != ast.KindParagraph && k != ast.KindHeading {
			continue
		}
		for i := range block.Lines().Len() {
			at := block.Lines().At(i).Start
			start := bytes.LastIndexByte(src[:at], '\n') + 1
			raw, _, _ := strings.Cut(body[start:], "\n")
			if opening(raw) == openingNone {
				continue
			}
			// Where the line's first character that shows is.
			at = start + strings.IndexByte(raw, '/')
			if !plainText(block, at) || quotedByHTML(tags, at) {
				continue
			}
			found = append(found, line{number: bytes.Count(src[:start], []byte("\n")) + 1, text: strings.TrimSpace(raw)})
		}
	}
	return found
}

// plainText reports whether the character at an offset is text of the block
// itself, not of a code span, a link, emphasis or an HTML tag within it.
func plainText(block ast.Node, at int) bool {
	for n := block.FirstChild(); n != nil; n = n.NextSibling() {
		if t, ok := n.(*ast.Text); ok && t.Segment.Start <= at && at < t.Segment.Stop {
			return true
		}
	}
	return false
}

// htmlTag is an opening or closing tag of an element that quotes, hides or
// strikes out what is in it.
type htmlTag struct {
	at    int
	name  string
	close bool
}

var quotingTag = regexp.MustCompile(`(?i)<(/?)(blockquote|q|details|pre|code|kbd|samp|tt|del|s|strike|table|ul|ol|template|script|style)[\s/>]`)

// htmlTags lists those tags in the order of the text. Markdown goes on between
// tags after an empty line, so the tree alone does not tell what they enclose.
func htmlTags(doc ast.Node, src []byte) []htmlTag {
	var tags []htmlTag
	collect := func(from, to int) {
		for _, m := range quotingTag.FindAllSubmatchIndex(src[from:to], -1) {
			tags = append(tags, htmlTag{
				at:    from + m[0],
				name:  strings.ToLower(string(src[from+m[4] : from+m[5]])),
				close: m[3] > m[2],
			})
		}
	}
	// Walk's error is the visitor's, and this visitor has none.
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.HTMLBlock:
			if n.HTMLBlockType == ast.HTMLBlockType2 { // a comment
				return ast.WalkContinue, nil
			}
			for i := range n.Lines().Len() {
				collect(n.Lines().At(i).Start, n.Lines().At(i).Stop)
			}
			if n.HasClosure() {
				collect(n.ClosureLine.Start, n.ClosureLine.Stop)
			}
		case *ast.RawHTML:
			for i := range n.Segments.Len() {
				collect(n.Segments.At(i).Start, n.Segments.At(i).Stop)
			}
		}
		return ast.WalkContinue, nil
	})
	return tags
}

// quotedByHTML reports whether an element of the list is open at an offset. One
// that is never closed encloses all that follows: not to act is the safe error.
func quotedByHTML(tags []htmlTag, at int) bool {
	open := map[string]int{}
	for _, t := range tags {
		if t.at > at {
			break
		}
		if !t.close {
			open[t.name]++
		} else if open[t.name] > 0 {
			open[t.name]--
		}
	}
	for _, n := range open {
		if n > 0 {
			return true
		}
	}
	return false
}
