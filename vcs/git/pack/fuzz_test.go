package pack

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// FuzzPack reads from any bytes taken for a pack and an index: it may find nothing,
// but must not panic, nor take memory that the bytes don't justify, nor return
// something under another name.
func FuzzPack(f *testing.F) {
	for _, small := range smallPacks(f) {
		f.Add(small[0], small[1])
	}
	f.Fuzz(func(t *testing.T, pack, index []byte) {
		x, err := newIndex(held{bytes.NewReader(index)}, int64(len(index)))
		if err != nil {
			return
		}
		p := &file{index: x, pack: held{bytes.NewReader(pack)}}
		if p.head(int64(len(pack))) != nil {
			return
		}
		d := New(t.Name(), 1<<16)
		d.state.Store(&state{files: []*file{p}, settled: true})
		const limit = 1 << 16
		for _, name := range namesIn(index) {
			kind, content, err := d.Read(name, limit)
			if err == nil && (len(content) > limit || !genuine(name, made{kind: kind, content: content})) {
				t.Fatalf("%x is another object", name)
			}
			_, _ = d.Size(name)
			d.Has(name)
		}
	})
}

// FuzzEntry reads any bytes as an entry of a pack, without the checks that a whole
// pack passes before.
func FuzzEntry(f *testing.F) {
	for _, small := range smallPacks(f) {
		f.Add(small[0][packHead:], uint16(0))
		f.Add(small[0][packHead:], uint16(100))
	}
	f.Fuzz(func(t *testing.T, entries []byte, at uint16) {
		pack := append(make([]byte, packHead), entries...)
		x := &file{index: &index{file: held{bytes.NewReader(nil)}}, pack: held{bytes.NewReader(pack)}, end: int64(len(pack))}
		const limit = 1 << 16
		c := newCache(1 << 16)
		m, err := x.object(c, packHead+int64(at), limit)
		if err != nil {
			return
		}
		if len(m.content) > limit+1032*len(entries) {
			t.Fatalf("%d bytes of %d", len(m.content), len(entries))
		}
		if n, err := x.size(newCache(0), packHead+int64(at)); err != nil || n != int64(len(m.content)) {
			t.Fatalf("size %d, %v; it has %d", n, err, len(m.content))
		}
	})
}

// namesIn are some of the names in an index.
func namesIn(index []byte) []Name {
	names := []Name{{}, {1}}
	for at := int(namesAt); at+int(nameBytes) <= len(index) && len(names) < 20; at += int(nameBytes) {
		names = append(names, Name(index[at:]))
	}
	return names
}

// smallPacks are packs of a few objects and their indexes: whole ones, deltas by place
// and by name.
func smallPacks(t testing.TB) (all [][2][]byte) {
	isolate(t)
	r := repo{t, filepath.Join(t.TempDir(), "small.git")}
	r.git(nil, "init", "--quiet", "--bare", r.dir)
	var want bytes.Buffer
	for n := range 3 {
		want.Write(r.git([]byte(lines(20, n)), "hash-object", "-w", "--stdin"))
	}
	for _, options := range [][]string{{"--window=0"}, {"--delta-base-offset"}, {"--window=10"}} {
		into := t.TempDir()
		r.git(want.Bytes(), append(append([]string{"pack-objects", "-q"}, options...), filepath.Join(into, "p"))...)
		var pair [2][]byte
		for i, extension := range []string{".pack", ".idx"} {
			found, err := filepath.Glob(filepath.Join(into, "*"+extension))
			if err == nil && len(found) == 1 {
				pair[i], err = os.ReadFile(found[0])
			}
			if err != nil || len(found) != 1 {
				t.Fatalf("%q: %v", found, err)
			}
		}
		if binary.BigEndian.Uint32(pair[0][8:]) != 3 {
			t.Fatalf("%v: too few objects", options)
		}
		all = append(all, pair)
	}
	return all
}
