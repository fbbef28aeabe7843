// Package test holds the checks that belong to no one package; below it are
// the stand-ins, the bed and the stories.
package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/backout-dev/backout"

// pkg is what `go list -json` tells of a package.
type pkg struct {
	ImportPath   string
	Name         string
	Dir          string
	Imports      []string
	TestImports  []string
	XTestImports []string
	GoFiles      []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Dir,Imports,TestImports,XTestImports,GoFiles", "./...")
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		pkgs = append(pkgs, p)
	}
	if len(pkgs) < 10 {
		t.Fatalf("go list found only %d packages", len(pkgs))
	}
	return pkgs
}

// sole names the only packages (and what is below them) that may import a
// library.
var sole = map[string][]string{
	"github.com/dbos-inc/":         {"bot/durable"},
	"github.com/go-git/":           {"vcs/git"},
	"github.com/google/go-github/": {"vcs/github", "webhooks"},
	"github.com/fluxcd/":           {"sync/flux"},
	"github.com/argoproj/":         {"sync/argo"},
	"github.com/gorilla/mux":       {"webhooks"},
	"github.com/google/cel-go":     {"bot/policy/condition"},
	"github.com/robfig/cron":       {"bot/policy/window"},
	"github.com/hmarr/codeowners":  {"bot/owners"},
}

// TestSoleImporters keeps each vendor behind its one adapter. Tests and the
// stand-ins under test/ may use the libraries to play the other side.
func TestSoleImporters(t *testing.T) {
	for _, p := range list(t) {
		if strings.HasPrefix(p.ImportPath, "test") {
			continue
		}
		for _, imp := range p.Imports {
			for lib, owners := range sole {
				if strings.HasPrefix(imp, lib) && !slices.ContainsFunc(owners, func(o string) bool { return within(p.ImportPath, o) }) {
					t.Errorf("%s imports %s; only %v may", p.ImportPath, imp, owners)
				}
			}
		}
	}
}

// TestDomainImports keeps bot free of everything but the standard library,
// x/sync and itself.
func TestDomainImports(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath != "bot" {
			continue
		}
		for _, imp := range p.Imports {
			if strings.Contains(strings.Split(imp, "/")[0], ".") && !strings.HasPrefix(imp, "golang.org/x/sync/") {
				t.Errorf("bot imports %s", imp)
			}
		}
	}
}

// TestAdaptersMeetOnlyInTheWiring lets adapters and children of bot import bot
// and what is below themselves, and cmd/app everything but test.
func TestAdaptersMeetOnlyInTheWiring(t *testing.T) {
	// Pure helpers that more than one child needs.
	shared := []string{"bot", "bot/manifest", "bot/strict"}
	for _, p := range list(t) {
		for _, imp := range p.Imports {
			own, ok := strings.CutPrefix(imp, module+"/")
			if !ok {
				continue
			}
			if within(own, "test") && !within(p.ImportPath, "test") && p.ImportPath != "cmd/demo" {
				t.Errorf("%s imports %s; only tests and cmd/demo may", p.ImportPath, own)
			}
			if within(p.ImportPath, "test") || within(p.ImportPath, "cmd") {
				continue
			}
			if !slices.Contains(shared, own) && !within(own, p.ImportPath) && !within(p.ImportPath, own) {
				t.Errorf("%s imports %s; adapters import bot, never each other", p.ImportPath, own)
			}
		}
	}
}

// TestNames keeps packages from being named like the standard library's and
// keeps vcs/ and sync/ free of Go files of their own.
func TestNames(t *testing.T) {
	for _, p := range list(t) {
		if slices.Contains([]string{"sync", "util", "utils", "common", "types", "helpers", "manager"}, p.Name) {
			t.Errorf("%s is named %s", p.ImportPath, p.Name)
		}
		if p.ImportPath == "vcs" || p.ImportPath == "sync" {
			t.Errorf("%s holds Go files; only its folders may", p.ImportPath)
		}
	}
}

func within(p, root string) bool { return p == root || strings.HasPrefix(p, path.Clean(root)+"/") }
