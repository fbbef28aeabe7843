package bot

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestExamine(t *testing.T) {
	commit := Commit{
		SHA: "b", Parents: []SHA{"a"}, Author: "Ada", Subject: "Revert", Paths: []string{"x/kept.yaml", "x/gone.yaml", "x/dir"},
		Message: "Revert\n\nThis reverts commit 0123456789012345678901234567890123456789.\n",
	}
	files := []FileChange{{Path: "x/kept.yaml", After: []byte("1")}, {Path: "x/gone.yaml", After: []byte("2")}, {Path: "x/dir", After: []byte("3")}}
	now := fstest.MapFS{"x/kept.yaml": {Data: []byte("now")}, "x/dir/file": {}}
	got, err := Examine(context.Background(), commit, now, func(_ context.Context, from, to SHA) ([]FileChange, error) {
		if from != "a" || to != "b" {
			t.Errorf("compared %s with %s", from, to)
		}
		return files, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// What stands at a path that is no file any more can't be compared.
	want := map[string][]byte{"x/kept.yaml": []byte("now"), "x/dir": []byte("3")}
	if diff := cmp.Diff(want, got.Current); diff != "" {
		t.Errorf("current contents (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]SHA{"0123456789012345678901234567890123456789"}, got.TakesBack); diff != "" || !got.Change.IsRevert {
		t.Errorf("takes back (-want +got):\n%s", diff)
	}
	if root, err := Examine(context.Background(), Commit{SHA: "a"}, now, nil); err != nil || root.Files != nil {
		t.Errorf("a root commit: %+v, %v", root, err)
	}
}

func TestAutomated(t *testing.T) {
	for _, tt := range []struct {
		name, email string
		want        bool
	}{
		{"renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com", true},
		{"Acme Bot", "ci@acme.example", true},
		{"x", "deploy-bot@acme.example", true},
		{"bot-ross", "x@acme.example", true},
		{"Ada Lovelace", "ada@robots.example", false},
		{"Botond", "botond@acme.example", false},
		{"Abbott", "abbott@acme.example", false},
	} {
		if got := automated(Commit{Author: tt.name, Email: tt.email}); got != tt.want {
			t.Errorf("%s <%s>: %v", tt.name, tt.email, got)
		}
	}
}
