package condition

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"github.com/backout-dev/backout/bot/manifest"
)

// budget is how much may still be looked at.
type budget struct{ bytes, values int }

// differing lists the fields that differ between two versions of an object, in
// a stable order: keys joined by dots, elements of lists in brackets, by their
// name where all have one of their own and else by their place. A key or name
// that is no plain word stands in brackets and quotes:
// metadata.labels["app.kubernetes.io/name"]. ok is false when there is too much.
func differing(d manifest.Difference, left *budget) (fields []string, ok bool) {
	c := comparison{left: left, seen: map[string]bool{}}
	var before, after any
	if d.Before != nil {
		before = d.Before.Body
	}
	if d.After != nil {
		after = d.After.Body
	}
	c.compare("", before, after, 0)
	return c.fields, left.values >= 0 && left.bytes >= 0
}

type comparison struct {
	left   *budget
	fields []string
	seen   map[string]bool
}

// enough counts one more value, and reports whether there were too many.
func (c *comparison) enough(at string, depth int) bool {
	c.left.values--
	c.left.bytes -= len(at)
	if depth > deepest {
		c.left.values = -1
	}
	return c.left.values < 0 || c.left.bytes < 0
}

func (c *comparison) add(at string) {
	if !c.seen[at] {
		c.seen[at] = true
		c.fields = append(c.fields, at)
	}
}

// compare goes through both versions; nil stands for what is not there.
func (c *comparison) compare(at string, before, after any, depth int) {
	if c.enough(at, depth) {
		return
	}
	was, wasMap := before.(map[string]any)
	is, isMap := after.(map[string]any)
	wasList, isList := list(before), list(after)
	switch {
	case (wasMap || before == nil) && (isMap || after == nil) && len(was)+len(is) > 0:
		for _, k := range union(slices.Sorted(maps.Keys(was)), slices.Sorted(maps.Keys(is))) {
			c.compare(join(at, k), was[k], is[k], depth+1)
		}
	case (wasList != nil || before == nil) && (isList != nil || after == nil) && len(wasList)+len(isList) > 0:
		c.lists(at, wasList, isList, depth)
	case !same(before, after):
		// What changes its shape differs in all that either version holds.
		c.add(at)
		if before != nil && after != nil {
			c.compare(at, before, nil, depth+1)
			c.compare(at, nil, after, depth+1)
		}
	}
}

// same compares what is left: plain values, and containers of another shape.
func same(a, b any) bool {
	for _, v := range []any{a, b} {
		switch reflect.ValueOf(v).Kind() {
		case reflect.Map, reflect.Slice:
			return reflect.TypeOf(a) == reflect.TypeOf(b) // both empty
		}
	}
	return a == b
}

func (c *comparison) lists(at string, before, after []any, depth int) {
	was, wasNamed := byName(before)
	is, isNamed := byName(after)
	if !wasNamed || !isNamed {
		for i := range max(len(before), len(after)) {
			c.compare(fmt.Sprintf("%s[%d]", at, i), element(before, i), element(after, i), depth+1)
		}
		return
	}
	all := union(was.order, is.order)
	for _, name := range all {
		c.compare(at+"["+word(name)+"]", was.elements[name], is.elements[name], depth+1)
	}
	if len(was.order) == len(all) && len(is.order) == len(all) && !slices.Equal(was.order, is.order) {
		c.add(at) // only the order differs
	}
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func element(l []any, i int) any {
	if i < len(l) {
		return l[i]
	}
	return nil
}

// named is a list whose elements all have a name of their own.
type named struct {
	order    []string
	elements map[string]any
}

func byName(l []any) (named, bool) {
	out := named{elements: make(map[string]any, len(l))}
	for _, e := range l {
		m, _ := e.(map[string]any)
		name, _ := m["name"].(string)
		if _, twice := out.elements[name]; twice || name == "" {
			return named{}, false
		}
		out.order = append(out.order, name)
		out.elements[name] = e
	}
	return out, true
}

// union keeps the order of a, then that of b.
func union(a, b []string) []string {
	have := make(map[string]bool, len(a))
	out := make([]string, 0, len(a)+len(b))
	for _, s := range slices.Concat(a, b) {
		if !have[s] {
			have[s] = true
			out = append(out, s)
		}
	}
	return out
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func word(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

func join(at, key string) string {
	switch {
	case !plainWord.MatchString(key):
		return at + "[" + strconv.Quote(key) + "]"
	case at == "":
		return key
	}
	return at + "." + key
}
