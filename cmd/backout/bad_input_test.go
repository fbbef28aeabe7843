package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clones are repositories of the same story that lack something, by what they
// lack.
func clones(t *testing.T) (whole story, at map[string]string) {
	s := fleet(t)
	s.commit(3*time.Hour, "two", "apps/web/web.yaml", deploymentOf("web", "v2"))
	s.commit(2*time.Hour, "three", "apps/web/web.yaml", deploymentOf("web", "v3"))
	s.git(findNoon, "config", "uploadpack.allowFilter", "true")
	at = map[string]string{"whole": s.dir, "nothing": t.TempDir()}
	for name, args := range map[string][]string{
		"shallow":  {"clone", "-q", "--depth", "2", "file://" + s.dir},
		"no blobs": {"clone", "-q", "--no-checkout", "--filter=blob:none", "file://" + s.dir},
		"no trees": {"clone", "-q", "--no-checkout", "--filter=tree:0", "file://" + s.dir},
		"damaged":  {"clone", "-q", "--no-checkout", "--bare", "--no-local", "file://" + s.dir},
		"no list":  {"clone", "-q", "--no-checkout", "--bare", "--no-local", "file://" + s.dir},
		"empty":    {"init", "-q", "-b", "main"},
	} {
		at[name] = filepath.Join(t.TempDir(), strings.ReplaceAll(name, " ", "-"))
		s.git(findNoon, append(args, at[name])...)
	}
	damage(t, s, at["damaged"], "HEAD~1:apps/web/web.yaml")
	damage(t, s, at["no list"], "HEAD:apps/web/kustomization.yaml")
	return s, at
}

// damage takes a file's contents out of a bare clone. What was fetched stands in a
// pack; a loose copy can be taken away.
func damage(t *testing.T, s story, dir, file string) {
	t.Helper()
	packs, err := filepath.Glob(filepath.Join(dir, "objects", "pack", "*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatalf("packs are %v: %v", packs, err)
	}
	moved := filepath.Join(t.TempDir(), "pack")
	for _, err := range []error{os.Rename(packs[0], moved), os.Remove(strings.TrimSuffix(packs[0], "pack") + "idx")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	story{t, dir}.git(findNoon, "-c", "alias.u=!git unpack-objects -q < "+moved, "u")
	blob := s.git(findNoon, "rev-parse", file)
	if err := os.Remove(filepath.Join(dir, "objects", blob[:2], blob[2:])); err != nil {
		t.Fatal(err)
	}
}

// TestIncompleteClones: where history or objects are missing that the answer
// needs, there is an error that says what to do, never a wrong answer.
func TestIncompleteClones(t *testing.T) {
	s, at := clones(t)
	s.git(findNoon, "checkout", "-q", "--orphan", "other")
	s.commit(time.Hour, "elsewhere", "z", "z\n")
	other := s.git(findNoon, "rev-parse", "HEAD")
	s.git(findNoon, "checkout", "-q", "main")
	for _, tt := range []struct{ name, repo, args, want string }{
		{"the question reaches the boundary", "shallow", "find apps/web", "git fetch --unshallow"},
		{"good lies behind the boundary", "shallow", "find --good HEAD~2 apps/web", "git fetch --unshallow"},
		{"the moment lies behind the boundary", "shallow", "find --at 1000 apps/web", "git fetch --unshallow"},
		{"no contents", "no blobs", "find apps/web", "git fetch --refetch"},
		{"no contents, no kustomization to read", "no blobs", "find apps/web/web.yaml", "git fetch --refetch"},
		{"no trees", "no trees", "find apps/web", "git fetch --refetch"},
		{"a file is missing", "damaged", "find apps/web/web.yaml", "git fsck"},
		{"what says what else to look at is missing", "no list", "find --limit 1 apps/web", "git fsck"},
		{"no commit yet", "empty", "find apps/web", "HEAD"},
		{"no repository", "nothing", "find apps/web", "--repo"},
		{"no folder", "whole", "find --repo " + at["nothing"] + "/nosuch apps/web", "there is no folder"},
		{"good on another line", "whole", "find --good " + other + " apps/web", "--good a revision that was deployed before"},
		{"a path of another line", "whole", "find z", "relative to the root"},
		{"a path from the root of the disk", "whole", "find /apps/web", "not a path below the root"},
		{"a path that leads out", "whole", "find ../apps", "not a path below the root"},

		{"the parent is cut off", "shallow", "revert HEAD~1", "git fetch --unshallow"},
		{"a range that is cut off", "shallow", "revert HEAD~3..HEAD", "git fetch --unshallow"},
		{"no contents", "no blobs", "revert HEAD~1", "git fetch --refetch"},
		{"no trees", "no trees", "revert HEAD", "git fetch --refetch"},
		{"a file is missing", "damaged", "revert HEAD~1", "git fsck"},
		{"no commit yet", "empty", "revert HEAD", "HEAD"},
		{"no repository", "nothing", "revert HEAD", "--repo"},
		{"unknown", "whole", "revert nosuch", "or fetch it first"},
		{"unknown, onto", "whole", "revert --onto nosuch HEAD", "or fetch it first"},
		{"an empty range", "whole", "revert HEAD..HEAD", "no commit"},
		{"a range of two lines", "whole", "revert other..main~9", "main~9"},
		{"no merge", "whole", "revert --mainline 2 HEAD", "not a merge"},
		{"a file, not a commit", "whole", "revert HEAD:apps/web/web.yaml", "Give a SHA"},
	} {
		t.Run(strings.Fields(tt.args)[0]+", "+tt.name, func(t *testing.T) {
			args := strings.Fields(tt.args)
			if !strings.Contains(tt.args, "--repo") {
				args = append(args, "--repo", at[tt.repo])
			}
			out, err := run(t, args...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q\n%s", err, tt.want, out)
			}
		})
	}
}

// TestShallowIsEnough: a shallow clone answers what it can.
func TestShallowIsEnough(t *testing.T) {
	_, at := clones(t)
	for args, want := range map[string]string{
		"find --limit 1 apps/web": "three", "find --good HEAD~1 apps/web": "three", "revert HEAD": "apps/web/web.yaml",
	} {
		out, err := run(t, append(strings.Fields(args), "--repo", at["shallow"])...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	}
}
