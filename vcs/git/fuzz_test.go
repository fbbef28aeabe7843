package git

import (
	"bytes"
	"slices"
	"testing"
)

func FuzzMergeContent(f *testing.F) {
	for _, s := range [][3]string{
		{"", "", ""},
		{"a\nb\nc\n", "a\nx\nc\n", "a\nb\nc\nd\n"},
		{"a\nb\nc", "a\nb\nc\n", "x\nb\nc"},
		{"a\r\nb\r\n", "a\nb\n", "a\r\nb\r\nc\r\n"},
		{"a\na\na\n", "a\na\n", "a\na\na\na\n"},
		{"{\n}\n{\n}\n", "{\n}\n{\n}\n{\n}\n", "{\n x\n}\n{\n}\n"},
		{"a\x00b\n", "\xff\n", "\n\n\n"},
	} {
		f.Add([]byte(s[0]), []byte(s[1]), []byte(s[2]))
	}
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte) {
		for _, side := range [][]byte{ours, theirs} {
			checkCompare(t, base, side)
		}
		merged, ok := mergeContent(base, ours, theirs)
		mirrored, same := mergeContent(base, theirs, ours)
		if ok != same || !bytes.Equal(merged, mirrored) {
			t.Errorf("the sides are not alike: %v %q, %v %q", ok, merged, same, mirrored)
		}
		if got, ok := mergeContent(base, ours, base); !ok || !bytes.Equal(got, ours) {
			t.Errorf("an untouched side changed the other: %v %q", ok, got)
		}
		if got, ok := mergeContent(base, ours, ours); !ok || !bytes.Equal(got, ours) {
			t.Errorf("equal sides do not agree: %v %q", ok, got)
		}
	})
}

// checkCompare turns old into changed by the hunks that compare finds.
func checkCompare(t *testing.T, before, after []byte) {
	book := newLineBook()
	a, aSpans := book.split(before)
	b, bSpans := book.split(after)
	if !bytes.Equal(slices.Concat(aSpans...), before) || !bytes.Equal(slices.Concat(bSpans...), after) {
		t.Fatal("lines got lost")
	}
	var made []byte
	at := 0
	for _, h := range compare(a, b, book) {
		if h.oldLo < at || h.oldHi < h.oldLo || h.newHi < h.newLo || h.oldHi == h.oldLo && h.newHi == h.newLo {
			t.Fatalf("impossible hunk %v", h)
		}
		made = appendLines(appendLines(made, aSpans[at:h.oldLo]), bSpans[h.newLo:h.newHi])
		at = h.oldHi
	}
	if made = appendLines(made, aSpans[at:]); !bytes.Equal(made, after) {
		t.Fatalf("hunks make %q, not %q", made, after)
	}
}

func FuzzParseTree(f *testing.F) {
	f.Add(encodeTree([]entry{{"a", modeFile, emptyBlob}, {"a.b", modeExec, emptyBlob}, {"a", modeTree, emptyTree}}))
	f.Add([]byte("40000 ..\x0012345678901234567890"))
	f.Add([]byte("100644 a/b\x0012345678901234567890"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		entries, err := parseTree(raw)
		if err != nil {
			return
		}
		again, err := parseTree(encodeTree(entries))
		if err != nil || !slices.Equal(entries, again) {
			t.Errorf("%v became %v, %v", entries, again, err)
		}
		for _, e := range entries {
			if got := find(entries, e.name); got.name != e.name {
				t.Errorf("%q is not found", e.name)
			}
		}
	})
}

func FuzzAttributes(f *testing.F) {
	f.Add("*.yaml merge=ours\n\"a b\" binary\n[attr]x -merge\n** x\n", "dir/a.yaml")
	f.Add("\"", "a")
	f.Add("\\", "a")
	f.Fuzz(func(t *testing.T, content, path string) {
		for _, r := range parseAttributes(content) {
			r.pattern.MatchString(path)
		}
	})
}
