//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package durable

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// dirLock is an exclusive lock on the data directory. The kernel drops it when
// the process ends, however it ends, so there is nothing to clean up and no
// stale lock. The file stays: removing it would let two processes lock two
// files of one name.
type dirLock struct{ file *os.File }

func lockDir(path string) (*dirLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("another backout %suses the data directory (lock file %s): stop it first, or give this one a directory of its own", holder(path), path)
		}
		return nil, errors.Join(err, f.Close())
	}
	// The pid only helps people; the lock is what counts.
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return &dirLock{f}, nil
}

func holder(path string) string {
	pid, err := os.ReadFile(path)
	if err != nil || len(strings.TrimSpace(string(pid))) == 0 {
		return ""
	}
	return fmt.Sprintf("(pid %s) ", strings.TrimSpace(string(pid)))
}

// unlock gives the lock up by name. Closing the file is not enough: a child
// process that is just being started has a copy of it for a moment, and the lock
// would last as long.
func (l *dirLock) unlock() error {
	return errors.Join(syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN), l.file.Close())
}
