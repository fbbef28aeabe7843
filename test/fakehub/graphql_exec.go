package fakehub

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// execution runs one GraphQL operation.
type execution struct {
	c      *call
	h      *Hub
	vars   map[string]any
	errors []obj
}

// object is a GraphQL object: its type, and for each field a value or a
// function that finds it when the field is selected.
type object struct {
	kind   string
	fields obj
}

// lazy is a field that is worked out only when it is selected.
type lazy func() any

// resolver is a field that takes arguments, or can fail.
type resolver func(args obj) (any, error)

// operation runs the top fields in order. A mutation that fails is null with
// an error, and those after it still run, as the specification has it.
// See https://spec.graphql.org/October2021/#sec-Mutation.
func (x *execution) operation(op *ast.OperationDefinition) any {
	root := &object{kind: "Query", fields: x.queries()}
	if op.Operation == ast.Mutation {
		root = &object{kind: "Mutation", fields: x.mutations()}
	}
	data, ok := x.selection(root, op.SelectionSet, nil)
	if !ok {
		return nil
	}
	return data
}

// selection answers a selection set on an object; false means that a field
// which can't be null is, so that the object can't be either.
func (x *execution) selection(o *object, set ast.SelectionSet, path []any) (obj, bool) {
	out := obj{}
	for _, f := range x.collect(o, set) {
		at := append(slices.Clone(path), f.Alias)
		if f.Name == "__typename" {
			out[f.Alias] = o.kind
			continue
		}
		value, ok := x.field(o, f, at)
		if !ok {
			return nil, false
		}
		if was, ok := out[f.Alias].(obj); ok {
			if now, ok := value.(obj); ok {
				merge(was, now)
				continue
			}
		}
		out[f.Alias] = value
	}
	return out, true
}

// merge adds what a second mention of the same field selected.
func merge(to, from obj) {
	for k, v := range from {
		a, ok1 := to[k].(obj)
		b, ok2 := v.(obj)
		if ok1 && ok2 {
			merge(a, b)
			continue
		}
		to[k] = v
	}
}

// collect flattens fragments that apply to the object.
func (x *execution) collect(o *object, set ast.SelectionSet) []*ast.Field {
	var list []*ast.Field
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if x.included(s.Directives) {
				list = append(list, s)
			}
		case *ast.InlineFragment:
			if x.included(s.Directives) && x.is(o, s.TypeCondition) {
				list = append(list, x.collect(o, s.SelectionSet)...)
			}
		case *ast.FragmentSpread:
			if x.included(s.Directives) && x.is(o, s.Definition.TypeCondition) {
				list = append(list, x.collect(o, s.Definition.SelectionSet)...)
			}
		}
	}
	return list
}

func (x *execution) included(list ast.DirectiveList) bool {
	for _, d := range list {
		on, _ := d.ArgumentMap(x.vars)["if"].(bool)
		if d.Name == "skip" && on || d.Name == "include" && !on {
			return false
		}
	}
	return true
}

// is tells whether an object is of a type, an interface or a union.
func (x *execution) is(o *object, kind string) bool {
	if kind == "" || kind == o.kind {
		return true
	}
	return slices.ContainsFunc(x.h.schema.PossibleTypes[kind], func(d *ast.Definition) bool { return d.Name == o.kind })
}

func (x *execution) field(o *object, f *ast.Field, path []any) (any, bool) {
	value, known := o.fields[f.Name]
	if !known {
		x.fail(f, path, errUnprocessable("fakehub does not answer "+o.kind+"."+f.Name))
		return nil, !f.Definition.Type.NonNull
	}
	if o.kind == "Mutation" {
		x.c.writes++
	}
	switch v := value.(type) {
	case lazy:
		value = v()
	case resolver:
		var err error
		if value, err = v(x.arguments(f)); err != nil {
			x.fail(f, path, err)
			return nil, !f.Definition.Type.NonNull
		}
	}
	return x.complete(f, f.Definition.Type, value, path)
}

// arguments are those of a field. Who only counts a connection needs not say
// how many of it to give, as gh does.
func (x *execution) arguments(f *ast.Field) obj {
	args := f.ArgumentMap(x.vars)
	if !strings.HasSuffix(f.Definition.Type.Name(), "Connection") || args["first"] != nil || args["last"] != nil {
		return args
	}
	for _, s := range f.SelectionSet {
		if inner, ok := s.(*ast.Field); !ok || inner.Name != "totalCount" {
			return args
		}
	}
	args["first"] = maxPage
	return args
}

// complete shapes a value by its type.
func (x *execution) complete(f *ast.Field, t *ast.Type, value any, path []any) (any, bool) {
	switch v := value.(type) {
	case nil:
		if t.NonNull {
			x.fail(f, path, errUnprocessable("Cannot return null for non-nullable field "+f.ObjectDefinition.Name+"."+f.Name))
		}
		return nil, !t.NonNull
	case *object:
		out, ok := x.selection(v, f.SelectionSet, path)
		if !ok {
			return nil, !t.NonNull
		}
		return out, true
	case []*object:
		list := make([]any, len(v))
		for i, item := range v {
			var one any
			if item != nil {
				one = item
			}
			done, ok := x.complete(f, t.Elem, one, append(slices.Clone(path), i))
			if !ok {
				return nil, !t.NonNull
			}
			list[i] = done
		}
		return list, true
	}
	return value, true
}

func (x *execution) fail(f *ast.Field, path []any, err error) {
	var e *apiError
	if !errors.As(err, &e) {
		x.h.log.Error("GraphQL", "field", f.Name, "error", err)
		e = &apiError{message: "Something went wrong while executing your query: " + err.Error()}
	}
	message := strings.ReplaceAll(e.graphMessage(), "the connection", "the `"+f.Name+"` connection")
	body := obj{"message": message, "path": path}
	if e.kind != "" {
		body["type"] = e.kind
	}
	if f.Position != nil {
		body["locations"] = []obj{{"line": f.Position.Line, "column": f.Position.Column}}
	}
	x.errors = append(x.errors, body)
}

// maxPage is the most that a connection gives at once.
const maxPage = 100

// connection is a list with pages. Cursors are positions.
func connection[T any](kind string, list []T, node func(T) *object, more obj) resolver {
	return func(args obj) (any, error) {
		from, to, err := window(args, len(list))
		if err != nil {
			return nil, err
		}
		var nodes []*object
		for _, item := range list[from:to] {
			nodes = append(nodes, node(item))
		}
		info := obj{"hasNextPage": to < len(list), "hasPreviousPage": from > 0, "startCursor": nil, "endCursor": nil}
		if to > from {
			info["startCursor"], info["endCursor"] = cursor(from+1), cursor(to)
		}
		fields := obj{"totalCount": len(list), "nodes": nodes, "pageInfo": &object{"PageInfo", info}}
		maps.Copy(fields, more)
		if nodes == nil {
			fields["nodes"] = []*object{}
		}
		return &object{kind, fields}, nil
	}
}
