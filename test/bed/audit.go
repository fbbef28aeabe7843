package bed

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Write is a change that somebody asked the API server for.
type Write struct {
	User        string
	Verb        string // create, update, patch, delete, deletecollection
	Resource    string // plural, "kustomizations"
	Subresource string // "status", "" for the object itself
	Namespace   string
	Name        string
	Code        int             // of the answer: 403 was refused
	Body        json.RawMessage // what was sent
}

// AuditLog is the path of the API server's audit log, one JSON event a line. It
// has every request of everybody but the bed's own programs.
func (b *Bed) AuditLog() string { return b.path("logs", "audit.log") }

// Writes reads from the audit log what a user has asked to change, in order,
// refused requests included.
func (b *Bed) Writes(user string) ([]Write, error) {
	f, err := os.Open(b.AuditLog())
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	defer f.Close()
	var all []Write
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return all, nil // a last line without an end is still being written
		}
		if err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("decode an audit event: %w", err)
		}
		if e.Level == "Request" && e.User.Username == user {
			all = append(all, Write{
				User: user, Verb: e.Verb, Code: e.ResponseStatus.Code, Body: e.RequestObject,
				Resource: e.ObjectRef.Resource, Subresource: e.ObjectRef.Subresource,
				Namespace: e.ObjectRef.Namespace, Name: e.ObjectRef.Name,
			})
		}
	}
}

// event is what is read of an audit.k8s.io/v1 Event.
type event struct {
	Level          string
	Verb           string
	User           struct{ Username string }
	ObjectRef      struct{ Resource, Subresource, Namespace, Name string }
	ResponseStatus struct{ Code int }
	RequestObject  json.RawMessage
}
