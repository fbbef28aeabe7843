package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// run runs the command line as a person would.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := root()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestHelpTeaches(t *testing.T) {
	for args, want := range map[string][]string{
		"--help":       {"backout serve", "backout plan", "backout revert", "verifies production"},
		"serve --help": {"--observe", "docs/configuration.md", "goes on at the step"},
		"plan --help":  {"acme/fleet '#12'", "Nothing is written"},
	} {
		got, err := run(t, strings.Fields(args)...)
		if err != nil {
			t.Fatalf("backout %s: %v", args, err)
		}
		for _, w := range want {
			if !strings.Contains(strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(w), " ")) {
				t.Errorf("backout %s lacks %q:\n%s", args, w, got)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	got, err := run(t, "version")
	if err != nil || !strings.HasPrefix(got, "backout ") {
		t.Errorf("version printed %q, %v", got, err)
	}
}

func TestWrongInputSaysWhatToDo(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "backout.yaml")
	if err := os.WriteFile(broken, []byte("data_dir: /tmp/x\ngithub:\n  app_idd: 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "--config", "no-such-file.yaml"}, "no-such-file.yaml"},
		{[]string{"serve", "--config", broken}, "line 3: unknown key github.app_idd"},
		{[]string{"plan", "acme", "#1"}, "write it as owner/name"},
		{[]string{"plan", "acme/fleet", "main"}, "neither a commit"},
		{[]string{"plan", "acme/fleet"}, "accepts 2 arg"},
		{[]string{"frobnicate"}, "unknown command"},
	} {
		_, err := run(t, tc.args...)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("backout %s: %v, want %q", strings.Join(tc.args, " "), err, tc.want)
		}
	}
}
