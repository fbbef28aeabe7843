package pack

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// state is what a folder held when it was listed.
type state struct {
	paths   []string  // of indexes, newest first
	files   []*file   // those that can be read here
	changed time.Time // the folder's own date
	settled bool      // the date will be another after the next change
	turn    int       // counts the changes seen
	last    atomic.Int32
}

// settling is how long after its date a folder may still change without getting a
// later one: file systems keep time in ticks, some of two seconds.
const settling = 3 * time.Second

// list lists the folder, unless it is as it was in seen.
func (d *Folder) list(seen *state) (*state, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, os.ErrClosed
	}
	if s := d.state.Load(); s != seen {
		return s, nil // somebody else just did
	}
	info, err := os.Stat(d.dir)
	if err != nil {
		return nil, err
	}
	if seen != nil && seen.settled && info.ModTime().Equal(seen.changed) {
		return seen, nil
	}
	began := time.Now()
	names, err := indexes(d.dir)
	if err != nil {
		return nil, err
	}
	fresh := d.open(names, seen)
	fresh.changed, fresh.settled = info.ModTime(), began.Sub(info.ModTime()) > settling
	if seen != nil && fresh.turn == seen.turn {
		fresh.last.Store(seen.last.Load())
	}
	d.state.Store(fresh)
	return fresh, nil
}

// indexes are the files in dir that go with a pack, newest first.
func indexes(dir string) ([]string, error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	type dated struct {
		path string
		when time.Time
	}
	var found []dated
	for _, e := range all {
		if !strings.HasSuffix(e.Name(), ".idx") {
			continue
		}
		if info, err := e.Info(); err == nil {
			found = append(found, dated{filepath.Join(dir, e.Name()), info.ModTime()})
		}
	}
	slices.SortStableFunc(found, func(a, b dated) int { return b.when.Compare(a.when) })
	paths := make([]string, len(found))
	for i, f := range found {
		paths[i] = f.path
	}
	return paths, nil
}

// open makes a state of the packs with these indexes, of which some are open. Those
// that are gone are closed: whoever is reading from one gets an error and looks again.
func (d *Folder) open(paths []string, seen *state) *state {
	fresh := &state{paths: paths, turn: 1}
	known := make(map[string]*file)
	if seen != nil {
		for _, f := range seen.files {
			known[f.path] = f
		}
	}
	for _, path := range paths {
		f, ok := known[path]
		if !ok {
			var err error
			if f, err = openFile(path); err != nil {
				continue
			}
		}
		delete(known, path)
		fresh.files = append(fresh.files, f)
	}
	for _, f := range known {
		_ = f.close()
	}
	if seen != nil {
		fresh.turn = seen.turn
		// An index comes a moment before its pack, so the same names may be more.
		if !slices.Equal(paths, seen.paths) || !slices.Equal(fresh.files, seen.files) {
			fresh.turn++
		}
	}
	return fresh
}

// Refresh lists the folder anew if it has changed, so that Turn is up to date.
func (d *Folder) Refresh() {
	// What can't be listed shows when something is read.
	_, _ = d.list(d.state.Load())
}
