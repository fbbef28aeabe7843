package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	"go.yaml.in/yaml/v2"
)

// Documents decodes every document of a YAML stream into maps with string
// keys, lists and scalars. Empty documents are left out, so that comments and
// separators do not count.
//
// The dialect is YAML 1.1, as kubectl, kustomize and the controllers read
// manifests: "yes" is a boolean there. Where a key stands twice the last one
// counts, as for them.
func Documents(b []byte) ([]any, error) {
	var out []any
	dec := yaml.NewDecoder(bytes.NewReader(b))
	for n := 1; ; n++ {
		var v any
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err == nil {
			v, err = withStringKeys(v)
		}
		if err != nil {
			return nil, fmt.Errorf("parse document %d: %w", n, err)
		}
		if v != nil {
			out = append(out, v)
		}
	}
}

// Same reports whether two versions of a file hold the same: they may differ in
// comments, formatting and the order of keys. The error is that of a version
// that does not parse.
func Same(before, after []byte) (bool, error) {
	was, err := Documents(before)
	if err != nil {
		return false, err
	}
	is, err := Documents(after)
	return reflect.DeepEqual(was, is), err
}

// withStringKeys turns the maps that YAML knows into those that JSON knows.
func withStringKeys(v any) (any, error) {
	switch t := v.(type) {
	case map[any]any:
		m := make(map[string]any, len(t))
		for k, e := range t {
			// Scalars only: a list as a key can't reach a cluster.
			key := fmt.Sprint(k)
			if _, twice := m[key]; twice {
				return nil, fmt.Errorf("key %q stands twice, once not as a string", key)
			}
			e, err := withStringKeys(e)
			if err != nil {
				return nil, err
			}
			m[key] = e
		}
		return m, nil
	case []any:
		for i, e := range t {
			var err error
			if t[i], err = withStringKeys(e); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}
