package pack

import (
	"encoding/binary"
	"sort"
)

// digest is an index in memory, as far as looks need it: of each name the four bytes
// after the first, in order, and the places. Names that agree in five bytes are told
// apart in the file.
type digest struct {
	keys   []uint32
	places []uint32
}

// looksBeforeDigest is how many objects there are for each look that is done without
// a digest. Then reading the whole index has cost as much as those looks have.
const looksBeforeDigest = 256

// digested is the digest, once there were looks enough to be worth it; nil before, and
// where it can't be read.
func (x *index) digested() *digest {
	d := x.digest.Load()
	if d == nil && x.looks.Add(1) == x.count/looksBeforeDigest {
		if d = x.digestAll(); d != nil {
			x.digest.Store(d)
		}
	}
	return d
}

// digestAll reads the index in pieces.
func (x *index) digestAll() *digest {
	if _, ok := x.file.(held); ok {
		return nil
	}
	d := &digest{make([]uint32, 0, x.count), make([]uint32, 0, x.count)}
	err := x.pieces(namesAt, nameBytes, func(name []byte) {
		d.keys = append(d.keys, binary.BigEndian.Uint32(name[1:]))
	})
	if err == nil {
		err = x.pieces(x.placesAt(), placeBytes, func(place []byte) {
			d.places = append(d.places, binary.BigEndian.Uint32(place))
		})
	}
	if err != nil {
		return nil
	}
	return d
}

// pieces calls visit for each part of a table that begins at a place of the index.
func (x *index) pieces(at, each int64, visit func(part []byte)) error {
	buffer := make([]byte, min(8192, x.count)*each)
	for left := x.count * each; left > 0; {
		part := buffer[:min(left, int64(len(buffer)))]
		if err := readFull(x.file, part, at); err != nil {
			return err
		}
		at, left = at+int64(len(part)), left-int64(len(part))
		for ; len(part) > 0; part = part[each:] {
			visit(part[:each])
		}
	}
	return nil
}

// find is as that of the index. Unless it is to be exact, a name that is not there may
// be taken for one that begins with the same five bytes.
func (d *digest) find(x *index, name Name, exact bool) (int64, error) {
	lo, hi := x.bucket(name)
	key := binary.BigEndian.Uint32(name[1:])
	keys := d.keys[lo:hi]
	n := lo + int64(sort.Search(len(keys), func(i int) bool { return keys[i] >= key }))
	if n == hi || d.keys[n] != key {
		return -1, nil
	}
	switch {
	case n+1 < hi && d.keys[n+1] == key:
		var err error
		if n, err = x.locate(name, lo, hi); err != nil || n < 0 {
			return -1, err
		}
	case exact:
		if found, err := x.locate(name, n, n+1); err != nil || found < 0 {
			return -1, err
		}
	}
	return x.resolve(d.places[n])
}
