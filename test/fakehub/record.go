package fakehub

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
)

// Record is one line of what a hub writes to the folder in FAKEHUB_RECORD: an
// API request with its answer, or a webhook. test/trial holds them against
// GitHub's published descriptions.
type Record struct {
	Kind string // "rest", "graphql" or "webhook"

	// Of a request.
	Method, Path, Query string // the path as sent, escaped, without the API prefix
	Route               string // as of Request
	Agent, Type         string // headers User-Agent and Content-Type
	Body                string
	Status              int
	Injected            bool   // a Fault made up the answer
	Response            string // as sent
	ResponseType        string // header Content-Type

	// Of a webhook.
	Event, Action, Payload string
	Header                 map[string][]string
}

// recorder writes records, one JSON object a line. Each line is written at
// once: the process may be killed.
type recorder struct {
	mu   sync.Mutex
	file *os.File
	err  error
}

// newRecorder opens a file of its own for every hub, since many processes may
// record into one folder. A nil recorder records nothing.
func newRecorder(dir string) (*recorder, error) {
	if dir == "" {
		return nil, nil //nolint:nilnil // nobody wants records.
	}
	f, err := os.CreateTemp(dir, "hub-*.jsonl")
	if err != nil {
		return nil, fmt.Errorf("record exchanges: %w", err)
	}
	return &recorder{file: f}, nil
}

func (r *recorder) write(x Record) {
	raw, err := json.Marshal(x)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return // the hub is closed, and nobody got this answer
	}
	if err == nil {
		_, err = r.file.Write(append(raw, '\n'))
	}
	r.err = errors.Join(r.err, err)
}

// close tells of everything that could not be recorded: a record that is
// missing would be an exchange that nobody judged.
func (r *recorder) close() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	err := errors.Join(r.err, r.file.Close())
	r.file = nil
	return err
}

func (r *recorder) exchange(path string, e Exchange) {
	if r == nil {
		return
	}
	agent, kind, answered := "", "", ""
	if v := e.RequestHeader["User-Agent"]; len(v) > 0 {
		agent = v[0]
	}
	if v := e.RequestHeader["Content-Type"]; len(v) > 0 {
		kind = v[0]
	}
	if v := e.ResponseHeader["Content-Type"]; len(v) > 0 {
		answered = v[0]
	}
	r.write(Record{
		Kind: e.Kind, Method: e.Method, Path: path, Query: e.Query, Route: e.Route, Agent: agent, Type: kind,
		Body: string(e.Body), Status: e.Status, Injected: e.Injected, Response: string(e.Response), ResponseType: answered,
	})
}

func (r *recorder) delivery(d Delivery) {
	if r == nil {
		return
	}
	r.write(Record{Kind: "webhook", Event: d.Event, Action: d.Action, Payload: string(d.Payload), Header: d.Request})
}
