package audit

import (
	"bytes"
	"encoding/json"
)

// redacted takes the secrets out of a line. What looks like one in others' text
// may reach beyond that text, and what is left then is no JSON any more; so the
// texts are gone through one by one in that case, at the price of their order.
func redacted(line []byte, redact func(string) string) []byte {
	whole := []byte(redact(string(line)))
	if json.Valid(whole) {
		return whole
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var v any
	if d.Decode(&v) == nil {
		if out, err := json.Marshal(within(v, redact)); err == nil {
			return out
		}
	}
	return whole // it can't be: the line was encoded just before
}

// within goes through all texts of a document, names among them.
func within(v any, redact func(string) string) any {
	switch t := v.(type) {
	case string:
		return redact(t)
	case []any:
		for i := range t {
			t[i] = within(t[i], redact)
		}
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			out[redact(k)] = within(e, redact)
		}
		return out
	}
	return v
}
