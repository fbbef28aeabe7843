package app

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

// checkKeys finds keys that the configuration does not know and values of the
// wrong form, each with its line and with what was probably meant; the decoder
// alone would name neither. err is set where nothing could be looked at.
func checkKeys(b []byte, shape any) (problems []error, err error) {
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(b))
	err = dec.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF), err == nil && (len(doc.Content) == 0 || isNull(doc.Content[0])):
		return nil, errors.New("the configuration is empty")
	case err != nil:
		return nil, fmt.Errorf("parse configuration: %w", err)
	}
	w := keyWalk{}
	w.value(doc.Content[0], reflect.TypeOf(shape), "")
	switch err := dec.Decode(&more); {
	case err == nil:
		w.bad(&more, "a second document begins here; the configuration is one document")
	case !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("parse configuration: %w", err)
	}
	return w.errs, nil
}

// keyWalk compares a document with the structs that it is decoded into.
type keyWalk struct {
	errs  []error
	depth int
}

// maxDepth bounds the walk, since an alias may name what it stands in.
const maxDepth = 30

func (w *keyWalk) bad(n *yaml.Node, format string, args ...any) {
	w.errs = append(w.errs, fmt.Errorf("line %d: %s", n.Line, fmt.Sprintf(format, args...)))
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// value checks one value; path names it for people.
func (w *keyWalk) value(n *yaml.Node, t reflect.Type, path string) {
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
			w.value(c, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
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
func (w *keyWalk) section(n *yaml.Node, t reflect.Type, path string) {
	fields := jsonFields(t)
	if n.Kind != yaml.MappingNode {
		w.bad(n, "%s: a section belongs here, with keys of these: %s", orWhole(path), strings.Join(sortedKeys(fields), ", "))
		return
	}
	w.keys(n, path, func(key string) (reflect.Type, bool) {
		f, ok := fields[key]
		return f, ok
	}, fields)
}

// keys checks the keys of a mapping and what they hold.
func (w *keyWalk) keys(n *yaml.Node, path string, typeOf func(string) (reflect.Type, bool), fields map[string]reflect.Type) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		where := strings.TrimPrefix(path+"."+key.Value, ".")
		t, known := typeOf(key.Value)
		switch {
		case !known:
			w.bad(key, "unknown key %s%s", where, suggest(key.Value, fields))
		case seen[key.Value]:
			w.bad(key, "key %s stands twice", where)
		default:
			w.value(n.Content[i+1], t, where)
		}
		seen[key.Value] = true
	}
}

// jsonFields maps the keys of a struct to their types, embedded ones included.
func jsonFields(t reflect.Type) map[string]reflect.Type {
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

func orWhole(path string) string {
	if path == "" {
		return "the configuration"
	}
	return path
}

func suggest(key string, fields map[string]reflect.Type) string {
	names := sortedKeys(fields)
	best, least := "", len(key)/2+1
	for _, name := range names {
		if d := distance(key, name); d < least {
			best, least = name, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %s?", best)
	}
	return "; known here: " + strings.Join(names, ", ")
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diag, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diag+cost)
		}
	}
	return row[len(b)]
}
