package main

import (
	"context"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if playChild() {
		return
	}
	os.Exit(m.Run())
}

// TestSmallStorm plays the short form: the same story and the same assertions.
func TestSmallStorm(t *testing.T) {
	s := &storm{size: small, dir: t.TempDir(), say: t.Logf}
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	p, err := s.playAll(ctx)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.lastWords())
	}
	for _, text := range p.broken {
		t.Error(text)
	}
	if len(p.held)+len(p.broken) < 25 {
		t.Errorf("only %d assertions were made", len(p.held)+len(p.broken))
	}
	s.print(t.Output())
}
