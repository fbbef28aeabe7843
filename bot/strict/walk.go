package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Problem is one thing that is wrong, and where.
type Problem struct {
	Line int // from 1; 0 where it is not known
	Text string
}

// Error implements error.
func (p Problem) Error() string {
	if p.Line == 0 {
		return p.Text
	}
	return fmt.Sprintf("line %d: %s", p.Line, p.Text)
}

// Lines tells on which line a key stands.
type Lines map[string]int

// Line is the line of a path ("apps[0].match"), or of the nearest section around
// it that stands in the document; 0 where there is none.
func (l Lines) Line(path string) int {
	for {
		if n, ok := l[path]; ok {
			return n
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return 0
		}
		path = path[:i]
	}
}

// Has reports whether a key stands in the document, and has a value.
func (l Lines) Has(path string) bool { return l[path] > 0 }

// Look compares a document with the struct that it is to be decoded into; what
// names the document for people. The problems are in the order of the lines. err
// is set where nothing could be looked at.
func Look(b []byte, shape any, what string) (lines Lines, problems []Problem, err error) {
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(b))
	err = dec.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF), err == nil && (len(doc.Content) == 0 || isNull(doc.Content[0])):
		return nil, nil, fmt.Errorf("%s is empty", what)
	case err != nil:
		return nil, nil, fmt.Errorf("parse %s: %w", strings.TrimPrefix(what, "the "), err)
	}
	w := walk{what: what, lines: Lines{}}
	w.value(doc.Content[0], reflect.TypeOf(shape), "")
	switch err := dec.Decode(&more); {
	case err == nil:
		w.bad(&more, "a second document begins here; %s is one document", what)
	case !errors.Is(err, io.EOF):
		return nil, nil, fmt.Errorf("parse %s: %w", strings.TrimPrefix(what, "the "), err)
	}
	return w.lines, w.problems, nil
}

// walk compares a document with the structs that it is decoded into.
type walk struct {
	what     string
	lines    Lines
	problems []Problem
	depth    int
}

// maxDepth bounds the walk, since an alias may name what it stands in.
const maxDepth = 30

func (w *walk) bad(n *yaml.Node, format string, args ...any) {
	w.problems = append(w.problems, Problem{n.Line, fmt.Sprintf(format, args...)})
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// value checks one value; path names it for people.
func (w *walk) value(n *yaml.Node, t reflect.Type, path string) {
	if w.depth++; w.depth > maxDepth {
		w.bad(n, "%s: nested too deeply", path)
		return
	}
	defer func() { w.depth-- }()
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case isNull(n): // as if the key were not there
	case reflect.PointerTo(t).Implements(unmarshaler):
		w.custom(n, t, path)
	case t.Kind() == reflect.Struct:
		w.section(n, t, path)
	case t.Kind() == reflect.Map && n.Kind == yaml.MappingNode:
		w.keys(n, path, func(string) (reflect.Type, bool) { return t.Elem(), true }, nil)
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		for i, c := range n.Content {
			at := fmt.Sprintf("%s[%d]", path, i)
			w.lines[at] = c.Line
			w.value(c, t.Elem(), at)
		}
	case t.Kind() == reflect.Map:
		w.bad(n, "%s: a section belongs here, as in {key: value}", path)
	case t.Kind() == reflect.Slice:
		w.bad(n, "%s: a list belongs here, as in [value]", path)
	default:
		w.scalar(n, t, path)
	}
}

// section checks a mapping that is decoded into a struct.
func (w *walk) section(n *yaml.Node, t reflect.Type, path string) {
	fields := Fields(t)
	if n.Kind != yaml.MappingNode {
		if path == "" {
			path = w.what
		}
		w.bad(n, "%s: a section belongs here, with keys of these: %s", path, strings.Join(sortedKeys(fields), ", "))
		return
	}
	w.keys(n, path, func(key string) (reflect.Type, bool) {
		f, ok := fields[key]
		return f, ok
	}, fields)
}

// keys checks the keys of a mapping and what they hold.
func (w *walk) keys(n *yaml.Node, path string, typeOf func(string) (reflect.Type, bool), fields map[string]reflect.Type) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		where := strings.TrimPrefix(path+"."+key.Value, ".")
		t, known := typeOf(key.Value)
		switch {
		case !known:
			w.bad(key, "unknown key %s%s", where, suggest(key.Value, fields))
		case seen[key.Value]:
			w.bad(key, "key %s stands twice", where)
		default:
			if !isNull(value) {
				w.lines[where] = key.Line
			}
			w.value(value, t, where)
		}
		seen[key.Value] = true
	}
}

// Fields maps the keys of a struct to their types, embedded ones included.
func Fields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			out[name] = f.Type
		}
	}
	return out
}

func sortedKeys(fields map[string]reflect.Type) []string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
