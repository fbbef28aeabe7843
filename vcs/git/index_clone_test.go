package git

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// TestIndexOfAClone: in somebody's own clone the index grows with the questions,
// in memory alone. The third question compares nothing any more.
func TestIndexOfAClone(t *testing.T) {
	t.Parallel()
	r := &restless{newBare(t, t.TempDir()), rand.New(rand.NewPCG(5, 5)), make(map[bot.SHA]files), make(map[string]bot.SHA)}
	r.grow(60)
	before := listing(t, r.dir)
	repo, err := Open(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	from := r.tips["main"]
	for i, path := range []string{"dir", "a/x", "x/y", "never"} {
		walk := repo.store.trail(toHash(from), newScope(path))
		for more := true; more; {
			if more, err = walk.next(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if compared := walk.narrow != nil; compared != (i == 0) {
			t.Errorf("question %d: compared trees: %v", i+1, compared)
		}
	}
	for range 5 {
		r.check(repo.store)
	}
	if err := repo.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, listing(t, r.dir)); diff != "" {
		t.Errorf("something was written:\n%s", diff)
	}
}

// TestIndexOfAShallowClone: what the limit of a shallow clone changed is not known,
// and never kept, since its parents may come with a later fetch.
func TestIndexOfAShallowClone(t *testing.T) {
	w := newWork(t)
	for i := range 6 {
		w.commit(fmt.Sprint(i), map[string]string{"a": fmt.Sprint(i)})
	}
	dir := filepath.Join(t.TempDir(), "shallow")
	w.run(nil, "clone", "--quiet", "--depth=3", "file://"+w.dir, dir)
	repo, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = repo.Close() })
	head, err := repo.Resolve("HEAD")
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		found, walked, err := repo.Log(context.Background(), PastQuery{From: head, Paths: []string{"a"}})
		if !bot.IsTrouble(err, bot.TroubleInvalid) {
			t.Fatalf("%d of %d found, %v", len(found), walked, err)
		}
		if _, err := repo.Before(context.Background(), head, time.Unix(0, 0)); !bot.IsTrouble(err, bot.TroubleInvalid) {
			t.Fatalf("before all times: %v", err)
		}
	}
	for h := range repo.shallow {
		if _, row := repo.store.index.look(h); row.list != rowNamed || row.below != 0 {
			t.Errorf("the limit %s is kept: %+v", h, row)
		}
	}
	if n := len(repo.store.index.rows); n != 3 {
		t.Errorf("%d commits are known", n)
	}
}

// TestIndexIsBounded: a full index keeps answering right, and is begun anew, with
// room for what is to come, when a mirror has something new.
func TestIndexIsBounded(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	r := &restless{s.repo(), rand.New(rand.NewPCG(6, 6)), make(map[bot.SHA]files), make(map[string]bot.SHA)}
	ms := s.mirrors()
	r.grow(1)
	fetch(t, ms)
	ms.wait.Wait()
	st := r.store(ms)
	st.index.limit = 3000
	begunAnew := 0
	for range 6 {
		era := st.index.era
		r.grow(30)
		fetch(t, ms)
		ms.wait.Wait()
		r.check(st)
		if !st.index.knows(st.allHeads()) {
			t.Error("the newest commits are not looked after")
		}
		if n := st.index.bytes(); n > 4000 {
			t.Errorf("the index has %d bytes", n)
		}
		begunAnew += st.index.era - era
	}
	if begunAnew == 0 {
		t.Error("the index was never begun anew")
	}
}

// TestIndexBegunAnewUnderAWalk: numbers of paths are not what they were, and the walk
// goes on by the new ones.
func TestIndexBegunAnewUnderAWalk(t *testing.T) {
	t.Parallel()
	b, open := local(t)
	im := &importer{}
	var line []string
	for i := range 40 {
		fs := files{"a": plain(fmt.Sprint(i / 2)), "b": plain(fmt.Sprint((i + 1) / 2))}
		line = append(line, im.add(snapshot{branch: "main", files: fs, parents: line[max(0, i-1):]}))
	}
	shas := b.load(im)
	ms := open()
	s, err := ms.read(context.Background(), testRepo)
	if err != nil {
		t.Fatal(err)
	}
	fill := func() {
		if _, err := s.indexHistory(context.Background(), func() bool { return true }); err != nil {
			t.Fatal(err)
		}
	}
	fill()
	walk := s.trail(toHash(shas[line[39]]), newScope("a"))
	var got []string
	for more := true; more; {
		if more, err = walk.next(context.Background()); err != nil {
			t.Fatal(err)
		}
		if len(got) == 5 {
			s.index.drop()
			s.index.meet(hash{1}, &header{}, false)
			s.index.put(hash{1}, []string{"a", "b"}) // a is now what b was
			fill()
		}
		if more {
			got = append(got, walk.hash.String())
		}
	}
	want := b.lines("log", "--first-parent", "--format=%H", "main", "--", "a")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if walk.narrow != nil {
		t.Error("the index was not asked")
	}
}
