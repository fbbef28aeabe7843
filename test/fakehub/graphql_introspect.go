package fakehub

import "strings"

// kind answers __type as far as clients ask which fields a type has, as gh
// does to learn what the server can do.
// See https://spec.graphql.org/October2021/#sec-Introspection.
func (x *execution) kind(name string) any {
	def := x.h.schema.Types[name]
	if def == nil {
		return nil
	}
	fields := []*object{}
	for _, f := range def.Fields {
		if !strings.HasPrefix(f.Name, "__") {
			fields = append(fields, &object{"__Field", obj{"name": f.Name, "description": f.Description, "isDeprecated": false}})
		}
	}
	return &object{"__Type", obj{
		"kind": string(def.Kind), "name": def.Name, "description": def.Description,
		"fields": resolver(func(obj) (any, error) { return fields, nil }),
	}}
}

// none is a connection to things that the hub has none of.
func none(kind string) resolver {
	return connection(kind, nil, func(o *object) *object { return o }, nil)
}
