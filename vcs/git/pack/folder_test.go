package pack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestReadsWhatGitPacks reads every object of packs of all kinds that git makes.
func TestReadsWhatGitPacks(t *testing.T) {
	for what, repack := range map[string]func(r repo){
		"deltas by place": func(r repo) { r.git(nil, "repack", "-adfq") },
		"deltas by name":  func(r repo) { r.git(nil, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq") },
		"deep chains":     func(r repo) { r.git(nil, "repack", "-adfq", "--depth=1000", "--window=60") },
		"no deltas":       func(r repo) { r.git(nil, "repack", "-adfq", "--window=0") },
		"hard compressed": func(r repo) { r.git(nil, "-c", "pack.compression=9", "repack", "-adFq") },
		"not compressed":  func(r repo) { r.git(nil, "-c", "pack.compression=0", "repack", "-adFq") },
		"several packs":   func(r repo) { r.git(nil, "-c", "pack.packSizeLimit=1m", "repack", "-adfq") },
		"with an index of all": func(r repo) {
			r.git(nil, "-c", "pack.packSizeLimit=1m", "repack", "-adfq")
			r.git(nil, "multi-pack-index", "write")
		},
		"far places": func(r repo) {
			r.git(nil, "index-pack", "--index-version=2,0x200", "-o", filepath.Join(r.packs(), "new"), r.only(".pack"))
			index := r.only(".idx")
			_ = os.Remove(index)
			if err := os.Rename(filepath.Join(r.packs(), "new"), index); err != nil {
				t.Fatal(err)
			}
		},
		"a thin pack made whole": func(r repo) {
			half := strings.TrimSpace(string(r.git(nil, "rev-parse", "main~30")))
			old := r.git([]byte(half+"\n"), "pack-objects", "--revs", "--stdout", "-q")
			thin := r.git([]byte("main\nv1\n^"+half+"\n"), "pack-objects", "--revs", "--thin", "--stdout", "-q")
			for _, extension := range []string{".pack", ".idx"} {
				_ = os.Remove(r.only(extension))
			}
			r.git(old, "index-pack", "--stdin")
			r.git(thin, "index-pack", "--stdin", "--fix-thin")
		},
	} {
		t.Run(what, func(t *testing.T) {
			r := newRepo(t)
			repack(r)
			want := r.objects()
			for _, cacheBytes := range []int{1 << 20, 0} {
				d := open(t, r, cacheBytes)
				holds(t, d, want)
				if !d.Complete() {
					t.Error("not all packs are read")
				}
				for _, f := range d.state.Load().files {
					f.index.digest.Store(f.index.digestAll())
				}
				holds(t, d, want)
				if _, _, err := d.Read(Name{1, 2, 3}, testLimit); !errors.Is(err, ErrAbsent) || d.Has(Name{1, 2, 3}) {
					t.Errorf("an object that is not there: %v", err)
				}
			}
		})
	}
}

// TestLimit refuses what is larger than asked for, unread.
func TestLimit(t *testing.T) {
	r := newRepo(t)
	d := open(t, r, 1<<20)
	for name, o := range r.objects() {
		size := int64(len(o.content))
		if size == 0 {
			continue
		}
		var big *TooBig
		if _, _, err := d.Read(name, size-1); !errors.As(err, &big) || big.Bytes != size {
			t.Errorf("%s of %d bytes: %v", o.kind, size, err)
		}
		if _, _, err := d.Read(name, size); err != nil {
			t.Errorf("%s of %d bytes: %v", o.kind, size, err)
		}
	}
}

// TestPacksComeAndGo reads while git brings packs and takes them away.
func TestPacksComeAndGo(t *testing.T) {
	r := newRepo(t)
	d := open(t, r, 1<<20)
	before := r.objects()
	holds(t, d, before)
	turn := d.Turn()

	blob := name(t, strings.TrimSpace(string(r.git([]byte("new\n"), "hash-object", "-w", "--stdin"))))
	if _, _, err := d.Read(blob, testLimit); !errors.Is(err, ErrAbsent) {
		t.Errorf("a loose object: %v", err)
	}
	if d.Turn() != turn {
		t.Error("a loose object counts as a change of packs")
	}
	r.git(fmt.Appendf(nil, "%x\n", blob), "pack-objects", "-q", filepath.Join(r.packs(), "pack"))
	if _, content, err := d.Read(blob, testLimit); err != nil || string(content) != "new\n" {
		t.Errorf("in a new pack: %q, %v", content, err)
	}
	if d.Turn() == turn {
		t.Error("a new pack is no change")
	}

	// Somebody's gc: the packs are gone that were read a moment ago.
	r.git(nil, "tag", "keep", fmt.Sprintf("%x", blob))
	r.git(nil, "repack", "-adfq", "--depth=3")
	d.cache = newCache(1 << 20)
	r.only(".pack")
	holds(t, d, r.objects())

	// A pack that was never opened is gone from under a listing.
	late := open(t, r, 1<<20)
	r.git(nil, "repack", "-adfq", "--depth=7")
	holds(t, late, r.objects())

	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := d.Read(blob, testLimit); err == nil {
		t.Error("read after Close")
	}
}

// TestListsOnlyWhatChanged looks at a folder that is known again only when its date
// says so.
func TestListsOnlyWhatChanged(t *testing.T) {
	r := newRepo(t)
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(r.packs(), old, old); err != nil {
		t.Fatal(err)
	}
	d := open(t, r, 1<<20)
	d.Has(Name{1})
	first := d.state.Load()
	if d.Has(Name{2}); d.state.Load() != first {
		t.Error("listed again though nothing changed")
	}
	if err := os.Chtimes(r.packs(), old, old.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if d.Has(Name{3}); d.state.Load() == first {
		t.Error("not listed again though the date changed")
	}
}

// TestPackWithinATick finds a pack that came so soon after a list that the folder's date
// did not change with it.
func TestPackWithinATick(t *testing.T) {
	r := newRepo(t)
	now := time.Now()
	if err := os.Chtimes(r.packs(), now, now); err != nil {
		t.Fatal(err)
	}
	d := open(t, r, 1<<20)
	blob := name(t, strings.TrimSpace(string(r.git([]byte("new\n"), "hash-object", "-w", "--stdin"))))
	if d.Has(blob) {
		t.Fatal("a loose object is in a pack")
	}
	r.git(fmt.Appendf(nil, "%x\n", blob), "pack-objects", "-q", filepath.Join(r.packs(), "pack"))
	if err := os.Chtimes(r.packs(), now, now); err != nil {
		t.Fatal(err)
	}
	if !d.Has(blob) {
		t.Error("the new pack was not seen")
	}
}

// TestConcurrent reads in many goroutines while packs are replaced.
func TestConcurrent(t *testing.T) {
	r := newRepo(t)
	d := open(t, r, 1<<20)
	want := r.objects()
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for name, o := range want {
					// Between two lists an object may seem to be nowhere; it is never another.
					if _, content, err := d.Read(name, testLimit); err == nil && !bytes.Equal(content, o.content) {
						t.Errorf("%x is another", name)
						return
					}
				}
			}
		})
	}
	for _, depth := range []string{"5", "40", "1"} {
		r.git(nil, "repack", "-adfq", "--depth="+depth)
	}
	close(done)
	readers.Wait()
	holds(t, d, want)
}

// TestStrange leaves to others what it does not know, and says so.
func TestStrange(t *testing.T) {
	for what, spoil := range map[string]func(r repo){
		"an index of version 1": func(r repo) {
			r.git(nil, "index-pack", "--index-version=1", "-o", filepath.Join(r.packs(), "new"), r.only(".pack"))
			if err := os.Rename(filepath.Join(r.packs(), "new"), r.only(".idx")); err != nil {
				t.Fatal(err)
			}
		},
		"an index without a pack": func(r repo) { _ = os.Remove(r.only(".pack")) },
		"an index of another pack": func(r repo) {
			index, err := os.ReadFile(r.only(".idx"))
			if err != nil {
				t.Fatal(err)
			}
			index[len(index)-30] ^= 1
			r.write(r.only(".idx"), index)
		},
		"an index cut off": func(r repo) {
			if err := os.Truncate(r.only(".idx"), 2000); err != nil {
				t.Fatal(err)
			}
		},
		"an empty index": func(r repo) { r.write(r.only(".idx"), nil) },
		"a pack cut off": func(r repo) { r.write(r.only(".pack"), []byte("PACK")) },
	} {
		t.Run(what, func(t *testing.T) {
			r := newRepo(t)
			_ = os.Chmod(r.only(".idx"), 0o600)
			want := r.objects()
			spoil(r)
			d := open(t, r, 1<<20)
			for name := range want {
				if _, _, err := d.Read(name, testLimit); !errors.Is(err, ErrAbsent) {
					t.Errorf("%x: %v", name, err)
				}
			}
			if d.Complete() {
				t.Error("it claims to read all packs")
			}
		})
	}
}

// TestDamage flips bytes all over a pack and its index: what is read is right or an
// error.
func TestDamage(t *testing.T) {
	r := newRepo(t)
	want := r.objects()
	for _, extension := range []string{".pack", ".idx"} {
		path := r.only(extension)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		failed := 0
		for round := range 12 {
			bad := bytes.Clone(whole)
			for i := range 30 {
				bad[(round*7919+i*i*104729+i*31)%len(bad)] ^= byte(1 + round + i)
			}
			r.write(path, bad)
			d := New(r.packs(), 1<<20)
			for name, o := range want {
				if len(o.content) > 200_000 {
					continue // to be done sooner
				}
				_, content, err := d.Read(name, testLimit)
				if err != nil {
					failed++
				} else if !bytes.Equal(content, o.content) {
					t.Fatalf("%s: %x is another", extension, name)
				}
			}
			_ = d.Close()
		}
		if failed == 0 {
			t.Errorf("%s: no damage was seen", extension)
		}
		r.write(path, whole)
	}
}
