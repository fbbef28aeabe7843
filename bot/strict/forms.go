package strict

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// custom lets a type that reads itself, such as a duration, judge a value.
func (w *walk) custom(n *yaml.Node, t reflect.Type, path string) {
	var v any
	if err := n.Decode(&v); err != nil {
		w.bad(n, "%s: %v", path, err)
		return
	}
	b, err := json.Marshal(v)
	if err == nil {
		err = reflect.New(t).Interface().(json.Unmarshaler).UnmarshalJSON(b)
	}
	if err != nil {
		w.bad(n, "%s: %v", path, err)
	}
}

// yesNo are the words that YAML 1.1, which the decoder speaks, takes for
// booleans.
var yesNo = []string{"y", "n", "yes", "no", "on", "off", "true", "false"}

// scalar checks the form of a single value.
func (w *walk) scalar(n *yaml.Node, t reflect.Type, path string) {
	boolean := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 && slices.Contains(yesNo, strings.ToLower(n.Value))
	want := ""
	switch t.Kind() {
	case reflect.String:
		if n.Kind == yaml.ScalarNode && boolean {
			w.bad(n, "%s: %s is a boolean in YAML; write it in quotes: %q", path, n.Value, n.Value)
			return
		}
		if n.Kind != yaml.ScalarNode {
			want = "a text"
		}
	case reflect.Bool:
		if n.Kind != yaml.ScalarNode || !boolean {
			want = "true or false"
		}
	case reflect.Int, reflect.Int64:
		if n.Tag != "!!int" {
			want = "a whole number"
		}
	case reflect.Float64:
		if n.Tag != "!!int" && n.Tag != "!!float" {
			want = "a number"
		}
	}
	if want != "" {
		w.bad(n, "%s: %s belongs here", path, want)
	}
}
