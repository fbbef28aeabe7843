package bot

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// recorded are the types of the steps' results, by the name of the step or, with
// a blank at the end, by how it begins.
var recorded = map[string]any{
	"load": Record{}, "decide": Plan{}, "look for approval": glance{}, "open revert": RevertPull{},
	"gate": gateLook{}, "merge": acted[Merged]{}, "enqueue": acted[Queued]{}, "arm auto-merge": acted[Queued]{}, "sync": syncLook{}, "verify": verifyLook{}, "hold ": Held{},
	"authorise": authority{}, "hold images": heldImages{}, "resolve": aim{}, "begin": Begun{}, "locate": []spoken{}, "rank ": blamed{},
}

// TestKeptResultsAreRead reads the results in the kept journals of all stories
// (test/replay) and wants every field to have a place still. Fields may be added,
// never renamed: a flow that was begun before would go on with a zero.
func TestKeptResultsAreRead(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../test/replay/testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no journals are kept: %v", err)
	}
	read := map[string]int{}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range a.Files {
			name, into := placeFor(step.Name)
			if into == nil {
				continue
			}
			var rec stepRecord
			if err := strictly(step.Data, &rec); err != nil {
				t.Fatalf("%s: the record of %q: %v", file, step.Name, err)
			}
			if err := strictly(rec.Value, into); err != nil {
				t.Errorf("%s: the result of %q: %v; fields may be added, never renamed or reused", file, step.Name, err)
			}
			read[name]++
		}
	}
	for name := range recorded {
		if read[name] == 0 {
			t.Errorf("no journal has a step %q; is it still called that?", name)
		}
	}
}

// placeFor returns the name by which the step's type is known, and a new value
// of it.
func placeFor(step string) (string, any) {
	step, _ = strings.CutPrefix(step, "do ")
	if v, ok := recorded[step]; ok {
		return step, reflect.New(reflect.TypeOf(v)).Interface()
	}
	for name, v := range recorded {
		if !strings.HasSuffix(name, " ") || !strings.HasPrefix(step, name) {
			continue
		}
		return name, reflect.New(reflect.TypeOf(v)).Interface()
	}
	return "", nil
}

// strictly reads one JSON document and refuses fields that have no place.
func strictly(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}
