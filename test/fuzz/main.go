// Command fuzz finds every fuzz target of the module and runs each for a
// bounded time, one after the other, and prints what was run:
//
//	go run ./test/fuzz -time 10s [-only REGEXP]
//
// It fails when a target fails, and when a target has no seed corpus checked in
// (testdata/fuzz/<name> beside it).
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	each := flag.Duration("time", 10*time.Second, "how long to fuzz each target")
	only := flag.String("only", "", "run only the targets (package.Name) that match this expression")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *each, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// target is one fuzz function.
type target struct{ dir, name string }

func run(ctx context.Context, each time.Duration, only string) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	targets, err := find(".")
	if err != nil {
		return err
	}
	bad, total := 0, 0
	for _, t := range targets {
		if !match.MatchString(t.dir + "." + t.name) {
			continue
		}
		seeds, _ := filepath.Glob(filepath.Join(t.dir, "testdata", "fuzz", t.name, "*"))
		execs, out, err := t.fuzz(ctx, each)
		said := "ok"
		switch {
		case err != nil:
			said = "FAIL"
		case len(seeds) == 0:
			said = "no seed corpus"
		}
		fmt.Printf("%-16s %-20s %3d seeds %9d execs  %s\n", t.dir, t.name, len(seeds), execs, said)
		if said != "ok" {
			bad++
			fmt.Print(out)
		}
		total += execs
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Printf("%d targets, %d execs, %d of them bad\n", len(targets), total, bad)
	if bad > 0 {
		return fmt.Errorf("%d fuzz targets failed; what broke them is below testdata/fuzz beside them", bad)
	}
	return nil
}

// find lists the fuzz functions of all packages below root.
func find(root string) ([]target, error) {
	var all []target
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Fuzz") {
				all = append(all, target{filepath.Dir(path), fn.Name.Name})
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b target) int { return strings.Compare(a.dir+" "+a.name, b.dir+" "+b.name) })
	return all, err
}

// execsLine is how the go command tells how far it came; on a busy machine it may
// not come further than what earlier runs found worth keeping.
var execsLine = regexp.MustCompile(`(?:execs|baseline coverage): (\d+)`)

// fuzz runs one target. The seed corpus is run first, so a target that never
// came to fuzzing has failed on a seed.
func (t target) fuzz(ctx context.Context, each time.Duration) (execs int, out string, err error) {
	var b bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "test", "-vet=off", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", each.String(), "-fuzzminimizetime", "20x", "./"+t.dir)
	cmd.Stdout, cmd.Stderr = &b, &b
	err = cmd.Run()
	for _, m := range execsLine.FindAllStringSubmatch(b.String(), -1) {
		_, _ = fmt.Sscan(m[1], &execs) // digits
	}
	if err != nil && execs > 0 && endedMidway(b.String()) {
		err = nil
	}
	if err == nil && execs == 0 {
		err = fmt.Errorf("it was not run")
	}
	return execs, b.String(), err
}

// endedMidway tells the end of the time, in the middle of an execution, from a
// failure. The go command calls both one (https://go.dev/issue/48591), but writes
// down the input of a true failure only.
func endedMidway(out string) bool {
	return strings.Contains(out, "    context deadline exceeded\n") && !strings.Contains(out, "Failing input written to") && !strings.Contains(out, "panic")
}
