package app

import "testing"

// FuzzParseAppID reads the names that people give Apps: what is taken is written
// the same way, so that rules and record mean the same App.
func FuzzParseAppID(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseAppID(s)
		if err != nil {
			return
		}
		if id.String() != s {
			t.Errorf("%q is written as %q", s, id)
		}
		if id.Cluster == "" || id.Kind == "" || id.Namespace == "" || id.Name == "" {
			t.Errorf("%q is read as %+v", s, id)
		}
	})
}
