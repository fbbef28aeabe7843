package trial

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// shape holds data against the types that a document selects.
type shape struct {
	court *court
	op    string
}

// object judges the fields of an object. Where its type is not known, only an
// interface, whole is false within fragments: they need not apply, but what is
// there must have their types.
func (s *shape) object(kind string, set ast.SelectionSet, data map[string]any, whole bool) {
	if name, ok := data["__typename"].(string); ok {
		kind = name
	}
	if s.court.schema.Types[kind] == nil {
		s.court.object(s.op, "data", "there is no type "+kind, fmt.Sprint(data))
		return
	}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if value, there := data[sel.Alias]; there {
				s.value(sel, sel.Definition.Type, value)
			} else if whole && len(sel.Directives) == 0 {
				s.court.object(s.op, "data", sel.ObjectDefinition.Name+"."+sel.Name+" is not there", fmt.Sprint(data))
			}
		case *ast.InlineFragment:
			s.fragment(kind, sel.TypeCondition, sel.SelectionSet, data, whole)
		case *ast.FragmentSpread:
			s.fragment(kind, sel.Definition.TypeCondition, sel.Definition.SelectionSet, data, whole)
		}
	}
}

func (s *shape) fragment(kind, condition string, set ast.SelectionSet, data map[string]any, whole bool) {
	schema := s.court.schema
	applies := condition == "" || condition == kind ||
		slices.ContainsFunc(schema.PossibleTypes[condition], func(d *ast.Definition) bool { return d.Name == kind })
	if applies || schema.Types[kind].Kind != ast.Object {
		s.object(kind, set, data, whole && applies)
	}
}

func (s *shape) value(f *ast.Field, t *ast.Type, value any) {
	object := func(what string) {
		s.court.object(s.op, "data", f.ObjectDefinition.Name+"."+f.Name+" "+what, fmt.Sprint(value))
	}
	if value == nil {
		if t.NonNull {
			object("is null and may not be")
		}
		return
	}
	if t.Elem != nil {
		list, ok := value.([]any)
		if !ok {
			object("is no list")
		}
		for _, item := range list {
			s.value(f, t.Elem, item)
		}
		return
	}
	def := s.court.schema.Types[t.NamedType]
	switch {
	case def.IsCompositeType():
		if o, ok := value.(map[string]any); ok {
			s.object(def.Name, f.SelectionSet, o, true)
		} else {
			object("is no object")
		}
	case def.Kind == ast.Enum:
		if name, _ := value.(string); def.EnumValues.ForName(name) == nil {
			object(fmt.Sprintf("is %v, which %s does not have", value, def.Name))
		}
	default:
		s.scalar(def.Name, value, object)
	}
}

func (s *shape) scalar(kind string, value any, object func(string)) {
	ok := true
	switch kind {
	case "Int", "Float":
		_, ok = value.(float64)
	case "Boolean":
		_, ok = value.(bool)
	case "GitObjectID":
		text, _ := value.(string)
		ok = len(text) == 40
	default:
		_, ok = value.(string)
	}
	if !ok {
		object("is no " + kind)
	}
}
