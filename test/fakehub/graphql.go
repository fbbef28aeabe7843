package fakehub

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

//go:embed schema.graphql
var schemaSource string

func loadSchema() (*ast.Schema, error) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: schemaSource})
	if err != nil {
		return nil, fmt.Errorf("load GraphQL schema: %w", err)
	}
	return schema, nil
}

// document is a GraphQL request as far as it can be read before it runs.
type document struct {
	operation string // query or mutation
	fields    []string
	query     *ast.QueryDocument
	op        *ast.OperationDefinition
	variables map[string]any
	err       error
}

// parseDocument reads the request, so that faults and the log know its
// fields. What is wrong with it is said when it runs.
func (c *call) parseDocument() {
	var req struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
	}
	if err := json.Unmarshal(c.body, &req); err != nil {
		c.doc.err = &apiError{status: http.StatusBadRequest, message: "Problems parsing JSON"}
		return
	}
	c.doc.variables = req.Variables
	query, err := parser.ParseQuery(&ast.Source{Input: req.Query})
	if err != nil {
		c.doc.err = err
		return
	}
	c.doc.query = query
	for _, op := range query.Operations {
		if req.OperationName == "" || op.Name == req.OperationName {
			c.doc.op = op
			break
		}
	}
	if c.doc.op == nil {
		c.doc.err = gqlerror.Errorf("No operation named %q", req.OperationName)
		return
	}
	c.doc.operation = string(c.doc.op.Operation)
	c.doc.fields = topFields(c.doc.op.SelectionSet, query.Fragments)
}

func topFields(set ast.SelectionSet, fragments ast.FragmentDefinitionList) []string {
	var list []string
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			list = append(list, s.Name)
		case *ast.InlineFragment:
			list = append(list, topFields(s.SelectionSet, fragments)...)
		case *ast.FragmentSpread:
			if f := fragments.ForName(s.Name); f != nil {
				list = append(list, topFields(f.SelectionSet, fragments)...)
			}
		}
	}
	return list
}

// serveGraphQL answers 200 with `data` and `errors`, whatever happened, except
// to requests that are no GraphQL at all.
func (h *Hub) serveGraphQL(w http.ResponseWriter, c *call) {
	h.lock()
	defer h.unlock()
	c.limit("graphql")
	if c.actor.account == nil || c.actor.app != nil {
		c.writeError(w, &apiError{status: http.StatusUnauthorized, message: "This endpoint requires you to be authenticated."})
		return
	}
	if api, ok := c.doc.err.(*apiError); ok { //nolint:errorlint // it is set as it is.
		c.writeError(w, api)
		return
	}
	if c.doc.err != nil {
		c.writeJSON(w, http.StatusOK, obj{"errors": []obj{{"message": c.doc.err.Error()}}})
		return
	}
	if errs := validator.ValidateWithRules(h.schema, c.doc.query, nil); len(errs) > 0 {
		c.writeJSON(w, http.StatusOK, obj{"errors": documentErrors(errs)})
		return
	}
	vars, err := validator.VariableValues(h.schema, c.doc.op, c.doc.variables)
	if err != nil {
		c.writeJSON(w, http.StatusOK, obj{"errors": []obj{{"message": err.Error()}}})
		return
	}
	x := &execution{c: c, h: h, vars: vars}
	data := x.operation(c.doc.op)
	body := obj{"data": data}
	if len(x.errors) > 0 {
		body["errors"] = x.errors
	}
	c.writeJSON(w, http.StatusOK, body)
}

var unknownField = regexp.MustCompile(`^Cannot query field "(\w+)" on type "(\w+)"`)

// documentErrors words what is wrong with a document as GitHub does where a
// client may look for it.
func documentErrors(errs gqlerror.List) []obj {
	var list []obj
	for _, e := range errs {
		body := obj{"message": e.Message}
		if m := unknownField.FindStringSubmatch(e.Message); m != nil {
			body["message"] = fmt.Sprintf("Field '%s' doesn't exist on type '%s'", m[1], m[2])
			body["extensions"] = obj{"code": "undefinedField", "typeName": m[2], "fieldName": m[1]}
		}
		var at []obj
		for _, l := range e.Locations {
			at = append(at, obj{"line": l.Line, "column": l.Column})
		}
		if len(at) > 0 {
			body["locations"] = at
		}
		list = append(list, body)
	}
	return list
}

// notResolved is GitHub's way to say that something is not there, or not to
// be seen.
func notResolved(kind, what string) *apiError {
	e := errNotFound()
	article := "a"
	if strings.ContainsRune("AEIOU", rune(kind[0])) {
		article = "an"
	}
	e.graph = "Could not resolve to " + article + " " + kind + " with the " + what + "."
	return e
}
