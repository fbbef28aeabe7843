package argo

import (
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	jsonpatch "github.com/evanphx/json-patch"
	"github.com/google/go-cmp/cmp"

	"github.com/backout-dev/backout/bot"
)

// FuzzHold places and releases holds on an Application whose annotations may be
// damaged or forged. Nobody else's hold is touched, a hold of ours reads as it
// was written, and what comes back is what was there.
func FuzzHold(f *testing.F) {
	f.Fuzz(func(t *testing.T, owner, reason, previous, deadline string, automation byte) {
		for _, s := range []string{owner, reason, previous, deadline} {
			if !utf8.ValidString(s) {
				t.Skip("no API hands it out")
			}
		}
		a := &argov1.Application{}
		a.Name, a.Namespace = "web", "argocd"
		a.Annotations = map[string]string{ownerKey: owner, reasonKey: reason, previousKey: previous, deadlineKey: deadline, "else": "x"}
		if owner == "" {
			delete(a.Annotations, ownerKey)
		}
		switch automation % 4 {
		case 1:
			a.Spec.SyncPolicy = &argov1.SyncPolicy{SyncOptions: argov1.SyncOptions{reason}}
		case 2:
			a.Spec.SyncPolicy = &argov1.SyncPolicy{Automated: &argov1.SyncPolicyAutomated{Prune: automation&4 != 0, SelfHeal: automation&8 != 0}}
		}
		l := bot.Lease{Owner: "rb-0123456789ab", Reason: reason, Deadline: noon.Add(30 * time.Minute)}
		read, held := readHold(a, l.App)
		if held != (owner != "") || !read.Deadline.IsZero() && read.Deadline.Format(time.RFC3339) == "" {
			t.Fatalf("read as %+v, %v", read, held)
		}
		foreign := held && read.Owner != l.Owner
		if p, left, err := releasing(a, l.Owner, "ann"); (foreign || !held) && (p != nil || left == "" || err != nil) {
			t.Fatalf("released what is not ours: %v, %q, %v", p, left, err)
		}
		p, left, err := placing(a, l, noon, "ann")
		if err != nil {
			t.Fatal(err)
		}
		if p == nil {
			if !held {
				t.Fatalf("nothing was placed, and nobody holds it: %q", left)
			}
			return
		}
		if foreign || left != "" {
			t.Fatalf("placed %v beside %q", p, left)
		}
		ours := patched(t, a, p)
		if h, ok := readHold(ours, l.App); !ok || h.Owner != l.Owner || h.Reason != l.Reason || !h.Deadline.Equal(l.Deadline) || automated(ours) != nil {
			t.Fatalf("placed %+v, reads as %+v with automation %v", l, h, automated(ours))
		}
		if held {
			return // what was remembered before us may be damaged
		}
		p, left, err = releasing(ours, l.Owner, "ann")
		if err != nil || left != "" {
			t.Fatalf("our own hold can't be released: %q, %v", left, err)
		}
		free := patched(t, ours, p)
		if _, held := readHold(free, l.App); held || free.Annotations["else"] != "x" {
			t.Errorf("annotations after the release: %v", free.Annotations)
		}
		if diff := cmp.Diff(automated(a), automated(free)); diff != "" {
			t.Errorf("automated sync (-before +after):\n%s", diff)
		}
	})
}

// patched is the Application as argocd-server makes it of a patch.
func patched(t *testing.T, a *argov1.Application, p patch) *argov1.Application {
	t.Helper()
	before, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := jsonpatch.DecodePatch(text)
	if err != nil {
		t.Fatal(err)
	}
	after, err := decoded.Apply(before)
	if err != nil {
		t.Fatalf("apply %s to %s: %v", text, before, err)
	}
	var out argov1.Application
	if err := json.Unmarshal(after, &out); err != nil {
		t.Fatal(err)
	}
	return &out
}

// FuzzParsePolicy reads what a hold remembers. What is taken is written the
// same; what this client does not know is refused, since it would be lost.
func FuzzParsePolicy(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePolicy(text)
		if err != nil {
			return
		}
		written, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parsePolicy(string(written))
		if err != nil {
			t.Fatalf("%q became %s, which reads as %v", text, written, err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Errorf("%q (-first +again):\n%s", text, diff)
		}
	})
}
