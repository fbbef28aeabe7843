package flux

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func managed(name, subresource, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: name, Subresource: subresource, FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{Raw: []byte(fields)}}
}

func TestOthersOnSuspend(t *testing.T) {
	got := othersOn([]metav1.ManagedFieldsEntry{
		managed("backout", "", `{"f:metadata":{"f:annotations":{}},"f:spec":{"f:suspend":{}}}`),
		managed("kustomize-controller", "", `{"f:spec":{".":{},"f:interval":{},"f:path":{}}}`),
		managed("kustomize-controller", "status", `{"f:spec":{"f:suspend":{}}}`),
		managed("flux", "", `{"f:spec":{"f:suspend":{}}}`),
		managed("broken", "", `{"f:spec":`),
		managed("odd", "", `{"f:spec":[]}`),
		{Manager: "empty"},
	})
	if diff := cmp.Diff([]manager{{name: "flux"}}, got, cmp.AllowUnexported(manager{})); diff != "" {
		t.Errorf("others (-want +got):\n%s", diff)
	}
}

func FuzzOthersOnSuspend(f *testing.F) {
	f.Add([]byte(`{"f:spec":{"f:suspend":{}}}`))
	f.Add([]byte(`{"f:spec":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e := managed("m", "", "")
		e.FieldsV1.Raw = raw
		if n := len(othersOn([]metav1.ManagedFieldsEntry{e})); n > 1 {
			t.Errorf("one entry gave %d managers", n)
		}
	})
}

func TestGripReadsSuspend(t *testing.T) {
	for value, want := range map[any][2]bool{nil: {false, false}, false: {false, true}, true: {true, true}} {
		u := parse(t, web)
		setSuspend(value)(u)
		if g := gripOf(u); g.suspended != want[0] || g.present != want[1] {
			t.Errorf("suspend %v: suspended %v, present %v", value, g.suspended, g.present)
		}
	}
}

func TestDisownLeavesOurOtherFields(t *testing.T) {
	u := parse(t, web)
	theirs := managed("flux", "", `{"f:spec":{"f:suspend":{}}}`)
	u.SetManagedFields([]metav1.ManagedFieldsEntry{
		managed("backout", "", `{"f:metadata":{"f:annotations":{"f:backout.dev/hold-owner":{}}},"f:spec":{"f:suspend":{}}}`), theirs,
	})
	patch := map[string]any{"metadata": map[string]any{}}
	disown(u, patch)
	want := map[string]any{"metadata": map[string]any{"managedFields": []metav1.ManagedFieldsEntry{
		managed("backout", "", `{"f:metadata":{"f:annotations":{"f:backout.dev/hold-owner":{}}},"f:spec":{}}`), theirs,
	}}}
	if diff := cmp.Diff(want, patch); diff != "" {
		t.Errorf("patch (-want +got):\n%s", diff)
	}
	setting := map[string]any{"metadata": map[string]any{}, "spec": map[string]any{"suspend": nil}}
	disown(u, setting)
	if diff := cmp.Diff(map[string]any{}, setting["metadata"]); diff != "" {
		t.Errorf("a patch that sets spec.suspend needs none (-want +got):\n%s", diff)
	}
}
