package git

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// emptyBlob is the name of the file without content.
var emptyBlob = plumbing.NewHash("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")

// sketch is what git's rename detection remembers of a file: for each distinct
// piece (a line, or 64 bytes of a longer one), as a number, how many bytes of the
// file such pieces make up.
type sketch struct {
	size   int
	pieces []piece // in the order of their numbers
}

type piece struct {
	number uint32
	bytes  uint32
}

// pieceLength and pieceNumbers are git's. The numbers have to be the same, too:
// different pieces that share one count as alike for git.
const (
	pieceLength  = 64
	pieceNumbers = 107927
)

// newSketch takes in content. A last piece that neither is full nor ends in a
// newline is left out, as git did before 2.44.
func newSketch(content []byte) sketch {
	s := sketch{size: len(content), pieces: make([]piece, 0, bytes.Count(content, []byte{'\n'})+len(content)/pieceLength+1)}
	text := !isBinary(content)
	var low, high, n uint32
	for i, c := range content {
		if text && c == '\r' && i+1 < len(content) && content[i+1] == '\n' {
			continue // lines are compared without their line endings' style
		}
		low, high = low<<7^high>>25, high<<7^low>>25
		low += uint32(c)
		if n++; n == pieceLength || c == '\n' {
			s.pieces = append(s.pieces, piece{(low + high*0x61) % pieceNumbers, n})
			low, high, n = 0, 0, 0
		}
	}
	s.settle()
	return s
}

// settle sorts the pieces and adds those of one number together.
func (s *sketch) settle() {
	slices.SortFunc(s.pieces, func(a, b piece) int { return cmp.Compare(a.number, b.number) })
	last := 0
	for i, p := range s.pieces {
		switch {
		case i == 0:
		case p.number == s.pieces[last].number:
			s.pieces[last].bytes += p.bytes
		default:
			last++
			s.pieces[last] = p
		}
	}
	s.pieces = s.pieces[:min(last+1, len(s.pieces))]
}

// Scores of similarity, in git's units.
const (
	scoreSame     = 60000
	scoreRename   = scoreSame / 2     // from here on two files may be one renamed
	scoreBasename = scoreSame / 4 * 3 // the same for files that share only their name
)

// score is how much of the larger file can be found in the smaller.
func (a sketch) score(b sketch) int {
	if b.size == 0 || a.size == 0 {
		return 0
	}
	common := 0
	for x, y := a.pieces, b.pieces; len(x) > 0 && len(y) > 0; {
		switch {
		case x[0].number < y[0].number:
			x = x[1:]
		case x[0].number > y[0].number:
			y = y[1:]
		default:
			common += int(min(x[0].bytes, y[0].bytes))
			x, y = x[1:], y[1:]
		}
	}
	return int(int64(common) * scoreSame / int64(max(a.size, b.size)))
}

// likeness scores pairs of files, each once. It reads as few as it can.
type likeness struct {
	objects  objects
	sizes    map[hash]int64
	sketches map[hash]sketch
	scores   map[[2]hash]int
	read     int // bytes
}

// maxSketched is how many bytes of files are compared in one search: sketches take
// about as much memory as what they are of.
const maxSketched = 256 << 20

func newLikeness(from objects) *likeness {
	return &likeness{
		objects: from, sizes: make(map[hash]int64),
		sketches: make(map[hash]sketch), scores: make(map[[2]hash]int),
	}
}

// score is 0 for pairs that are certainly less than half alike.
func (l *likeness) score(a, b entry) (int, error) {
	if !a.mode.regular() || !b.mode.regular() {
		return 0, nil
	}
	key := [2]hash{a.hash, b.hash}
	if n, ok := l.scores[key]; ok {
		return n, nil
	}
	x, err := l.size(a.hash)
	if err != nil {
		return 0, err
	}
	y, err := l.size(b.hash)
	if err != nil {
		return 0, err
	}
	if max(x, y) < 2*(max(x, y)-min(x, y)) {
		return 0, nil // spares reading most files
	}
	p, err := l.sketch(a.hash)
	if err != nil {
		return 0, err
	}
	q, err := l.sketch(b.hash)
	if err != nil {
		return 0, err
	}
	l.scores[key] = p.score(q)
	return l.scores[key], nil
}

func (l *likeness) size(h hash) (int64, error) {
	if n, ok := l.sizes[h]; ok {
		return n, nil
	}
	n, err := l.objects.size(h)
	if err == nil {
		l.sizes[h] = n
	}
	return n, err
}

func (l *likeness) sketch(h hash) (sketch, error) {
	if s, ok := l.sketches[h]; ok {
		return s, nil
	}
	content, err := l.objects.blob(h)
	if errors.Is(err, errTooBig) {
		return sketch{}, errUnsure
	}
	if err != nil {
		return sketch{}, err
	}
	if l.read += len(content); l.read > maxSketched {
		return sketch{}, errUnsure
	}
	s := newSketch(content)
	l.sketches[h] = s
	return s, nil
}
