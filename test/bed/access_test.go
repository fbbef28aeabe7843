package bed

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"
)

func parse(t *testing.T, certPEM []byte) *x509.Certificate {
	t.Helper()
	b, _ := pem.Decode(certPEM)
	c, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// bedIn is a bed of which only the folder and the authority are there.
func bedIn(t *testing.T) *Bed {
	t.Helper()
	ca, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	b := &Bed{dir: t.TempDir(), ca: ca, server: "https://127.0.0.1:1"}
	for _, d := range []string{"config", "logs"} {
		if err := os.Mkdir(b.path(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestKubeconfigForAUser(t *testing.T) {
	b := bedIn(t)
	path, err := b.KubeconfigFor("system:serviceaccount:shop:bot", "deployers")
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(path) != b.path("config") || strings.Contains(filepath.Base(path), ":") {
		t.Errorf("path %s", path)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != b.server || config.Insecure {
		t.Errorf("host %s, insecure %v", config.Host, config.Insecure)
	}
	user := parse(t, config.CertData)
	if user.Subject.CommonName != "system:serviceaccount:shop:bot" || !cmp.Equal(user.Subject.Organization, []string{"deployers"}) {
		t.Errorf("subject %s", user.Subject)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(config.CAData)
	for usage, ok := range map[x509.ExtKeyUsage]bool{x509.ExtKeyUsageClientAuth: true, x509.ExtKeyUsageServerAuth: false} {
		if _, err := user.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{usage}}); (err == nil) != ok {
			t.Errorf("usage %v: got %v", usage, err)
		}
	}
}

func TestServersAreKnownByTheirAddress(t *testing.T) {
	ca, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	p, err := ca.forServers()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.pem)
	for name, ok := range map[string]bool{"127.0.0.1": true, "localhost": true, "192.0.2.1": false} {
		if _, err := parse(t, p.cert).Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); (err == nil) != ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWritesAreOneUsersInOrder(t *testing.T) {
	b := bedIn(t)
	log := `{"level":"Metadata","verb":"get","user":{"username":"backout"},"objectRef":{"resource":"pods"},"responseStatus":{"code":200}}
{"level":"Request","verb":"patch","user":{"username":"backout"},"objectRef":{"resource":"kustomizations","namespace":"flux-system","name":"web"},"responseStatus":{"code":403},"requestObject":{"spec":{"suspend":true}}}
{"level":"Request","verb":"delete","user":{"username":"other"},"objectRef":{"resource":"pods"},"responseStatus":{"code":200}}
{"level":"Request","verb":"create","user":{"username":"backout"},"objectRef":{"resource":"pods","namespace":"shop","name":"x","subresource":"eviction"},"responseStatus":{"code":201}}
{"level":"Request","verb":"del`
	if err := os.WriteFile(b.AuditLog(), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := b.Writes("backout")
	if err != nil {
		t.Fatal(err)
	}
	want := []Write{
		{
			User: "backout", Verb: "patch", Resource: "kustomizations", Namespace: "flux-system", Name: "web", Code: 403,
			Body: json.RawMessage(`{"spec":{"suspend":true}}`),
		},
		{User: "backout", Verb: "create", Resource: "pods", Subresource: "eviction", Namespace: "shop", Name: "x", Code: 201},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

func TestDocuments(t *testing.T) {
	objects, err := documents("# nothing\n---\nkind: A\nmetadata: {name: a}\n---\n---\nkind: B\nspec: {n: 1, text: |\n  --- not a document\n}\n")
	if err == nil {
		t.Fatalf("broken YAML was decoded: %v", objects)
	}
	objects, err = documents("# nothing\n---\nkind: A\n---\n---\nkind: B\nspec: {n: 1}\n")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, o := range objects {
		kinds = append(kinds, o.GetKind())
	}
	if !cmp.Equal(kinds, []string{"A", "B"}) {
		t.Errorf("kinds %v", kinds)
	}
}
