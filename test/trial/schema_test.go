package trial

import (
	"fmt"
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// TestSchemaIsAPart holds fakehub's schema against GitHub's: what it has must
// be there, with the same types.
func TestSchemaIsAPart(t *testing.T) {
	whole, err := schema()
	must(t, err)
	part := part(t)
	types, fields := 0, 0
	for name, p := range part.Types {
		if p.BuiltIn {
			continue
		}
		types++
		fields += len(p.Fields)
		if w := whole.Types[name]; w == nil {
			t.Errorf("GitHub has no type %s", name)
		} else {
			for _, why := range differences(p, w) {
				t.Errorf("%s: %s", name, why)
			}
		}
	}
	if types < 50 || fields < 200 {
		t.Errorf("only %d types with %d fields", types, fields)
	}
	fmt.Printf("trial: fakehub's GraphQL schema: %d types with %d fields are as published\n", types, fields)
}

// differences says in what a type is not a part of the published one.
func differences(p, w *ast.Definition) []string {
	var list []string
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if p.Kind != w.Kind {
		say("is of the kind %s, not %s", p.Kind, w.Kind)
	}
	for _, i := range p.Interfaces {
		if !slices.Contains(w.Interfaces, i) {
			say("does not implement %s", i)
		}
	}
	for _, m := range p.Types {
		if !slices.Contains(w.Types, m) {
			say("has no member %s", m)
		}
	}
	for _, v := range p.EnumValues {
		if w.EnumValues.ForName(v.Name) == nil {
			say("has no value %s", v.Name)
		}
	}
	for _, f := range p.Fields {
		of := w.Fields.ForName(f.Name)
		if of == nil {
			say("has no field %s", f.Name)
			continue
		}
		if f.Type.String() != of.Type.String() {
			say("%s is %s, not %s", f.Name, of.Type, f.Type)
		}
		if p.Kind == ast.InputObject && value(f.DefaultValue) != value(of.DefaultValue) {
			say("%s is %s by default, not %s", f.Name, value(of.DefaultValue), value(f.DefaultValue))
		}
		for _, a := range f.Arguments {
			switch oa := of.Arguments.ForName(a.Name); {
			case oa == nil:
				say("%s has no argument %s", f.Name, a.Name)
			case a.Type.String() != oa.Type.String() || value(a.DefaultValue) != value(oa.DefaultValue):
				say("%s(%s) is %s = %s, not %s = %s", f.Name, a.Name, oa.Type, value(oa.DefaultValue), a.Type, value(a.DefaultValue))
			}
		}
		for _, a := range of.Arguments {
			if a.Type.NonNull && a.DefaultValue == nil && f.Arguments.ForName(a.Name) == nil {
				say("%s needs an argument %s", f.Name, a.Name)
			}
		}
	}
	for _, f := range w.Fields {
		if w.Kind == ast.InputObject && f.Type.NonNull && f.DefaultValue == nil && p.Fields.ForName(f.Name) == nil {
			say("needs %s", f.Name)
		}
	}
	return list
}

func value(v *ast.Value) string {
	if v == nil {
		return "nothing"
	}
	return v.String()
}
