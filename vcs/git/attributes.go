package git

import (
	"regexp"
	"strings"
)

// attributes answers whether .gitattributes may put the merge of a file's content
// into other hands: a merge driver. It reads the files of both sides, and where it
// errs it says yes, since the answer only ever turns a clean merge into a conflict.
//
// filter, text, eol and encoding attributes are none of its business: they change
// what is checked out, and merge sees what is stored. What a filter has encrypted
// is binary there, so a merge of its content is a conflict in any case.
type attributes struct {
	objects objects
	roots   []hash
	rules   map[string][]attributeRule // by root and directory
}

// attributeRule is one line that hands paths over to a driver.
type attributeRule struct{ pattern *regexp.Regexp }

func newAttributes(from objects, roots ...hash) *attributes {
	return &attributes{from, roots, make(map[string][]attributeRule)}
}

// govern reports whether a driver has a say in merging path.
func (a *attributes) govern(path string) (bool, error) {
	for _, root := range a.roots {
		for _, dir := range append([]string{"."}, parents(path)...) {
			rules, err := a.read(root, dir)
			if err != nil {
				return false, err
			}
			relative := below(dir, path)
			for _, r := range rules {
				if r.pattern.MatchString(relative) {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// read returns the rules of one directory's file, in which patterns are relative
// to that directory.
func (a *attributes) read(root hash, dir string) ([]attributeRule, error) {
	key := root.String() + "/" + dir
	if rules, ok := a.rules[key]; ok {
		return rules, nil
	}
	path := ".gitattributes"
	if dir != "." {
		path = dir + "/" + path
	}
	e, err := lookup(a.objects, root, path)
	if err != nil {
		return nil, err
	}
	var rules []attributeRule
	if e.mode.regular() { // git refuses links here
		rules = []attributeRule{{anything}}
		size, err := a.objects.size(e.hash)
		if err != nil {
			return nil, err
		}
		if size <= maxAttributes {
			content, err := a.objects.blob(e.hash)
			if err != nil {
				return nil, err
			}
			rules = parseAttributes(string(content))
		}
	}
	a.rules[key] = rules
	return rules, nil
}

// parseAttributes keeps the lines that matter (git help attributes). A later line
// that takes an attribute back is not honoured.
func parseAttributes(content string) []attributeRule {
	var rules []attributeRule
	macros := map[string]bool{"binary": true} // names that stand for merge
	for line := range strings.Lines(content) {
		line = strings.Trim(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		pattern, rest := cutPattern(line)
		matters := false
		for word := range strings.FieldsSeq(rest) {
			name, value, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
			switch {
			case name == "merge" && (word == "merge" || value == "text"):
				// the built-in driver, which is what we do
			case name == "merge", macros[name]:
				matters = true
			}
		}
		if macro, ok := strings.CutPrefix(pattern, "[attr]"); ok {
			macros[macro] = macros[macro] || matters
			continue
		}
		if matters {
			rules = append(rules, attributeRule{wildcard(pattern)})
		}
	}
	return rules
}

// cutPattern takes the pattern off a line. One in double quotes may hold blanks.
func cutPattern(line string) (pattern, rest string) {
	if line[0] == '"' {
		for i := 1; i < len(line); i++ {
			switch line[i] {
			case '\\':
				i++
			case '"':
				return line[1:i], line[i+1:]
			}
		}
	}
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		return line[:i], line[i:]
	}
	return line, ""
}

// Limits on what is read closely; beyond, everything counts as governed.
const (
	maxAttributes = 1 << 20 // bytes of one file
	maxPattern    = 300     // bytes of one pattern
)

// anything is the pattern for patterns that can't be read.
var anything = regexp.MustCompile(``)

// wildcard turns a pattern into an expression over the path below its directory.
// Without a slash inside it speaks of the last element only. Brackets and
// backslashes, rare here, count as "any characters".
func wildcard(pattern string) *regexp.Regexp {
	if len(pattern) > maxPattern || strings.ContainsAny(pattern, `[\`) {
		return anything
	}
	var b strings.Builder
	b.WriteString("^")
	if !strings.Contains(strings.TrimSuffix(pattern, "/"), "/") {
		b.WriteString("(?:.*/)?")
	}
	pattern = strings.TrimPrefix(pattern, "/")
	for len(pattern) > 0 {
		switch {
		case strings.HasPrefix(pattern, "**/"):
			b.WriteString("(?:.*/)?")
			pattern = pattern[3:]
			continue
		case strings.HasPrefix(pattern, "**"):
			b.WriteString(".*")
			pattern = pattern[2:]
			continue
		case pattern[0] == '*':
			b.WriteString("[^/]*")
		case pattern[0] == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(pattern[:1]))
		}
		pattern = pattern[1:]
	}
	b.WriteString("$")
	re, err := regexp.Compile("(?s)" + b.String())
	if err != nil {
		return anything
	}
	return re
}

// below is the path relative to a directory that it lies in.
func below(dir, path string) string {
	if dir == "." {
		return path
	}
	return path[len(dir)+1:]
}
