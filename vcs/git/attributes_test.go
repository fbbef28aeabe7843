package git

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestAttributesAreGits writes random .gitattributes and asks git who merges what.
// Where git names a driver, so must we.
func TestAttributesAreGits(t *testing.T) {
	t.Parallel()
	b := newJudge(t)
	rnd := rand.New(rand.NewPCG(6, 6))
	words := []string{
		"merge", "-merge", "!merge", "merge=ours", "merge=text", "merge=binary", "binary", "text", "-text", "text=auto",
		"eol=lf", "filter=lfs diff=lfs merge=lfs -text", "filter=git-crypt", "mine", "diff", "linguist-generated=true", "-diff",
	}
	patterns := []string{
		"*", "*.yaml", "a", "/a", "dir/*", "dir/**", "**/a", "dir/a.yaml", "*.lock", "dir/", "?", "[ab]", "d?r/a*", "**/sub/*", "dir/**/a", `"a b"`, "a.yaml", "\\a",
	}
	paths := []string{"a", "b", "a.yaml", "x.lock", "a b", "dir/a", "dir/a.yaml", "dir/sub/a", "dir/sub/x.lock"}
	file := func() string {
		var s strings.Builder
		if rnd.IntN(4) == 0 {
			fmt.Fprintf(&s, "[attr]mine %s\n", words[rnd.IntN(len(words))])
		}
		for range 1 + rnd.IntN(3) {
			fmt.Fprintf(&s, "%s %s\n", patterns[rnd.IntN(len(patterns))], words[rnd.IntN(len(words))])
		}
		return s.String()
	}
	governed, cautious := 0, 0
	for range 30 {
		fs := files{".gitattributes": plain("# comment\n\n" + file())}
		if rnd.IntN(2) == 0 {
			fs["dir/.gitattributes"] = plain(strings.ReplaceAll(file(), "[attr]", "# "))
		}
		for _, p := range paths {
			fs[p] = plain("x\n")
		}
		commit := b.commit("main", fs, "attributes")
		b.run(nil, "read-tree", string(commit))
		want := make(map[string]bool)
		for out := strings.Split(string(b.run([]byte(strings.Join(paths, "\x00")), "check-attr", "--cached", "--stdin", "-z", "merge")), "\x00"); len(out) > 3; out = out[3:] {
			switch out[1] + " " + out[2] {
			case "merge unspecified", "merge set", "merge text":
			default:
				want[out[0]] = true
			}
		}
		s, err := openStore(b.dir)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.commit(toHash(commit))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			got, err := newAttributes(s, emptyTree, c.TreeHash).govern(p)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case want[p] && !got:
				t.Fatalf("%s is governed by\n%s\nin dir:\n%s", p, fs[".gitattributes"].data, fs["dir/.gitattributes"].data)
			case want[p]:
				governed++
			case got:
				cautious++
			}
		}
		_ = s.close()
	}
	t.Logf("%d governed, %d more for us", governed, cautious)
	if governed < 25 {
		t.Error("too few paths are governed to tell anything")
	}
}

func TestAttributesThatMatter(t *testing.T) {
	for content, want := range map[string]bool{
		"":                                 false,
		"* text=auto eol=lf\n":             false,
		"*.yaml text -diff linguist-x=1\n": false,
		"a.yaml merge\n":                   false,
		"a.yaml merge=text\n":              false,
		"a.yaml merge=union\n":             true,
		"a.yaml -merge\n":                  true,
		"a.yaml binary\n":                  true,
		"a.yaml filter=git-crypt\n":        false,
		"a.yaml filter=lfs merge=lfs\n":    true,
		"*.yml merge=ours\n":               false,
		"b/*.yaml merge=ours\n":            false,
		"[attr]x merge=ours\n*.yaml x\n":   true,
		"# *.yaml merge=ours\n":            false,
		"\"a.yaml\" merge=ours":            true,
		"[a-z].yaml merge=ours":            true,
	} {
		rules := parseAttributes(content)
		got := false
		for _, r := range rules {
			got = got || r.pattern.MatchString("a.yaml")
		}
		if got != want {
			t.Errorf("%q: %v", content, got)
		}
	}
}
