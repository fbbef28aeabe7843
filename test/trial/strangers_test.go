package trial

import (
	"encoding/json"

	"github.com/getkin/kin-openapi/openapi3"
)

// A schema lets through every field that it does not name, and so would hide
// one that fakehub made up, or that our client sends and GitHub ignores.
// strangers calls object for each place that no alternative of a schema names.
func strangers(forms []*openapi3.Schema, value any, at []string, object func(at []string)) {
	forms = alternatives(forms)
	switch v := value.(type) {
	case map[string]any:
		known, open := fields(forms)
		for name, inner := range v {
			place := append(at[:len(at):len(at)], name)
			switch of := known[name]; {
			case of != nil:
				strangers(of, inner, place, object)
			case !open:
				object(place)
			}
		}
	case []any:
		var of []*openapi3.Schema
		for _, f := range forms {
			if f.Items != nil {
				of = append(of, f.Items.Value)
			}
		}
		for _, inner := range v {
			strangers(of, inner, append(at[:len(at):len(at)], "0"), object)
		}
	}
}

// alternatives are schemas with all that they are composed of.
func alternatives(forms []*openapi3.Schema) []*openapi3.Schema {
	var list []*openapi3.Schema
	for _, f := range forms {
		list = append(list, f)
		for _, refs := range []openapi3.SchemaRefs{f.AllOf, f.AnyOf, f.OneOf} {
			for _, r := range refs {
				list = append(list, alternatives([]*openapi3.Schema{r.Value})...)
			}
		}
	}
	return list
}

// fields collects what schemas say of an object's fields; open ones let any
// other field in.
func fields(forms []*openapi3.Schema) (known map[string][]*openapi3.Schema, open bool) {
	known = map[string][]*openapi3.Schema{}
	for _, f := range forms {
		for name, ref := range f.Properties {
			known[name] = append(known[name], ref.Value)
		}
		if more := f.AdditionalProperties; more.Schema != nil || more.Has != nil && *more.Has {
			open = true
		}
	}
	return known, open || len(known) == 0
}

// unknown objects to the fields of a body that its schema does not name.
func (c *court) unknown(op, part string, schema *openapi3.Schema, body string) {
	var value any
	if schema == nil || json.Unmarshal([]byte(body), &value) != nil {
		return
	}
	c.count.searched++
	strangers([]*openapi3.Schema{schema}, value, nil, func(at []string) {
		c.object(op, part, pointer(at)+" is not described", body)
	})
}

// schemaOf gives the schema of JSON in a content.
func schemaOf(content openapi3.Content) *openapi3.Schema {
	if m := content.Get("application/json"); m != nil && m.Schema != nil {
		return m.Schema.Value
	}
	return nil
}
