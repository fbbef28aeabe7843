package bed

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// object decodes one object.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	b, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	kinded := bytes.Replace(b, []byte("{"), []byte(`{"apiVersion":"v1","kind":"X",`), 1)
	if err := o.UnmarshalJSON(kinded); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestDue(t *testing.T) {
	later, past := time.Now().Add(time.Hour), time.Now().Add(-time.Second)
	const done = `
metadata: {generation: 3, annotations: {reconcile.fluxcd.io/requestedAt: noon}}
status: {observedGeneration: 3, lastHandledReconcileAt: noon, conditions: [{type: Ready, status: "True"}]}
`
	for _, c := range []struct {
		name, object string
		next         time.Time
		want         bool
	}{
		{"new", `{metadata: {generation: 1}}`, time.Time{}, true},
		{"done, interval not over", done, later, false},
		{"done, interval over", done, past, true},
		{"suspended", "spec: {suspend: true}" + done, past, false},
		{"changed", strings.Replace(done, "{generation: 3", "{generation: 4", 1), later, true},
		{"asked for", strings.Replace(done, "requestedAt: noon", "requestedAt: one", 1), later, true},
		{"failing, retry not yet due", `
metadata: {generation: 3}
status: {conditions: [{type: Ready, status: "False"}]}`, later, false},
		{"failing, retry due", `
metadata: {generation: 3}
status: {conditions: [{type: Ready, status: "False"}]}`, past, true},
	} {
		if got := due(object(t, c.object), c.next); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// repository makes a repository with one commit and returns its path and head.
func repository(t *testing.T) (path, head string) {
	t.Helper()
	dir := t.TempDir()
	run := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.test", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.test")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("init", "--quiet", "--initial-branch=main")
	if err := os.WriteFile(filepath.Join(dir, "app.yaml"), []byte("kind: App\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run("add", "app.yaml")
	run("commit", "--quiet", "--message=first")
	return dir, run("rev-parse", "HEAD")
}

// source is one without a cluster.
func source(t *testing.T) *Source {
	t.Helper()
	s := &Source{dir: t.TempDir(), git: git{env: []string{"PATH=" + os.Getenv("PATH")}, tmp: t.TempDir()}}
	s.log = quiet()
	server := httptest.NewServer(http.FileServer(http.Dir(s.dir)))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

func TestPublishServesTheHeadOfTheBranch(t *testing.T) {
	url, head := repository(t)
	s := source(t)
	r := object(t, fmt.Sprintf(`
metadata: {name: fleet, namespace: flux-system, generation: 2, annotations: {reconcile.fluxcd.io/requestedAt: noon}}
spec: {url: %q, ref: {branch: main}}`, "file://"+url))
	status, err := s.publish(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	artifact := status["artifact"].(map[string]any)
	if got, want := artifact["revision"], "main@sha1:"+head; got != want {
		t.Errorf("revision %v, want %v", got, want)
	}
	pack := fetch(t, artifact["url"].(string))
	if got, want := artifact["digest"], fmt.Sprintf("sha256:%x", sha256.Sum256(pack)); got != want {
		t.Errorf("digest %v, want %v", got, want)
	}
	if diff := cmp.Diff(map[string]string{"app.yaml": "kind: App\n"}, unpack(t, pack)); diff != "" {
		t.Errorf("packed files (-want +got):\n%s", diff)
	}
	if status["observedGeneration"] != int64(2) || status["lastHandledReconcileAt"] != "noon" {
		t.Errorf("status %v", status)
	}
	ready := status["conditions"].([]metav1.Condition)[0]
	if ready.Status != metav1.ConditionTrue || ready.LastTransitionTime.IsZero() || ready.ObservedGeneration != 2 {
		t.Errorf("ready %+v", ready)
	}

	// Nothing new: the artifact stays what and where it is.
	if err := unstructured.SetNestedField(r.Object, artifact["revision"], "status", "artifact", "revision"); err != nil {
		t.Fatal(err)
	}
	again, err := s.publish(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := again["artifact"]; ok {
		t.Errorf("the same head was published twice: %v", again)
	}
}

func TestPublishSaysWhatItCannotDo(t *testing.T) {
	url, _ := repository(t)
	s := source(t)
	for ref, want := range map[string]string{
		`{tag: v1}`:               "spec.ref.branch only",
		`{branch: main, name: x}`: "spec.ref.branch only",
		`{}`:                      "spec.ref.branch only",
		`{branch: gone}`:          `no branch "gone"`,
	} {
		r := object(t, fmt.Sprintf("{metadata: {name: fleet}, spec: {url: %q, ref: %s}}", "file://"+url, ref))
		if _, err := s.publish(t.Context(), r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ref %s: got %v, want %s", ref, err, want)
		}
	}
	r := object(t, `{metadata: {name: fleet}, spec: {url: "file:///nowhere", ref: {branch: main}}}`)
	if _, err := s.publish(t.Context(), r); err == nil || !strings.Contains(err.Error(), "git ls-remote") {
		t.Errorf("no repository: got %v", err)
	}
}

func TestConditionKeepsItsTimeUntilItChanges(t *testing.T) {
	r := object(t, `
metadata: {generation: 2}
status: {conditions: [{type: Ready, status: "True", lastTransitionTime: "2026-01-02T03:04:05Z"}]}`)
	same := conditions(r, metav1.ConditionTrue, "Succeeded", "again")[0]
	if got := same.LastTransitionTime.UTC().Format(time.RFC3339); got != "2026-01-02T03:04:05Z" {
		t.Errorf("an unchanged condition has the time %s", got)
	}
	changed := conditions(r, metav1.ConditionFalse, "GitOperationFailed", "gone")[0]
	if time.Since(changed.LastTransitionTime.Time) > time.Minute {
		t.Errorf("a changed condition has the time %s", changed.LastTransitionTime)
	}
}

func fetch(t *testing.T, url string) []byte {
	t.Helper()
	b, err := request(t.Context(), http.DefaultClient, http.MethodGet, url, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unpack(t *testing.T, pack []byte) map[string]string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(pack))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			files[h.Name] = string(b)
		}
	}
}
