package git

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backout-dev/backout/bot"
)

// spoil changes a byte of a file, or cuts it off.
func spoil(t *testing.T, rnd *rand.Rand, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := rnd.IntN(len(b))
	if rnd.IntN(2) == 0 {
		b = b[:at]
	} else {
		b[at] ^= 1 << rnd.IntN(8)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestIndexFileIsNotBelieved: what is not the very file that was written is made
// anew, and the log says so.
func TestIndexFileIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func([]byte) []byte{
		"empty":           func([]byte) []byte { return nil },
		"torn":            func(b []byte) []byte { return b[:len(b)/2] },
		"longer":          func(b []byte) []byte { return append(b, 0) },
		"another version": func(b []byte) []byte { b[len(indexMagic)-1]++; return sealed(b) },
		"a flipped bit":   func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		"huge counts":     func(b []byte) []byte { b[len(indexMagic)+3] = 0xff; return sealed(b) },
		"a parent that is not there": func(b []byte) []byte {
			b[indexHead+22] = 0xff
			return sealed(b)
		},
		"a parent of itself": func(b []byte) []byte {
			copy(b[indexHead+20:], []byte{1, 0, 0, 0})
			return sealed(b)
		},
		"somebody else's": func([]byte) []byte { return []byte(strings.Repeat("DIRC", 100)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			r := &restless{s.repo(), rand.New(rand.NewPCG(7, 7)), make(map[bot.SHA]files), make(map[string]bot.SHA)}
			r.grow(20)
			ms := s.mirrors()
			fetch(t, ms)
			ms.wait.Wait()
			if err := ms.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(ms.cfg.Dir, string(testRepo)+".git", indexFile)
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(slices.Clone(good)), 0o600); err != nil {
				t.Fatal(err)
			}
			ms = s.mirrors(func(c *Config) { c.Dir = ms.cfg.Dir })
			st := r.store(ms)
			if n := len(st.index.rows); n != 0 {
				t.Errorf("%d commits were believed", n)
			}
			r.check(st)
			fetch(t, ms)
			ms.wait.Wait()
			r.check(st)
			if err := ms.Close(); err != nil {
				t.Fatal(err)
			}
			if x, err := loadIndex(path); err != nil || !x.knows(st.allHeads()) {
				t.Errorf("the file was not made anew: %v", err)
			}
			if !strings.Contains(s.logs.String(), "history index is made anew") {
				t.Error("the log does not tell")
			}
		})
	}
}

// sealed has the checksum that fits.
func sealed(b []byte) []byte {
	body := b[:len(b)-sha256.Size]
	sum := sha256.Sum256(body)
	return append(body, sum[:]...)
}

// FuzzIndexFile: no file makes reading it, or walking by it, end badly.
func FuzzIndexFile(f *testing.F) {
	x := newIndex()
	for i := range byte(4) {
		x.meet(hash{i + 1}, &header{parents: []hash{{i}}, when: int64(i)}, false)
		x.put(hash{i + 1}, []string{"a/b", fmt.Sprint("c/", i)})
	}
	path := filepath.Join(f.TempDir(), indexFile)
	if err := x.save(path); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < sha256.Size {
			return
		}
		path := filepath.Join(t.TempDir(), indexFile)
		if err := os.WriteFile(path, sealed(b), 0o600); err != nil {
			t.Fatal(err)
		}
		x, err := loadIndex(path)
		if err != nil {
			return
		}
		s := &store{index: x}
		for i := range x.rows {
			walk := s.trail(x.rows[i].hash, newScope("a", "c/1"))
			walk.which = true
			for n := 0; !walk.done(); n++ {
				if _, known := x.run(walk); !known {
					break
				}
				if n > len(x.rows) {
					t.Fatal("a walk without an end")
				}
			}
		}
	})
}
