package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Config is what a Log is made of.
type Config struct {
	// Dir holds the files and nothing else; it is made where it is missing.
	Dir string
	// MaxSize is how long a file grows, in bytes, before the next one is begun;
	// 0 means 64 MiB.
	MaxSize int64
	// Keep is how many files are kept, the newest; 0 keeps all.
	Keep int
	// Redact takes secrets out of a line; nil takes none out.
	Redact func(string) string
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil discards
}

// Log appends lines. One process at a time may have it open: the store's lock
// on the data directory sees to that. It is safe for concurrent use.
type Log struct {
	cfg  Config
	stop chan struct{}
	done chan struct{}

	mu     sync.Mutex // guards the file and what follows
	file   *os.File
	size   int64
	seq    int64
	prev   string // hash of the last whole line
	torn   string // hash of an unfinished line after it
	broken bool   // a write failed: the end of the file is looked at again
	closed bool

	syncing sync.Mutex // one sync at a time serves all who wait for it
	synced  int64      // last line known to be on disk; guarded by syncing
}

const (
	defaultMaxSize = 64 << 20
	syncEvery      = time.Second
)

// Open opens the log for appending and finds the end of its chain.
func Open(cfg Config) (*Log, error) {
	if cfg.MaxSize <= 0 {
		cfg.MaxSize = defaultMaxSize
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Redact == nil {
		cfg.Redact = func(s string) string { return s }
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the audit log's folder: %w", err)
	}
	l := &Log{cfg: cfg, stop: make(chan struct{}), done: make(chan struct{})}
	if err := l.resume(); err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	l.synced = l.seq
	go l.syncNowAndThen()
	return l, nil
}

// Head is the number and the hash of the last line.
func (l *Log) Head() (seq int64, hash string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seq, l.prev
}

// Append writes a line and returns its number. With durable set, it is on disk
// when Append returns.
func (l *Log) Append(e Entry, durable bool) (int64, error) {
	seq, err := l.write(e)
	if err == nil && durable {
		err = l.sync(seq)
	}
	if err != nil {
		return seq, fmt.Errorf("write to the audit log: %w", err)
	}
	return seq, nil
}

func (l *Log) write(e Entry) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, os.ErrClosed
	}
	if l.broken {
		_ = l.file.Close() // its end is unknown; resume looks at it
		if err := l.resume(); err != nil {
			return 0, err
		}
		l.broken = false
	}
	if l.size >= l.cfg.MaxSize {
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	e.Seq, e.Time = l.seq+1, l.cfg.Now().UTC()
	e.Prev, e.Torn = l.prev, l.torn
	e.Why, e.Detail = clip(e.Why, maxText), clip(e.Detail, maxText)
	raw, err := json.Marshal(e)
	if err != nil {
		return 0, fmt.Errorf("encode: %w", err)
	}
	line := redacted(raw, l.cfg.Redact)
	// One write a line: a crash leaves a part of it at most.
	n, err := l.file.Write(append(line, '\n'))
	l.size += int64(n)
	if err != nil {
		l.broken = true
		return 0, err
	}
	l.seq, l.prev, l.torn = e.Seq, digest(line), ""
	return e.Seq, nil
}

// sync returns when line seq is on disk. Who waits meanwhile for another sync
// mostly finds its line synced, too.
func (l *Log) sync(seq int64) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	if l.synced >= seq {
		return nil
	}
	l.mu.Lock()
	file, upTo := l.file, l.seq
	l.mu.Unlock()
	if err := file.Sync(); err != nil && !errors.Is(err, os.ErrClosed) { // next syncs what it closes
		return fmt.Errorf("sync: %w", err)
	}
	l.synced = upTo
	return nil
}

func (l *Log) syncNowAndThen() {
	defer close(l.done)
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			seq, _ := l.Head()
			if err := l.sync(seq); err != nil {
				l.cfg.Log.Error("syncing the audit log met trouble", "error", err)
			}
		}
	}
}

// next begins a new file. The caller holds mu.
func (l *Log) next() error {
	if err := errors.Join(l.file.Sync(), l.file.Close()); err != nil {
		l.broken = true
		return fmt.Errorf("finish a file: %w", err)
	}
	if err := l.create(); err != nil {
		l.broken = true
		return err
	}
	l.cfg.Log.Info("audit log begins a new file", "file", filepath.Base(l.file.Name()), "seq", l.seq, "head", l.prev)
	return l.prune()
}

// prune deletes the oldest files beyond those to keep.
func (l *Log) prune() error {
	if l.cfg.Keep <= 0 {
		return nil
	}
	files, err := files(l.cfg.Dir)
	if err != nil {
		return err
	}
	for len(files) > l.cfg.Keep {
		if err := os.Remove(files[0]); err != nil {
			return fmt.Errorf("delete an old file: %w", err)
		}
		files = files[1:]
	}
	return nil
}

// Close syncs and closes the log.
func (l *Log) Close() error {
	l.mu.Lock()
	closed := l.closed
	l.closed = true
	l.mu.Unlock()
	if closed {
		return nil
	}
	close(l.stop)
	<-l.done
	return errors.Join(l.file.Sync(), l.file.Close())
}
