package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// source is a file, or what was in it.
type source interface {
	io.ReaderAt
	io.Closer
}

// held is a small file in memory: a mirror gets a pack with each fetch, and open
// files are scarce.
type held struct{ *bytes.Reader }

func (held) Close() error { return nil }

// maxHeld is the size of such a file.
const maxHeld = 32 << 10

// openIndex opens an index. The file is closed when that fails.
func openIndex(path string) (*index, error) {
	f, size, err := openSized(path)
	if err != nil {
		return nil, err
	}
	var from source = f
	if size <= maxHeld {
		content := make([]byte, size)
		err = readFull(f, content, 0)
		_ = f.Close()
		from = held{bytes.NewReader(content)}
	}
	var x *index
	if err == nil {
		x, err = newIndex(from, size)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return x, nil
}

func openSized(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// readFull fills b from a place of a file; a file that ends before is corrupt.
func readFull(f io.ReaderAt, b []byte, at int64) error {
	n, err := f.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return corrupt("it ends early")
	}
	return err
}
