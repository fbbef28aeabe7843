package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// kept is a journal that holds one step.
type kept struct {
	Journal
	raw []byte
}

func (k kept) Do(context.Context, string, func(context.Context) ([]byte, error)) ([]byte, error) {
	return k.raw, nil
}

// FuzzStepRecord reads steps as an older or newer Backout, or a damaged disk,
// may have left them. What can be read says the same when it is written again.
func FuzzStepRecord(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		read := func(raw []byte) (Done[gateLook], error) {
			return Step(t.Context(), kept{raw: raw}, nil, "gate", func(context.Context) (gateLook, error) {
				t.Fatal("the act of a recorded step was run")
				return gateLook{}, nil
			})
		}
		d, err := read(raw)
		if err != nil {
			if !strings.Contains(err.Error(), "step gate") {
				t.Fatalf("%v does not name the step", err)
			}
			return
		}
		value, err := json.Marshal(d.Value)
		if err != nil {
			t.Fatalf("%+v can't be written again: %v", d.Value, err)
		}
		again, err := json.Marshal(stepRecord{Version: stepVersion, Start: d.Start, End: d.End, Value: value, Trouble: d.Trouble})
		if err != nil {
			t.Fatalf("%+v can't be written again: %v", d, err)
		}
		e, err := read(again)
		if err != nil {
			t.Fatalf("%s reads as %v", again, err)
		}
		same(t, d.Value, e.Value)
		same(t, d.Trouble, e.Trouble)
		if !d.Start.Equal(e.Start) || !d.End.Equal(e.End) {
			t.Fatalf("%v to %v became %v to %v", d.Start, d.End, e.Start, e.End)
		}
	})
}

// FuzzKept reads what the ledger and the engine keep: views, records, events.
func FuzzKept(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		reread[View](t, raw)
		reread[Record](t, raw)
		reread[Event](t, raw)
		reread[Plan](t, raw)
		if r, ok := reread[Rollback](t, raw); ok {
			id := r.MakeID(1)
			if rest, ok := strings.CutPrefix(string(id), "rb-"); !ok || len(rest) != 12 || strings.Trim(rest, "0123456789abcdef") != "" {
				t.Fatalf("ID %q", id)
			}
			if other := r.MakeID(2); other == id {
				t.Fatalf("two attempts have the ID %s", id)
			}
		}
	})
}

// reread reads and writes a value until it can't change any more.
func reread[T any](t *testing.T, raw []byte) (v T, ok bool) {
	t.Helper()
	if json.Unmarshal(raw, &v) != nil {
		return v, false
	}
	once, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%T: what was read can't be written again: %v", v, err)
	}
	var w T
	if err := json.Unmarshal(once, &w); err != nil {
		t.Fatalf("%T: what was written can't be read again: %v", v, err)
	}
	same(t, v, w)
	return v, true
}

// same compares two values by what would be kept of them.
func same(t *testing.T, a, b any) {
	t.Helper()
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	if errX != nil || errY != nil || !bytes.Equal(x, y) {
		t.Fatalf("%s became %s (%v, %v)", x, y, errX, errY)
	}
}

// TestNewerStepIsRefused is the one refusal that names its cure.
func TestNewerStepIsRefused(t *testing.T) {
	_, err := Step(t.Context(), kept{raw: []byte(`{"v":2,"value":true}`)}, time.Now, "gate", func(context.Context) (bool, error) { return true, nil })
	if err == nil || !strings.Contains(err.Error(), "start the newer one") {
		t.Errorf("a step of a newer Backout reads as %v", err)
	}
}
