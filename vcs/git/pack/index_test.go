package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"testing"
)

// writeIndex is an index of names, the n-th at place 1000+n; it is larger than what is
// held in memory when there are many.
func writeIndex(names []Name) []byte {
	slices.SortFunc(names, func(a, b Name) int { return bytes.Compare(a[:], b[:]) })
	b := []byte(indexMagic)
	for first := range 256 {
		n := 0
		for _, name := range names {
			if int(name[0]) <= first {
				n++
			}
		}
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	for _, name := range names {
		b = append(b, name[:]...)
	}
	b = append(b, make([]byte, sumsBytes*len(names))...)
	for n := range names {
		b = binary.BigEndian.AppendUint32(b, uint32(1000+n))
	}
	return append(b, make([]byte, trailer)...)
}

// source that is a file to those who ask: it gets a digest.
type inFile struct{ held }

// TestIndex looks for names that are evenly spread, and for such as agree in all but
// the last bytes.
func TestIndex(t *testing.T) {
	var spread, alike []Name
	for i := range 3000 {
		var n Name
		binary.BigEndian.PutUint32(n[:], uint32(i)*2654435761)
		n[19] = byte(i)
		spread = append(spread, n)
		binary.BigEndian.PutUint32(n[16:], uint32(i*2))
		copy(n[:], bytes.Repeat([]byte{7}, 16))
		alike = append(alike, n)
	}
	for what, names := range map[string][]Name{"spread": spread, "alike": alike, "one": spread[:1], "two": alike[:2], "none": nil} {
		raw := writeIndex(names)
		x, err := newIndex(inFile{held{bytes.NewReader(raw)}}, int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		for _, digested := range []bool{false, true} {
			for i, name := range names {
				if at, err := x.find(name, true); err != nil || at != int64(1000+i) {
					t.Fatalf("%s, digest %v: %x is at %d, %v; want %d", what, digested, name, at, err, 1000+i)
				}
				name[19] ^= 1
				if at, err := x.find(name, true); err != nil || at >= 0 && !slices.Contains(names, name) {
					t.Fatalf("%s, digest %v: %x is at %d, %v", what, digested, name, at, err)
				}
			}
			x.digest.Store(x.digestAll())
		}
	}
}

// TestDigestComesWithUse reads names one by one until that has cost as much as all.
func TestDigestComesWithUse(t *testing.T) {
	var names []Name
	for i := range 4 * looksBeforeDigest {
		names = append(names, Name{byte(i), byte(i >> 8)})
	}
	raw := writeIndex(names)
	x, err := newIndex(inFile{held{bytes.NewReader(raw)}}, int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if has := x.digest.Load() != nil; has != (i >= 4) {
			t.Errorf("after %d looks: %v", i, has)
		}
		if _, err := x.find(names[i], true); err != nil {
			t.Error(err)
		}
	}
}

// TestPlacesMixedUp reads objects of an index that gives two names the same place: the
// second is an error, also when the first was just read.
func TestPlacesMixedUp(t *testing.T) {
	r := newRepo(t)
	raw, err := os.ReadFile(r.only(".idx"))
	if err != nil {
		t.Fatal(err)
	}
	x, err := newIndex(held{bytes.NewReader(raw)}, int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	places := raw[x.placesAt():x.farAt()]
	copy(places[4:8], places[:4])
	r.write(r.only(".idx"), raw)
	d := open(t, r, 1<<20)
	first, second := Name(raw[namesAt:]), Name(raw[namesAt+nameBytes:])
	for range 2 {
		if _, _, err := d.Read(first, testLimit); err != nil {
			t.Error(err)
		}
		if _, _, err := d.Read(second, testLimit); !errors.Is(err, ErrCorrupt) {
			t.Errorf("the second: %v", err)
		}
	}
}
