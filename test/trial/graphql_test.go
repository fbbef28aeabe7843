package trial

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/backout-dev/backout/test/fakehub"
)

// schema is GitHub's public GraphQL schema. It declares two fields of
// EnterpriseOwnerInfo twice, which the specification forbids.
var schema = sync.OnceValues(func() (*ast.Schema, error) {
	body, err := published("graphql-schema/schema.graphql")
	if err != nil {
		return nil, err
	}
	doc, err := parser.ParseSchemas(validator.Prelude, &ast.Source{Name: "schema.graphql", Input: string(body)})
	if err != nil {
		return nil, fmt.Errorf("parse GitHub's schema: %w", err)
	}
	info := doc.Definitions.ForName("EnterpriseOwnerInfo")
	if info == nil {
		return nil, errors.New("GitHub's schema has no EnterpriseOwnerInfo")
	}
	seen := map[string]bool{}
	info.Fields = slices.DeleteFunc(info.Fields, func(f *ast.FieldDefinition) bool {
		twice := seen[f.Name]
		seen[f.Name] = true
		return twice
	})
	return validator.ValidateSchemaDocument(doc)
})

// graphql judges one GraphQL request and its answer.
func (c *court) graphql(x fakehub.Record) {
	var req struct {
		Query         string
		OperationName string
		Variables     map[string]any
	}
	var res struct {
		Data   map[string]any
		Errors []json.RawMessage
	}
	op := "graphql " + short(x.Body)
	refused := json.Unmarshal([]byte(x.Response), &res) != nil || x.Status != 200 || res.Data == nil
	if err := json.Unmarshal([]byte(x.Body), &req); err != nil {
		if ours(x.Agent) || !refused {
			c.object(op, "request", err.Error(), x.Body)
		}
		return
	}
	// A refused document need not be valid; one of ours always.
	if refused && !ours(x.Agent) {
		return
	}
	c.count.documents++
	c.documents[req.Query]++
	op = "graphql " + short(req.Query)
	doc, errs := parse(c.schema, req.Query)
	for _, e := range errs {
		c.object(op, "document", e, req.Query)
	}
	if doc == nil {
		return
	}
	operation := doc.Operations.ForName(req.OperationName)
	if operation == nil {
		c.object(op, "document", "no such operation: "+req.OperationName, req.Query)
		return
	}
	if _, err := validator.VariableValues(c.schema, operation, req.Variables); err != nil {
		c.object(op, "variables", err.Error(), x.Body)
	}
	if x.Injected || x.Status == 0 || res.Data == nil {
		return
	}
	c.count.data++
	root := "Query"
	if operation.Operation == ast.Mutation {
		root = "Mutation"
		for name := range res.Data {
			c.mutations[name]++
		}
	}
	s := shape{court: c, op: op}
	s.object(root, operation.SelectionSet, res.Data, true)
}

func parse(s *ast.Schema, query string) (*ast.QueryDocument, []string) {
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		return nil, []string{err.Error()}
	}
	var list []string
	for _, e := range validator.ValidateWithRules(s, doc, nil) {
		list = append(list, e.Message)
	}
	return doc, list
}

// short is enough of a document to find it by.
func short(doc string) string {
	s := strings.Join(strings.Fields(doc), " ")
	return s[:min(len(s), 60)]
}
