package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCloneApart: the hidden command reads its job from the input and says how it
// ended on the output; the token is in neither.
func TestCloneApart(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, token, _ := r.BasicAuth(); token == "ghs_secret" {
			asked++
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	dir := t.TempDir()
	for _, sub := range []string{"objects/pack", "refs/heads"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := root()
	var out bytes.Buffer
	cmd.SetArgs(cloneCommand()[1:])
	// The end of the input would end the work.
	in, parent := io.Pipe()
	defer parent.Close() //nolint:errcheck // nobody is left to read
	go func() {
		fmt.Fprintf(parent, `{"dir":%q,"url":%q,"token":"ghs_secret"}`, dir, server.URL+"/acme/fleet.git")
	}()
	cmd.SetIn(in)
	cmd.SetOut(&out)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	if asked == 0 || !strings.Contains(out.String(), `"kind":"not found"`) || strings.Contains(out.String(), "ghs_secret") {
		t.Errorf("asked %d times with the token, it said %s", asked, &out)
	}
}
