//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package durable

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestUnlockCountsAtOnce unlocks while a copy of the descriptor is open, as a
// child process has it between its start and its first instruction.
func TestUnlockCountsAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), lockFile)
	l, err := lockDir(path)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(l.file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(fd) }()
	if second, err := lockDir(path); err == nil {
		_ = second.unlock()
		t.Fatal("two have the lock")
	}
	if err := l.unlock(); err != nil {
		t.Fatal(err)
	}
	next, err := lockDir(path)
	if err != nil {
		t.Fatalf("the lock outlives its owner: %v", err)
	}
	if err := next.unlock(); err != nil {
		t.Error(err)
	}
}
