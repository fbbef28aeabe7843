package durable

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// text is how inputs and step results are stored: as they are. The engine's
// default would put JSON into a JSON string into base64; plain text is what a
// person can read in the database at night
// (SELECT function_name, output FROM operation_outputs WHERE workflow_uuid = …).
//
// The name stands in every row. Another way of storing needs another name, and
// this one must stay readable.
type text struct{}

func (text) Name() string { return "backout_text" }

// Encode stores a string; nil is stored as the empty string, which no flow of
// ours tells apart from it.
func (text) Encode(v any) (*string, error) {
	switch s := v.(type) {
	case nil:
		return new(string), nil
	case string:
		return &s, nil
	default:
		return nil, fmt.Errorf("store a %T: only text is stored", v)
	}
}

func (text) Decode(s *string) (any, error) {
	if s == nil {
		return "", nil
	}
	return *s, nil
}

// storable reports whether both databases keep s as it is: PostgreSQL refuses
// invalid UTF-8 and the zero byte.
func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
