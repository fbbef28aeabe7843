package git

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// loadIndex gives a mirror that is being opened the index that it has on disk. One
// that can't be believed is made anew after the next fetch.
func (m *mirror) loadIndex(s *store) {
	left, _ := filepath.Glob(filepath.Join(m.dir, unnamed))
	for _, path := range left {
		_ = os.Remove(path) // of a process that was killed while it wrote
	}
	x, err := loadIndex(filepath.Join(m.dir, indexFile))
	switch {
	case err == nil:
		s.index = x
	case !errors.Is(err, fs.ErrNotExist):
		m.log.Warn("history index is made anew", "error", err)
	}
}

// indexHistory brings the index of a mirror up to its branches, in the background: nobody
// waits for it, since what it does not know yet is looked up in the objects.
func (ms *Mirrors) indexHistory(m *mirror, s *store) {
	m.indexed.Store(true)
	if s.index.knows(s.allHeads()) || !m.indexing.CompareAndSwap(false, true) {
		return
	}
	if !ms.begin() {
		m.indexing.Store(false)
		return
	}
	go func() {
		defer ms.wait.Done()
		defer m.indexing.Store(false)
		began := time.Now()
		n, err := s.indexHistory(ms.ctx, func() bool { return m.is(s) })
		log := m.log.With("commits", n)
		if err == nil && s.index.worthSaving() && m.is(s) {
			err = s.index.save(filepath.Join(m.dir, indexFile))
		}
		switch {
		case err != nil && ms.ctx.Err() == nil && m.is(s):
			log.Warn("history could not be indexed", "error", err)
		case n > 0:
			log.Debug("history indexed", "took", time.Since(began), "bytes", s.index.bytes())
		}
	}()
}

// keepIndex saves what a mirror's index has learnt, when the process ends.
func (ms *Mirrors) keepIndex(m *mirror, s *store) {
	if !m.indexed.Load() || !s.index.changed() {
		return
	}
	if err := s.index.save(filepath.Join(m.dir, indexFile)); err != nil {
		m.log.Warn("history index could not be written", "error", err)
	}
}

// knows reports whether all that is below some commits is indexed.
func (x *index) knows(heads map[string]hash) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, h := range heads {
		if i, ok := x.find(h); !ok || !x.rows[i].whole {
			return false
		}
	}
	return true
}

// saveEvery is how many new commits are worth writing the file again, besides a
// hundredth of all: what is lost with a process is soon made again.
const saveEvery = 100

func (x *index) worthSaving() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.unsaved > saveEvery+len(x.rows)/100
}

func (x *index) changed() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.unsaved > 0
}

// bytes is about what the index takes.
func (x *index) bytes() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.size()
}

// indexHistory lists what each first-parent commit of each branch touched, and
// counts the commits that were new. The default branch comes first, and of each
// branch the newest commits: they are asked for most. It goes on while wanted says
// so.
func (s *store) indexHistory(ctx context.Context, wanted func() bool) (learnt int, err error) {
	heads := s.allHeads()
	s.headsMu.RLock()
	main := s.main
	s.headsMu.RUnlock()
	names := slices.SortedFunc(maps.Keys(heads), func(a, b string) int {
		if (a == main) != (b == main) {
			return map[bool]int{true: -1, false: 1}[a == main]
		}
		return strings.Compare(a, b)
	})
	b := &builder{trail: s.trail(hash{}, nil), ctx: ctx, wanted: wanted}
	for b.begin(); ; {
		for _, name := range names {
			if err := b.line(heads[name]); err != nil {
				return b.learnt, err
			}
		}
		if !b.full || b.fresh {
			s.index.wholeFrom(b.seen)
			return b.learnt, nil
		}
		// Much of it may be about commits that no branch has any more.
		s.index.drop()
		b.begin()
	}
}

// builder fills an index.
type builder struct {
	*trail
	ctx    context.Context //nolint:containedctx // Of one call.
	wanted func() bool
	learnt int
	seen   bits // rows that were walked over
	// fresh is set while an index is begun. It leaves a quarter of the room for what
	// is to come; full, when no more was left.
	fresh, full bool
}

func (b *builder) begin() {
	b.seen, b.fresh, b.full = nil, !b.store.index.begun(), false
}

// line indexes a commit and its first parents, down to where that was done.
func (b *builder) line(h hash) error {
	x := b.store.index
	for !h.IsZero() {
		i, r := x.look(h)
		if r.whole || r.list > rowAsked && b.seen.has(i) {
			return nil
		}
		if r.list <= rowAsked {
			if b.ctx.Err() != nil || !b.wanted() {
				return context.Canceled
			}
			if x.roomFor(b.fresh) {
				if err := b.list(h); err != nil {
					return err
				}
			}
			if i, r = x.look(h); r.list <= rowAsked {
				b.full = true
				b.seen.add(x.named(h))
				return nil
			}
		}
		b.seen.add(i)
		h = x.name(r.below)
	}
	return nil
}

// list lists what one commit touched.
func (b *builder) list(h hash) error {
	head, err := b.read(h)
	if err != nil {
		return err
	}
	before, err := b.before(head)
	if err != nil {
		return err
	}
	b.store.index.meet(h, head, false)
	b.learnt++
	_, err = b.learn(h, head, before)
	return err
}

// look is what is known of a commit: nothing, where there is no row.
func (x *index) look(h hash) (uint32, row) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if i, ok := x.find(h); ok {
		return i, x.rows[i]
	}
	return 0, row{}
}

// name is the commit of row below-1; zero when below is 0.
func (x *index) name(below uint32) hash {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if below == 0 {
		return hash{}
	}
	return x.rows[below-1].hash
}

// wholeFrom notes that what is below some rows needs no more looking after.
func (x *index) wholeFrom(seen bits) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.rows {
		if seen.has(uint32(i)) { //nolint:gosec // Bounded by maxIndexBytes.
			x.rows[i].whole = true
		}
	}
}

// begun reports whether branches were indexed before.
func (x *index) begun() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.ContainsFunc(x.rows, func(r row) bool { return r.whole })
}

// roomFor reports whether there is room for one more commit.
func (x *index) roomFor(fresh bool) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if fresh {
		return x.size() < x.limit/4*3
	}
	return !x.full && x.size() < x.limit
}

// named is the row of a commit, made if need be.
func (x *index) named(h hash) uint32 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.add(h)
}

// drop begins the index anew.
func (x *index) drop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	fresh := newIndex()
	x.rows, x.slots, x.paths, x.lists = nil, slots{}, fresh.paths, fresh.lists
	x.full = false
	x.unsaved++
	x.era++
}
