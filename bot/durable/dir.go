package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files in the data directory.
const (
	databaseFile = "backout.db"
	lockFile     = "backout.lock"
)

// checkDir refuses a data directory that could not keep a record, and says what
// to do about it.
func checkDir(dir string) error {
	if dir == "" {
		return errors.New("no data directory is configured: set one on a local disk that survives restarts")
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("data directory %s does not exist: create it, owned by the user who runs backout, or mount a volume there", dir)
	case err != nil:
		return fmt.Errorf("look at data directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("data directory %s is not a directory: name the directory that holds %s, not the file", dir, databaseFile)
	}
	probe, err := os.CreateTemp(dir, ".backout-probe-*")
	if err != nil {
		return fmt.Errorf("data directory %s is not writable: make it belong to the user who runs backout (uid %d; in Kubernetes set fsGroup): %w", dir, os.Getuid(), err)
	}
	err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	if err != nil {
		return fmt.Errorf("tidy data directory: %w", err)
	}
	if kind := networkKind(dir); kind != "" {
		return fmt.Errorf("data directory %s is on a network file system (%s), where SQLite can lose data: use a local disk, or PostgreSQL", dir, kind)
	}
	return nil
}

// createPrivate makes sure that the database file exists and that nobody else
// could ever read it: SQLite itself would create it with the process's umask.
// Its companions (-wal, -shm) get the same mode from SQLite.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open database file: %w", err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	// Without this a power cut could take the new file's name away.
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
