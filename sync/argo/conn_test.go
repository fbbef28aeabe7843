package argo

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/backout-dev/backout/bot"
)

func TestConfigIsChecked(t *testing.T) {
	si := newStandIn(t)
	for name, edit := range map[string]func(*Config){
		"no cluster":   func(c *Config) { c.Cluster = "" },
		"no server":    func(c *Config) { c.Server = "" },
		"a URL":        func(c *Config) { c.Server = "https://argocd.example" },
		"no host":      func(c *Config) { c.Host = "" },
		"no token":     func(c *Config) { c.Token = nil },
		"no logger":    func(c *Config) { c.Log = nil },
		"no CA file":   func(c *Config) { c.CAFile = filepath.Join(t.TempDir(), "none") },
		"empty CAFile": func(c *Config) { c.CAFile = os.DevNull },
	} {
		c := si.client(t).cfg
		edit(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for server, want := range map[string]string{"argocd": "argocd:443", "argocd:8080": "argocd:8080", "[::1]": "[::1]:443"} {
		c := si.client(t).cfg
		c.Server, c.PlainText = server, false
		if err := c.complete(); err != nil || c.Server != want {
			t.Errorf("server %q is %q, %v; want %q", server, c.Server, err, want)
		}
	}
}

func TestTokenIsReadForEachCall(t *testing.T) {
	si := newStandIn(t)
	si.add("web")
	path := filepath.Join(t.TempDir(), "token")
	s := si.client(t, func(c *Config) { c.Token = TokenFile(path) })
	read := func() error { _, err := s.App(t.Context(), appID("web")); return err }
	write := func(token string) {
		if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := read(); !bot.IsTrouble(err, bot.TroubleForbidden) || bot.AsTrouble(err).Advice == "" {
		t.Errorf("no token file: %v, want forbidden and advice", err)
	}
	write("\n")
	if err := read(); !bot.IsTrouble(err, bot.TroubleForbidden) {
		t.Errorf("an empty token: %v, want forbidden", err)
	}
	write("wrong")
	if err := read(); !bot.IsTrouble(err, bot.TroubleForbidden) || strings.Contains(bot.AsTrouble(err).Text, "wrong") {
		t.Errorf("a wrong token: %v, want forbidden and the token not told", err)
	}
	write(token + "\n")
	if err := read(); err != nil {
		t.Errorf("the right token: %v", err)
	}
}

func TestRefusalsNameWhatIsNeeded(t *testing.T) {
	for _, c := range []struct {
		denied string
		act    func(*Server, context.Context) error
		kind   bot.TroubleKind
		advice string
	}{
		{"get", func(s *Server, ctx context.Context) error { _, err := s.App(ctx, appID("web")); return err }, bot.TroubleNotFound, "applications, get, <project>/web"},
		{"update", func(s *Server, ctx context.Context) error { _, err := s.Hold(ctx, leaseOn("web")); return err }, bot.TroubleForbidden, "applications, update, default/web"},
		{"sync", func(s *Server, ctx context.Context) error { return s.Sync(ctx, appID("web"), "t") }, bot.TroubleForbidden, "applications, sync, default/web"},
	} {
		si := newStandIn(t)
		si.add("web")
		si.push(sha2)
		si.set(func(s *standIn) { s.denied = []string{c.denied} })
		err := c.act(si.client(t), t.Context())
		if tr := bot.AsTrouble(err); !bot.IsTrouble(err, c.kind) || !strings.Contains(tr.Advice, c.advice) {
			t.Errorf("without %s: %v (%s), want %s and %q", c.denied, err, tr.Advice, c.kind, c.advice)
		}
	}
}

func TestHoldWithoutTheRightToStop(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{}))
	si.set(func(s *standIn) { s.hangs = true })
	si.push(sha2)
	s := si.client(t)
	if _, err := s.refresh(t.Context(), appID("web")); err != nil {
		t.Fatal(err)
	}
	si.set(func(s *standIn) { s.denied = []string{"sync"} })
	h, err := s.Hold(t.Context(), leaseOn("web"))
	if !h.Placed || !bot.IsTrouble(err, bot.TroubleForbidden) || !strings.Contains(bot.AsTrouble(err).Advice, "sync") {
		t.Errorf("Hold = %+v, %v; want it told as placed and forbidden to stop the sync", h, err)
	}
}

// argocd-server says "permission denied" of three different things.
func TestBareDenial(t *testing.T) {
	si := newStandIn(t)
	si.add("web")
	s := si.client(t)
	if _, err := s.App(t.Context(), appID("nobody")); !bot.IsTrouble(err, bot.TroubleNotFound) || !strings.Contains(err.Error(), "not there, or our account may not see it") {
		t.Errorf("an application that is not there: %v, want not found, with both reasons", err)
	}
	si.set(func(s *standIn) { s.lost = true })
	if _, err := s.App(t.Context(), appID("web")); !bot.IsTrouble(err, bot.TroubleTransient) {
		t.Errorf("a cluster that can't be read: %v, want transient", err)
	}
}

func TestServerRestart(t *testing.T) {
	si := newStandIn(t)
	si.add("web")
	s := si.client(t)
	if _, err := s.App(t.Context(), appID("web")); err != nil {
		t.Fatal(err)
	}
	si.grpc.Stop()
	if _, err := s.App(t.Context(), appID("web")); !bot.IsTrouble(err, bot.TroubleTransient) {
		t.Errorf("App without a server: %v, want transient", err)
	}
	l, err := net.Listen("tcp", si.addr)
	if err != nil {
		t.Fatal(err)
	}
	si.serve(t, l)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err = s.App(t.Context(), appID("web")); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("App after the server's return: %v", err)
		}
	}
}

func TestCallsEnd(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, web := range []bool{false, true} {
		s := newStandIn(t).client(t, func(c *Config) {
			c.Server, c.GRPCWeb, c.Timeout = silent.Addr().String(), web, 100*time.Millisecond
		})
		if _, err := s.Apps(t.Context()); !bot.IsTrouble(err, bot.TroubleTransient) {
			t.Errorf("web %v: a server that says nothing: %v, want transient", web, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Apps(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("web %v: a caller that has left: %v, want context.Canceled", web, err)
		}
	}
}

func TestTLS(t *testing.T) {
	web := quietTLS(nil) // for its certificate
	defer web.Close()
	ca := writeCA(t, web.Certificate().Raw)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	si := newStandIn(t)
	si.add("web")
	si.serve(t, l, grpc.Creds(credentials.NewServerTLSFromCert(&web.TLS.Certificates[0])))
	secure := func(edit func(*Config)) *Server {
		return si.client(t, func(c *Config) { c.Server, c.PlainText = l.Addr().String(), false; edit(c) })
	}
	if _, err := secure(func(c *Config) { c.CAFile = ca }).Apps(t.Context()); err != nil {
		t.Errorf("with the CA file: %v", err)
	}
	if _, err := secure(func(c *Config) { c.Insecure = true }).Apps(t.Context()); err != nil {
		t.Errorf("accepting any certificate: %v", err)
	}
	_, err = secure(func(*Config) {}).Apps(t.Context())
	if !bot.IsTrouble(err, bot.TroubleTransient) || !strings.Contains(bot.AsTrouble(err).Advice, "CA file") {
		t.Errorf("an unknown certificate: %v (%s), want the CA file named", err, bot.AsTrouble(err).Advice)
	}
}

// quietTLS does not log the handshakes that are meant to fail.
func quietTLS(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	return s
}

func writeCA(t *testing.T, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
