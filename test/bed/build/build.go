package build

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Tools is a filled cache: every program and file the bed is made of.
type Tools struct {
	folders map[string]string // by component
}

// Ensure builds what the cache lacks and returns the whole. Cold it takes
// about fourteen minutes on two cores; warm it stats a few folders. Runs that
// share a cache wait for each other.
//
// modules is the folder test/bed/modules ([ModulesDir] finds it), cache the
// folder to keep the results in ([CacheDir] gives the usual one).
func Ensure(ctx context.Context, modules, cache string, log *slog.Logger) (*Tools, error) {
	t := &Tools{folders: map[string]string{}}
	for _, c := range components {
		r, err := newRecipe(c, modules)
		if err != nil {
			return nil, fmt.Errorf("read the recipe of %s: %w", c.name, err)
		}
		folder := filepath.Join(cache, r.key())
		if err := ensure(ctx, r, folder, log); err != nil {
			return nil, fmt.Errorf("build %s: %w", c.name, err)
		}
		t.folders[c.name] = folder
	}
	return t, nil
}

// Binary is the path of a program, "" if there is none of that name.
func (t *Tools) Binary(name string) string {
	for _, c := range components {
		for _, b := range c.binaries {
			if b == name {
				return filepath.Join(t.folders[c.name], b)
			}
		}
	}
	return ""
}

// Files reads the files that a component brought along, by base name and in
// its order: CustomResourceDefinitions, or the stages of KWOK.
func (t *Tools) Files(component string) ([][]byte, error) {
	paths, err := filepath.Glob(filepath.Join(t.folders[component], "files", "*"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("component %s brought no files", component)
	}
	var all [][]byte
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

// ensure fills folder, which exists only when it is complete.
func ensure(ctx context.Context, r *recipe, folder string, log *slog.Logger) error {
	if exists(folder) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	unlock, err := lock(ctx, folder+".lock", log)
	if err != nil {
		return err
	}
	defer unlock()
	if exists(folder) {
		return nil // somebody else built it while we waited
	}

	log.Info("building", "component", r.name, "version", r.version)
	start := time.Now()
	tmp, err := os.MkdirTemp(filepath.Dir(folder), r.name+".tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := r.link(ctx, tmp, log); err != nil {
		return err
	}
	if err := r.collect(ctx, filepath.Join(tmp, "files")); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := os.Rename(tmp, folder); err != nil {
		return err
	}
	log.Info("built", "component", r.name, "took", time.Since(start).Round(time.Second))
	return nil
}

// link builds the programs of a component into dir.
func (r *recipe) link(ctx context.Context, dir string, log *slog.Logger) error {
	for i, cmd := range r.commands {
		start := time.Now()
		_, err := r.gotool(ctx, "build", "-trimpath", "-buildvcs=false", "-ldflags", r.flags(),
			"-o", filepath.Join(dir, r.binaries[i]), cmd)
		if err != nil {
			return err
		}
		log.Info("linked", "binary", r.binaries[i], "took", time.Since(start).Round(time.Second))
	}
	return nil
}

// collect copies and generates the files of a component into dir.
func (r *recipe) collect(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if len(r.crds) > 0 {
		args := []string{"tool", "controller-gen", "crd", "output:crd:dir=" + dir}
		for _, p := range r.crds {
			args = append(args, "paths="+p)
		}
		if _, err := r.gotool(ctx, args...); err != nil {
			return err
		}
	}
	if len(r.files) == 0 {
		return nil
	}
	tree, err := r.gotool(ctx, "list", "-m", "-f", "{{.Dir}}", r.module)
	if err != nil {
		return err
	}
	for _, pattern := range r.files {
		paths, err := filepath.Glob(filepath.Join(tree, filepath.FromSlash(pattern)))
		if err != nil {
			return err
		}
		if len(paths) == 0 {
			return fmt.Errorf("no file matches %s in %s", pattern, r.module)
		}
		for _, p := range paths {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(p)), b, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// gotool runs the go command inside the component's module, at low priority:
// whatever else the machine does is more urgent than filling a cache.
func (r *recipe) gotool(ctx context.Context, args ...string) (string, error) {
	name, argv := "go", args
	if nice, err := exec.LookPath("nice"); err == nil {
		name, argv = nice, append([]string{"-n", "10", "go"}, args...)
	}
	cmd := exec.CommandContext(ctx, name, argv...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly")
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
