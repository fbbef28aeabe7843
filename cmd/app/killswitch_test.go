package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKillSwitchFailsClosed: it is off only where it is known that the file is
// not there.
func TestKillSwitchFailsClosed(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("stop"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(at("nowhere"), at("link")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file string
		on         bool
		why        string
	}{
		{"not configured", "", false, ""},
		{"not there", at("gone"), false, ""},
		{"there", at("stop"), true, "exists."},
		{"a folder of that name", at("folder"), true, "exists."},
		{"a link that leads nowhere", at("link"), true, "exists."},
		{"its folder is not there", at("mount/stop"), true, "which counts as on."},
		{"its folder is a file", at("stop/stop"), true, "which counts as on."},
		{"a name that can't be", at("a\x00b"), true, "which counts as on."},
		{"a name that is too long", at(strings.Repeat("x", 5000)), true, "which counts as on."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			on, why := killSwitch{tt.file}.On(t.Context())
			if on != tt.on || !strings.HasSuffix(why, tt.why) || on && !strings.Contains(why, tt.file) {
				t.Errorf("on: %v, because %q", on, why)
			}
		})
	}
}

// TestKillSwitchCountsAsOnWhenItCannotBeRead: a folder that we may not look into.
func TestKillSwitchCountsAsOnWhenItCannotBeRead(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may look into every folder")
	}
	dir := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(dir, 0); err != nil {
		t.Fatal(err)
	}
	if on, why := (killSwitch{filepath.Join(dir, "stop")}).On(t.Context()); !on || !strings.HasSuffix(why, "which counts as on.") {
		t.Errorf("on: %v, because %q", on, why)
	}
}

// TestKillSwitchWorksAtOnce: it is looked at each time.
func TestKillSwitchWorksAtOnce(t *testing.T) {
	k := killSwitch{filepath.Join(t.TempDir(), "stop")}
	for _, want := range []bool{false, true, false} {
		if on, why := k.On(t.Context()); on != want {
			t.Errorf("on: %v, because %q", on, why)
		}
		if want {
			if err := os.Remove(k.file); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(k.file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
