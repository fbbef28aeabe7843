package condition

import (
	"slices"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// accumulator is where CEL's macros gather their result. An expression can't
// write it.
const accumulator = "@result"

// plain are the types whose values can't hold others.
var plain = []types.Kind{
	types.BoolKind, types.BytesKind, types.DoubleKind, types.DurationKind, types.IntKind,
	types.NullTypeKind, types.StringKind, types.TimestampKind, types.TypeKind, types.UintKind,
}

// offence is a part of an expression that may not be there.
type offence struct {
	id   int64 // of the part, for its position
	text string
}

// offences finds what could build values of unbounded size: a comparison of two
// such values takes any time and can't be stopped.
func offences(a *celast.AST) []offence {
	var out []offence
	bad := func(e celast.Expr, text string) { out = append(out, offence{e.ID(), text}) }
	for _, e := range celast.MatchDescendants(celast.NavigateAST(a), celast.AllMatcher()) {
		switch e.Kind() {
		case celast.MapKind, celast.StructKind:
			bad(e, "an expression can't build maps")
		case celast.ListKind:
			for _, element := range e.Children() {
				if !slices.Contains(plain, element.Type().Kind()) && !gathered(e, element) {
					bad(element, "a list can only hold plain values: write string(...), int(...) or bool(...) around what comes from an object")
				}
			}
		case celast.CallKind:
			if e.AsCall().FunctionName() == operators.Add && !slices.Contains(plain, e.Type().Kind()) && !gathers(e) {
				bad(e, "an expression can't add lists, nor values of unknown type: write string(...) or int(...) around what comes from an object")
			}
		}
	}
	return out
}

// gathered reports whether a list is what filter, or a map that changes
// nothing, adds to its result: an element of what it goes through, as it is.
func gathered(list, element celast.NavigableExpr) bool {
	add, ok := list.Parent()
	if !ok || element.Kind() != celast.IdentKind || !gathers(add) {
		return false
	}
	for up, ok := add.Parent(); ok; up, ok = up.Parent() {
		if up.Kind() == celast.ComprehensionKind {
			return up.AsComprehension().IterVar() == element.AsIdent()
		}
	}
	return false
}

// gathers reports whether a macro adds to its result here.
func gathers(e celast.Expr) bool {
	if e.Kind() != celast.CallKind || e.AsCall().FunctionName() != operators.Add || len(e.AsCall().Args()) == 0 {
		return false
	}
	first := e.AsCall().Args()[0]
	return first.Kind() == celast.IdentKind && first.AsIdent() == accumulator
}

// needsObjects reports whether an expression looks at more of revert than its
// files.
func needsObjects(a *celast.AST) bool {
	for _, e := range celast.MatchDescendants(celast.NavigateAST(a), celast.KindMatcher(celast.IdentKind)) {
		if e.AsIdent() != "revert" {
			continue
		}
		up, ok := e.Parent()
		if !ok || up.Kind() != celast.SelectKind || up.AsSelect().FieldName() != "files" {
			return true
		}
	}
	return false
}
