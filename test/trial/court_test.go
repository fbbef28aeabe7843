package trial

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/backout-dev/backout/test/fakehub"
)

// court judges records and remembers what is wrong with them.
type court struct {
	api        *api
	schema     *ast.Schema
	hooks      *hooks
	objections map[string]*objection
	operations map[string]int
	routes     map[string]int // fakehub's name for them
	events     map[string]int
	documents  map[string]int
	mutations  map[string]int // by the name that the answer gives them
	count      struct{ exchanges, requests, answers, injected, nowhere, documents, data, payloads, searched int }
}

// objection is one way in which something does not fit.
type objection struct {
	times   int
	example string
}

func newCourt(t *testing.T) *court {
	t.Helper()
	a, err := rest()
	must(t, err)
	s, err := schema()
	must(t, err)
	h, err := payloads()
	must(t, err)
	return &court{api: a, schema: s, hooks: h, objections: map[string]*objection{}, operations: map[string]int{}, routes: map[string]int{}, events: map[string]int{}, documents: map[string]int{}, mutations: map[string]int{}}
}

func (c *court) object(op, part, what, example string) {
	key := op + " | " + part + " | " + what
	o := c.objections[key]
	if o == nil {
		o = &objection{example: example}
		c.objections[key] = o
	}
	o.times++
}

// hear judges one record.
func (c *court) hear(x fakehub.Record) {
	switch x.Kind {
	case "rest":
		c.rest(x)
	case "graphql":
		c.graphql(x)
	case "webhook":
		c.webhook(x)
	default:
		c.object("a record", "kind", "nobody judges "+x.Kind, "")
	}
}

// hearFolder judges the records in a folder.
func (c *court) hearFolder(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	must(t, err)
	if len(files) == 0 {
		t.Fatalf("no records in %s", dir)
	}
	for _, name := range files {
		f, err := os.Open(name)
		must(t, err)
		for dec := json.NewDecoder(bufio.NewReader(f)); dec.More(); {
			var x fakehub.Record
			must(t, dec.Decode(&x))
			c.hear(x)
		}
		must(t, f.Close())
	}
}

// summary counts what was judged.
func (c *court) summary() string {
	n := c.count
	return fmt.Sprintf("trial: %d REST exchanges of %d operations: %d requests and %d answers judged, %d answers made up by faults, %d of paths that neither side knows\n"+
		"trial: %d GraphQL documents, %d different, %d with data\n"+
		"trial: %d webhooks of %d kinds; %d bodies searched for fields that GitHub does not describe",
		n.exchanges, len(c.operations), n.requests, n.answers, n.injected, n.nowhere,
		n.documents, len(c.documents), n.data, n.payloads, len(c.events), n.searched)
}
