package policy

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// schema is a JSON Schema (https://json-schema.org/draft/2020-12).
type schema = map[string]any

// Schema is the JSON Schema of the policy file, made of the types that it is
// decoded into. Editors show its descriptions and complete its words.
func Schema() []byte {
	s := section(reflect.TypeFor[File](), "version")
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "Backout policy"
	s["description"] = "What Backout may do in this repository: " + bot.PolicyPath + " at the root of the default branch."
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil // it is made of strings, numbers and maps
	}
	return append(b, '\n')
}

// needed are the keys that each entry of a list needs.
var needed = map[reflect.Type][]string{
	reflect.TypeFor[AppSettings]():         {"match"},
	reflect.TypeFor[CheckSetting]():        {"name", "query", "operator"},
	reflect.TypeFor[FreezeSettings]():      {"cron", "for"},
	reflect.TypeFor[CustomGuardSettings](): {"name", "when", "verb", "text"},
}

// narrowed are what the types alone do not tell, by key.
func narrowed(key string) schema {
	switch key {
	case "version":
		return schema{"const": Version}
	case "alerts", "commands":
		return schema{"enum": modes}
	case "hold":
		return schema{"enum": holds}
	case "mitigate":
		return schema{"enum": mitigates}
	case "unprotected":
		return schema{"enum": unprotected}
	case "merge":
		return schema{"enum": merges}
	case "images":
		return schema{"enum": images}
	case "operator":
		return schema{"enum": operators}
	case "verb":
		return schema{"enum": customVerbs}
	case "override":
		return schema{"enum": overriders[1:]}
	case "max_affected", "per_day", "break_after":
		return schema{"minimum": 0}
	case "match":
		return schema{"pattern": `^[^/]+/[^/]+/[^/]+/[^/]+$`}
	case "commanders":
		return schema{"items": schema{"type": "string", "pattern": "^@"}}
	case "approvers":
		return schema{"items": schema{"type": "string", "pattern": "^(@.*|" + Codeowners + ")$"}}
	case "guards":
		return schema{"properties": guardSchemas(), "additionalProperties": false}
	}
	return nil
}

// guardSchemas lists the verbs that each built-in guard takes.
func guardSchemas() schema {
	out := schema{}
	for _, g := range table {
		var verbs []bot.Verb
		for _, v := range guardVerbs {
			if g.Override != "" || !g.boldest().Before(v) {
				verbs = append(verbs, v)
			}
		}
		if len(verbs) > 0 {
			out[g.Name] = schema{"enum": verbs, "description": g.Text}
		}
	}
	return out
}

func section(t reflect.Type, need ...string) schema {
	properties := schema{}
	for _, f := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "" || key == "-" {
			continue
		}
		p := typed(f.Type)
		if d := f.Tag.Get("doc"); d != "" {
			p["description"] = d
		}
		for k, v := range narrowed(key) {
			p[k] = v
		}
		properties[key] = p
	}
	out := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(need) > 0 {
		out["required"] = need
	}
	return out
}

// duration is what Go's time.ParseDuration takes, without a sign.
const duration = `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$|^0$`

func typed(t reflect.Type) schema {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[Duration]():
		return schema{"type": "string", "pattern": duration}
	case t.Kind() == reflect.Struct:
		return section(t, needed[t]...)
	case t.Kind() == reflect.Slice:
		return schema{"type": "array", "items": typed(t.Elem())}
	case t.Kind() == reflect.Map:
		return schema{"type": "object"}
	case t.Kind() == reflect.Bool:
		return schema{"type": "boolean"}
	case t.Kind() == reflect.Int:
		return schema{"type": "integer"}
	case t.Kind() == reflect.Float64:
		return schema{"type": "number"}
	}
	return schema{"type": "string"}
}
