package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// recipe is a component as its nested module pins it.
type recipe struct {
	component
	dir     string // its nested module
	version string // of the component's own module, "v1.34.4"
	gomod   []byte
}

func newRecipe(c component, modules string) (*recipe, error) {
	r := &recipe{component: c, dir: filepath.Join(modules, c.name)}
	b, err := os.ReadFile(filepath.Join(r.dir, "go.mod"))
	if err != nil {
		return nil, err
	}
	r.gomod = b
	if r.version, err = pinned(b, c.module); err != nil {
		return nil, err
	}
	return r, nil
}

// pinned finds the version that a go.mod requires of a module. It reads lines,
// not the grammar: these files are written by the go command.
func pinned(gomod []byte, module string) (string, error) {
	for line := range bytes.Lines(gomod) {
		f := strings.Fields(strings.TrimPrefix(string(line), "require "))
		if len(f) >= 2 && f[0] == module && strings.HasPrefix(f[1], "v") {
			return f[1], nil
		}
	}
	return "", fmt.Errorf("go.mod requires no version of %s", module)
}

// key is the name of the component's folder in the cache.
func (r *recipe) key() string {
	h := sha256.New()
	h.Write(r.gomod)
	fmt.Fprintf(h, "%q %q %q %q %q", r.commands, r.binaries, r.flags(), r.files, r.crds)
	return fmt.Sprintf("%s-%s-%s", r.name, r.version, hex.EncodeToString(h.Sum(nil))[:12])
}

// flags are the linker's, with the version filled in.
func (r *recipe) flags() string {
	bare := strings.TrimPrefix(r.version, "v")
	major, rest, _ := strings.Cut(bare, ".")
	minor, _, _ := strings.Cut(rest, ".")
	return strings.NewReplacer(
		"{version}", r.version, "{version#v}", bare, "{major}", major, "{minor}", minor,
	).Replace(strings.Join(append([]string{"-s -w"}, r.ldflags...), " "))
}

// ModulesDir finds test/bed/modules of the main module that the working
// directory belongs to.
func ModulesDir(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the main module: %w", err)
	}
	gomod := strings.TrimSpace(string(out))
	dir := filepath.Join(filepath.Dir(gomod), "test", "bed", "modules")
	if gomod == "" || !exists(dir) {
		return "", errors.New("the working directory is not inside the repository that holds test/bed/modules")
	}
	return dir, nil
}

// CacheDir is $BACKOUT_BED_CACHE, or backout-bed in the user's cache folder.
func CacheDir() (string, error) {
	if dir := os.Getenv("BACKOUT_BED_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a cache folder: %w", err)
	}
	return filepath.Join(dir, "backout-bed"), nil
}

// lock takes an advisory file lock, which the kernel drops if we die.
func lock(ctx context.Context, path string, log *slog.Logger) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; told = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", filepath.Base(path), err)
		}
		if !told {
			log.Info("waiting for another build", "lock", filepath.Base(path))
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
