package build

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// TestEveryComponentIsPinned reads the real modules.
func TestEveryComponentIsPinned(t *testing.T) {
	modules, err := ModulesDir(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range components {
		r, err := newRecipe(c, modules)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if want := c.name + "-" + r.version + "-"; !strings.HasPrefix(r.key(), want) {
			t.Errorf("key %s, want it to start with %s", r.key(), want)
		}
		for _, p := range c.commands {
			if !strings.Contains(string(r.gomod), p+"\n") {
				t.Errorf("%s: go.mod has no tool line for %s", c.name, p)
			}
		}
		if len(c.commands) != len(c.binaries) {
			t.Errorf("%s: %d commands, %d names", c.name, len(c.commands), len(c.binaries))
		}
	}
}

func TestPinned(t *testing.T) {
	const gomod = `module x

tool example.com/a/cmd

replace example.com/a => example.com/fork v9.9.9

require example.com/a v1.34.4

require (
	example.com/ab v2.0.0
	example.com/b v3.0.0 // indirect
)
`
	for module, want := range map[string]string{"example.com/a": "v1.34.4", "example.com/b": "v3.0.0", "example.com/c": ""} {
		got, err := pinned([]byte(gomod), module)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v", module, got, err)
		}
	}
}

func TestFlagsCarryTheVersion(t *testing.T) {
	r := &recipe{version: "v1.34.4", component: component{
		ldflags: []string{"-X a={version}", "-X b={major}.{minor}", "-X c={version#v}"},
	}}
	if got, want := r.flags(), "-s -w -X a=v1.34.4 -X b=1.34 -X c=1.34.4"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKeyChangesWithTheRecipe(t *testing.T) {
	one := recipe{component: component{name: "x"}, version: "v1.0.0", gomod: []byte("module x\n")}
	pins, flags := one, one
	pins.gomod = []byte("module x\n\nrequire y v1.0.0\n")
	flags.ldflags = []string{"-X a=b"}
	if one.key() == pins.key() || one.key() == flags.key() {
		t.Errorf("keys %s, %s, %s", one.key(), pins.key(), flags.key())
	}
}

// module writes a module with one program and one file.
func module(t *testing.T, source string) *recipe {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module example.com/x\n\ngo 1.24\n", "main.go": source, "crd/a.yaml": "kind: A\n", "crd/notes.txt": "no\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &recipe{dir: dir, version: "v1.0.0", component: component{
		name: "x", module: "example.com/x", commands: []string{"example.com/x"}, binaries: []string{"x"},
		files: []string{"crd/*.yaml"},
	}}
}

func TestEnsureBuildsOnceAndWhole(t *testing.T) {
	r := module(t, "package main\n\nfunc main() {}\n")
	folder := filepath.Join(t.TempDir(), "cache", "x")
	if err := ensure(t.Context(), r, folder, quiet()); err != nil {
		t.Fatal(err)
	}
	first, err := os.Stat(filepath.Join(folder, "x"))
	if err != nil {
		t.Fatal(err)
	}
	if first.Mode()&0o111 == 0 {
		t.Errorf("mode %s", first.Mode())
	}
	files, err := (&Tools{folders: map[string]string{"x": folder}}).Files("x")
	if err != nil || len(files) != 1 || string(files[0]) != "kind: A\n" {
		t.Errorf("files %q, %v", files, err)
	}
	if err := ensure(t.Context(), r, folder, quiet()); err != nil {
		t.Fatal(err)
	}
	if again, err := os.Stat(filepath.Join(folder, "x")); err != nil || !again.ModTime().Equal(first.ModTime()) {
		t.Errorf("built a second time: %v", err)
	}
}

func TestEnsureLeavesNothingHalf(t *testing.T) {
	cache := t.TempDir()
	r := module(t, "package main\n\nfunc main() { broken }\n")
	err := ensure(t.Context(), r, filepath.Join(cache, "x"), quiet())
	if err == nil || !strings.Contains(err.Error(), "undefined: broken") {
		t.Errorf("got %v, want what the compiler said", err)
	}
	left, err := filepath.Glob(filepath.Join(cache, "x*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "x.lock" {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestLockIsHeldByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lock(ctx, path, quiet()); !errors.Is(err, context.Canceled) {
		t.Errorf("a lock that is held: got %v", err)
	}
	unlock()
	unlock, err = lock(ctx, path, quiet())
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestCacheDirCanBeChosen(t *testing.T) {
	t.Setenv("BACKOUT_BED_CACHE", "/elsewhere")
	if got, err := CacheDir(); err != nil || got != "/elsewhere" {
		t.Errorf("got %s, %v", got, err)
	}
}
