package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// files lists the log's files, the oldest first. Their names hold the number of
// their first line.
func files(dir string) ([]string, error) {
	list, err := filepath.Glob(filepath.Join(dir, "audit-*.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("list the files: %w", err)
	}
	slices.Sort(list)
	return list, nil
}

func fileName(first int64) string { return fmt.Sprintf("audit-%012d.jsonl", first) }

// create begins the file after the last line. The caller holds mu.
func (l *Log) create() error {
	name := filepath.Join(l.cfg.Dir, fileName(l.seq+1))
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if dir, err := os.Open(l.cfg.Dir); err == nil { // the name must be on disk, too
		err = errors.Join(dir.Sync(), dir.Close())
		if err != nil {
			return errors.Join(fmt.Errorf("sync the folder: %w", err), f.Close())
		}
	}
	l.file, l.size = f, 0
	return nil
}

// resume finds the end of the chain and opens the newest file. A line that a
// crash left unfinished stays, with a line break of ours behind it: the next
// line owns up to it. The caller holds mu, or is Open.
func (l *Log) resume() error {
	list, err := files(l.cfg.Dir)
	if err != nil {
		return err
	}
	l.seq, l.prev, l.torn = 0, "", ""
	// The newest file may hold nothing whole yet: then the one before counts, too.
	for _, name := range list[max(0, len(list)-2):] {
		err := eachLine(name, func(line []byte, _ bool) error {
			var e Entry
			if json.Unmarshal(line, &e) != nil || e.Seq <= l.seq {
				l.torn = tear(l.torn, line)
				return nil
			}
			l.seq, l.prev, l.torn = e.Seq, digest(line), ""
			return nil
		})
		if err != nil {
			return err
		}
	}
	if len(list) == 0 {
		return l.create()
	}
	last := list[len(list)-1]
	if l.file, err = os.OpenFile(last, os.O_APPEND|os.O_RDWR, 0o600); err != nil {
		return err
	}
	if l.size, err = l.file.Seek(0, io.SeekEnd); err != nil || l.size == 0 {
		return err
	}
	var end [1]byte
	if _, err := l.file.ReadAt(end[:], l.size-1); err != nil {
		return err
	}
	if end[0] != '\n' {
		if _, err := l.file.Write([]byte{'\n'}); err != nil {
			return fmt.Errorf("end an unfinished line: %w", err)
		}
		l.size++
	}
	return nil
}

// tear is the hash of lines in a row that are no entries; so far is that of
// those before this one.
func tear(soFar string, line []byte) string {
	return digest(append([]byte(soFar), line...))
}

// eachLine reads a file line by line; whole is false for one without a line
// break at its end.
func eachLine(name string, each func(line []byte, whole bool) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read.
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		line, err := readLine(r)
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("read %s: %w", filepath.Base(name), err)
		}
		if err := each(line, err == nil); err != nil {
			return err
		}
	}
}

// readLine reads a line without its line break, and of one that is longer than
// any of ours the beginning.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if room := 2*maxLine - len(line); len(part) > room {
			part = part[:max(room, 0)]
		}
		line = append(line, part...)
		switch {
		case err == nil:
			if n := len(line); n > 0 && line[n-1] == '\n' {
				line = line[:n-1]
			}
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
}
