package git

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzAttributesLikeGit asks git itself about the same file. Wherever git hands a
// path to a merge driver, so do we: erring that way only turns a
// clean merge into a conflict, and erring the other way merges what nobody
// should.
func FuzzAttributesLikeGit(f *testing.F) {
	dir := f.TempDir()
	if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
		f.Fatalf("git init: %v\n%s", err, out)
	}
	env := append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+dir, "GIT_ATTR_NOSYSTEM=1", "LC_ALL=C")
	f.Fuzz(func(t *testing.T, content, path string) {
		if !inTree(path) || !utf8.ValidString(content) || strings.ContainsRune(content, 0) {
			t.Skip("no tree holds it, or git stops reading there")
		}
		file := filepath.Join(dir, ".git", "info", "attributes")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "git", "-C", dir, "check-attr", "-z", "merge", "--", path)
		cmd.Env = env
		out, err := cmd.Output()
		if err != nil {
			t.Skipf("git itself gives up: %v", err)
		}
		governed := false
		fields := strings.Split(string(out), "\x00")
		for i := 0; i+2 < len(fields); i += 3 {
			switch value := fields[i+2]; {
			case value == "unspecified", value == "set", value == "text":
			default:
				governed = true
			}
		}
		if !governed {
			return
		}
		for _, r := range parseAttributes(content) {
			if r.pattern.MatchString(path) {
				return
			}
		}
		t.Errorf("git hands %q over (%q) by the attributes\n%s", path, out, content)
	})
}

// inTree reports whether a tree may hold the path.
func inTree(path string) bool {
	if path == "" || !utf8.ValidString(path) || strings.ContainsAny(path, "\x00\n") {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." || strings.EqualFold(part, ".git") {
			return false
		}
	}
	return true
}
