package pack

import (
	"bytes"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

func TestPatch(t *testing.T) {
	base := []byte("0123456789")
	for what, tt := range map[string]struct {
		delta string
		want  string // empty: an error
	}{
		"copy":                       {"\x0a\x04\x91\x02\x04", "2345"},
		"bring":                      {"\x0a\x03\x03abc", "abc"},
		"both":                       {"\x0a\x05\x91\x08\x02\x03abc", "89abc"},
		"copy from the start":        {"\x0a\x02\x90\x02", "01"},
		"another base":               {"\x0b\x04\x91\x02\x04", ""},
		"beyond the base":            {"\x0a\x04\x91\x08\x04", ""},
		"size zero is 64 KiB":        {"\x0a\x80\x80\x04\x80", ""},
		"more than it says":          {"\x0a\x01\x02ab", ""},
		"less than it says":          {"\x0a\x03\x02ab", ""},
		"reserved":                   {"\x0a\x01\x00", ""},
		"bring nothing":              {"\x0a\x05\x05ab", ""},
		"copy without size":          {"\x0a\x05\x91\x00", ""},
		"nothing":                    {"", ""},
		"no second size":             {"\x0a", ""},
		"a size that never ends":     {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", ""},
		"a size beyond all measure":  {"\x0a\xff\xff\xff\xff\xff\xff\xff\x7f", ""},
		"more than is allowed":       {"\x0a\x80\x08" + string(bytes.Repeat([]byte("\x90\x0a"), 103)), ""},
		"copy with a far beginning":  {"\x0a\x04\x9f\xff\xff\xff\xff\x04", ""},
		"an instruction cut in half": {"\x0a\x04\x9f\x02", ""},
	} {
		got, err := patch(base, []byte(tt.delta), 1000)
		if string(got) != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s: %q, %v; want %q", what, got, err, tt.want)
		}
	}
}

// FuzzPatch compares with go-git on all that both take.
func FuzzPatch(f *testing.F) {
	f.Add([]byte("0123456789"), []byte("\x0a\x05\x91\x08\x02\x03abc"))
	f.Add([]byte("0123456789"), []byte("\x0a\x04\x91\x02\x04"))
	f.Add([]byte{}, []byte("\x00\x01\x01a"))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		const limit = 1 << 20
		got, err := patch(base, delta, limit)
		if err != nil {
			return
		}
		if len(got) > limit {
			t.Fatalf("%d bytes", len(got))
		}
		want, err := packfile.PatchDelta(base, delta)
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("got %q, go-git makes %q", got, want)
		}
	})
}
