package git

import "github.com/go-git/go-git/v5/plumbing"

// emptyBlob is the name of the file without content.
var emptyBlob = plumbing.NewHash("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")

// sketch is what git's rename detection remembers of a file: for each distinct
// piece (a line, or 64 bytes of a longer one), as a number, how many bytes of the
// file such pieces make up.
type sketch struct {
	size   int
	pieces map[uint32]int
}

// pieceLength and pieceNumbers are git's (diffcore-delta.c). The numbers have to
// be the same, too: different pieces that share one count as alike for git.
const (
	pieceLength  = 64
	pieceNumbers = 107927
)

// newSketch takes in content. A last piece that neither is full nor ends in a
// newline is counted, though git before 2.44 ignores it: that can only make two
// files more alike, and so more doubtful.
func newSketch(content []byte) sketch {
	s := sketch{size: len(content), pieces: make(map[uint32]int)}
	text := !isBinary(content)
	var low, high uint32
	n := 0
	for i, c := range content {
		if text && c == '\r' && i+1 < len(content) && content[i+1] == '\n' {
			continue // lines are compared without their line endings' style
		}
		low, high = low<<7^high>>25, high<<7^low>>25
		low += uint32(c)
		if n++; n == pieceLength || c == '\n' {
			s.pieces[(low+high*0x61)%pieceNumbers] += n
			low, high, n = 0, 0, 0
		}
	}
	if n > 0 {
		s.pieces[(low+high*0x61)%pieceNumbers] += n
	}
	return s
}

// halfAlike reports whether at least half of the larger file can be found in the
// smaller: git's default for renames.
func halfAlike(a, b sketch) bool {
	common := 0
	for piece, n := range a.pieces {
		common += min(n, b.pieces[piece])
	}
	return 2*common >= max(a.size, b.size)
}

// sketch reads and sketches a file, once.
func (d *doubts) sketch(h hash) (sketch, error) {
	if s, ok := d.sketches[h]; ok {
		return s, nil
	}
	content, err := d.objects.blob(h)
	if err != nil {
		return sketch{}, err
	}
	s := newSketch(content)
	d.sketches[h] = s
	return s, nil
}
