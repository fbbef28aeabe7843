package flux

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
)

// TestHoldOnTheWire looks at the request that a real client sends: client-go's
// fakes know nothing of field managers.
func TestHoldOnTheWire(t *testing.T) {
	object := parse(t, web)
	object.SetUID("uid-web")
	object.SetResourceVersion("41")
	var manager, contentType string
	var body map[string]any
	mux := http.NewServeMux()
	mux.HandleFunc("GET /apis/kustomize.toolkit.fluxcd.io/v1", func(w http.ResponseWriter, _ *http.Request) {
		answer(t, w, map[string]any{
			"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "kustomize.toolkit.fluxcd.io/v1",
			"resources": []any{map[string]any{"name": "kustomizations", "namespaced": true, "kind": "Kustomization"}},
		})
	})
	path := "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/web"
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { answer(t, w, object.Object) })
	mux.HandleFunc("PATCH "+path, func(w http.ResponseWriter, r *http.Request) {
		manager, contentType = r.URL.Query().Get("fieldManager"), r.Header.Get("Content-Type")
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		setSuspend(true)(object)
		answer(t, w, object.Object)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	flux, err := New(Config{Cluster: "prod", Host: "github.com", REST: &rest.Config{Host: server.URL}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if held, err := flux.Hold(t.Context(), lease()); err != nil || !held.Placed {
		t.Fatalf("%+v, %v", held, err)
	}
	if manager != "backout" || contentType != "application/merge-patch+json" {
		t.Errorf("patched by %q as %s", manager, contentType)
	}
	want := map[string]any{
		"metadata": map[string]any{
			"uid": "uid-web", "resourceVersion": "41",
			"annotations": map[string]any{
				"backout.dev/hold-owner": "rb-1", "backout.dev/hold-reason": "reverting 2222",
				"backout.dev/hold-previous": "{}", "backout.dev/hold-deadline": "2026-03-04T12:30:00Z",
			},
		},
		"spec": map[string]any{"suspend": true},
	}
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("patch (-want +got):\n%s", diff)
	}
}

func answer(t *testing.T, w http.ResponseWriter, object map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(object); err != nil {
		t.Error(err)
	}
}
