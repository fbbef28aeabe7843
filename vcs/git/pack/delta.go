package pack

import "encoding/binary"

// A delta makes an object out of another one, its base: the sizes of both, then
// instructions, each of which copies a stretch of the base or brings bytes along
// (git help format-pack, "Deltified representation").

// resultSize is the size of what a delta makes; head is its beginning.
func resultSize(head []byte) (int64, error) {
	_, n := binary.Uvarint(head)
	if n <= 0 {
		return 0, corrupt("delta without sizes")
	}
	size, m := binary.Uvarint(head[n:])
	if m <= 0 || size > maxSize {
		return 0, corrupt("delta without sizes")
	}
	return int64(size), nil
}

// maxSize keeps sums of sizes from overflowing.
const maxSize = 1 << 48

// maxSizes is how many bytes both sizes take at most.
const maxSizes = 2 * binary.MaxVarintLen64

// patch applies a delta. Nothing is allocated before the delta was seen to make
// what it says it makes, at most limit bytes.
func patch(base, delta []byte, limit int64) ([]byte, error) {
	from, n := binary.Uvarint(delta)
	size, err := resultSize(delta)
	if err != nil {
		return nil, err
	}
	if from != uint64(len(base)) {
		return nil, corrupt("delta is of another base")
	}
	if size > limit {
		return nil, errTooBig(size)
	}
	_, m := binary.Uvarint(delta[n:])
	orders := delta[n+m:]
	made := int64(0)
	for rest := orders; len(rest) > 0; {
		var o order
		if o, rest, err = nextOrder(rest); err != nil {
			return nil, err
		}
		if o.bring == nil && o.from+o.size > int64(len(base)) {
			return nil, corrupt("delta copies beyond its base")
		}
		if made += o.size; made > size {
			return nil, corrupt("delta makes more than it says")
		}
	}
	if made < size {
		return nil, corrupt("delta makes less than it says")
	}
	result := make([]byte, 0, size)
	for len(orders) > 0 {
		var o order
		if o, orders, err = nextOrder(orders); err != nil {
			return nil, err
		}
		if o.bring == nil {
			o.bring = base[o.from : o.from+o.size]
		}
		result = append(result, o.bring...)
	}
	return result, nil
}

// order is one instruction: to copy size bytes of the base, or to bring some along.
type order struct {
	bring      []byte
	from, size int64
}

// maxCopy is what a copy of size zero stands for.
const maxCopy = 0x10000

func nextOrder(delta []byte) (o order, rest []byte, err error) {
	op, rest := delta[0], delta[1:]
	if op&0x80 == 0 {
		n := int(op)
		if n == 0 || n > len(rest) {
			return o, nil, corrupt("delta with a bad instruction")
		}
		return order{bring: rest[:n], size: int64(n)}, rest[n:], nil
	}
	for i := range 7 {
		if op&(1<<i) == 0 {
			continue
		}
		if len(rest) == 0 {
			return o, nil, corrupt("delta with a bad instruction")
		}
		if i < 4 {
			o.from |= int64(rest[0]) << (8 * i)
		} else {
			o.size |= int64(rest[0]) << (8 * (i - 4))
		}
		rest = rest[1:]
	}
	if o.size == 0 {
		o.size = maxCopy
	}
	return o, rest, nil
}
