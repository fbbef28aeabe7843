package trial

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/backout-dev/backout/test/fakehub"
)

// hooks is GitHub's description of its webhooks, which is OpenAPI 3.1: its
// schemas are JSON Schema 2020-12.
type hooks struct {
	compiler *jsonschema.Compiler
	events   map[string]*openapi3.PathItem // by "issue-comment-created"
	compiled map[string]*jsonschema.Schema
}

var payloads = sync.OnceValues(func() (*hooks, error) {
	body, err := published("openapi-webhooks/generated/api.github.com.json")
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(body)
	if err != nil {
		return nil, fmt.Errorf("load GitHub's webhooks: %w", err)
	}
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("load GitHub's webhooks: %w", err)
	}
	h := &hooks{compiler: jsonschema.NewCompiler(), events: doc.Webhooks, compiled: map[string]*jsonschema.Schema{}}
	h.compiler.AssertFormat()
	// The library's own check of URI templates refuses "{/name}".
	h.compiler.RegisterFormat(&jsonschema.Format{Name: "uri-template", Validate: func(any) error { return nil }})
	return h, h.compiler.AddResource("webhooks.json", tree)
})

// schema gives the schema of an event's payload.
func (h *hooks) schema(name string) (*jsonschema.Schema, error) {
	if s := h.compiled[name]; s != nil {
		return s, nil
	}
	event := h.events[name]
	if event == nil {
		return nil, errors.New("GitHub publishes no such webhook")
	}
	s, err := h.compiler.Compile("webhooks.json" + event.Post.RequestBody.Value.Content.Get("application/json").Schema.Ref)
	if err != nil {
		return nil, err
	}
	h.compiled[name] = s
	return s, nil
}

// hookName is how GitHub calls an event in its description.
func hookName(event, action string) string {
	name := event
	if action != "" {
		name += "_" + action
	}
	return strings.ReplaceAll(name, "_", "-")
}

// webhook judges one webhook.
func (c *court) webhook(x fakehub.Record) {
	name := hookName(x.Event, x.Action)
	c.count.payloads++
	c.events[name]++
	c.payload(name, []byte(x.Payload))
	event := c.hooks.events[name]
	if event == nil {
		return
	}
	for _, p := range event.Post.Parameters {
		if p.Value.Required && p.Value.In == "header" && !has(x.Header, p.Value.Name) {
			c.object("webhook "+name, "header", p.Value.Name+" is missing", "")
		}
	}
	c.unknown("webhook "+name, "payload", schemaOf(event.Post.RequestBody.Value.Content), x.Payload)
}

func has(header map[string][]string, name string) bool {
	for k := range header {
		if strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}

// payload judges the payload of an event.
func (c *court) payload(name string, body []byte) {
	s, err := c.hooks.schema(name)
	if err != nil {
		c.object("webhook "+name, "payload", err.Error(), string(body))
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		c.object("webhook "+name, "payload", err.Error(), string(body))
		return
	}
	var bad *jsonschema.ValidationError
	if errors.As(s.Validate(value), &bad) {
		c.leaves("webhook "+name, bad, string(body))
	}
}

var english = message.NewPrinter(language.English)

// leaves objects to what a validation found at the bottom of it.
func (c *court) leaves(op string, e *jsonschema.ValidationError, body string) {
	what := e.ErrorKind.LocalizedString(english)
	causes := e.Causes
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		// The alternative that comes closest is the one that was meant.
		causes = nil
		for _, cause := range e.Causes {
			if causes == nil || bottoms(cause) < bottoms(causes[0]) {
				causes = []*jsonschema.ValidationError{cause}
			}
		}
	case *kind.Format:
		what = "format: is no " + k.Want
	}
	if len(causes) == 0 {
		c.object(op, "payload", pointer(e.InstanceLocation)+" "+what, body)
	}
	for _, cause := range causes {
		c.leaves(op, cause, body)
	}
}

func bottoms(e *jsonschema.ValidationError) int {
	if len(e.Causes) == 0 {
		return 1
	}
	n := 0
	for _, cause := range e.Causes {
		n += bottoms(cause)
	}
	return n
}
