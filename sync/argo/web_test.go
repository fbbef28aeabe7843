package argo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	argov1 "github.com/argoproj/argo-cd/v2/pkg/apis/application/v1alpha1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/backout-dev/backout/bot"
)

// webProxy does for gRPC-web what argocd-server does: it hands the message of
// one POST to a gRPC server.
func webProxy(t *testing.T, si *standIn) http.Handler {
	conn, err := grpc.NewClient(si.addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, in, err := readFrame(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/grpc-web+proto" {
			http.Error(w, "no gRPC-web", http.StatusUnsupportedMediaType)
			return
		}
		var out []byte
		ctx := metadata.AppendToOutgoingContext(r.Context(), "token", r.Header.Get("token"))
		err = conn.Invoke(ctx, r.URL.Path, &in, &out)
		w.Header().Set("Content-Type", "application/grpc-web+proto")
		if err == nil {
			writeFrame(w, 0, out)
		}
		st := status.Convert(err)
		writeFrame(w, frameTrailer, fmt.Appendf(nil, "grpc-status: %d\r\ngrpc-message: %s\r\n", st.Code(), st.Message()))
	})
}

func writeFrame(w io.Writer, flag byte, body []byte) {
	h := [frameHeader]byte{flag}
	binary.BigEndian.PutUint32(h[1:], uint32(len(body)))
	_, _ = w.Write(append(h[:], body...))
}

// raw passes messages through unread.
type raw struct{}

func (raw) Name() string { return "proto" }
func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}
func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

func TestGRPCWeb(t *testing.T) {
	si := newStandIn(t)
	si.add("web", auto(argov1.SyncPolicyAutomated{Prune: true}))
	proxy := quietTLS(http.StripPrefix("/argo-cd", webProxy(t, si)))
	defer proxy.Close()
	ca := writeCA(t, proxy.Certificate().Raw)
	web := func(edit func(*Config)) *Server {
		return si.client(t, func(c *Config) {
			c.Server, c.PlainText, c.GRPCWeb, c.RootPath, c.CAFile = strings.TrimPrefix(proxy.URL, "https://"), false, true, "/argo-cd/", ca
			edit(c)
		})
	}
	s := web(func(*Config) {})
	byWeb, err := s.App(t.Context(), appID("web"))
	if err != nil {
		t.Fatal(err)
	}
	byGRPC, err := si.client(t).App(t.Context(), appID("web"))
	if d := cmp.Diff(byGRPC, byWeb); err != nil || d != "" {
		t.Errorf("App by gRPC and by gRPC-web: %v\n%s", err, d)
	}
	mustHold(t, s, leaseOn("web"))
	mustRelease(t, s, leaseOn("web"))
	if _, err := s.App(t.Context(), appID("nobody")); !bot.IsTrouble(err, bot.TroubleNotFound) {
		t.Errorf("an application that is not there: %v, want not found", err)
	}
	if _, err := web(func(c *Config) { c.CAFile = "" }).Apps(t.Context()); !bot.IsTrouble(err, bot.TroubleTransient) || !strings.Contains(bot.AsTrouble(err).Advice, "CA file") {
		t.Errorf("an unknown certificate: %v (%s), want the CA file named", err, bot.AsTrouble(err).Advice)
	}
	if _, err := web(func(c *Config) { c.CAFile, c.Insecure = "", true }).Apps(t.Context()); err != nil {
		t.Errorf("an unknown certificate that is to be accepted: %v", err)
	}
	if _, err := web(func(c *Config) { c.RootPath = "wrong" }).Apps(t.Context()); !bot.IsTrouble(err, bot.TroubleTransient) {
		t.Errorf("a wrong root path: %v, want transient", err)
	}
}

func TestGRPCWebAnswers(t *testing.T) {
	message := marshal(t, &argov1.ApplicationList{})
	frame := func(flag byte, body string) string {
		var b bytes.Buffer
		writeFrame(&b, flag, []byte(body))
		return b.String()
	}
	for _, c := range []struct {
		name   string
		status int
		header http.Header
		body   string
		kind   bot.TroubleKind // "" when it is fine
	}{
		{"message and trailers", 200, nil, frame(0, message) + frame(frameTrailer, "grpc-status:0\r\n"), ""},
		{"message only", 200, nil, frame(0, message), ""},
		{"error in the trailers", 200, nil, frame(frameTrailer, "grpc-status:7\r\ngrpc-message:permission%20denied\r\n"), bot.TroubleForbidden},
		{"error after a message", 200, nil, frame(0, message) + frame(frameTrailer, "grpc-status:16\r\n"), bot.TroubleForbidden},
		{"error in the headers", 200, http.Header{"Grpc-Status": {"16"}}, "", bot.TroubleForbidden},
		{"nothing", 200, nil, "", bot.TroubleTransient},
		{"cut off", 200, nil, frame(0, message+"more")[:frameHeader+1], bot.TroubleTransient},
		{"a length beyond reason", 200, nil, "\x00\xff\xff\xff\xff", bot.TroubleTransient},
		{"a login page", 200, http.Header{"Content-Type": {"text/html"}}, "<html>", bot.TroubleTransient},
		{"a gateway that fails", 502, nil, "", bot.TroubleTransient},
		{"a gateway that refuses", 403, nil, "", bot.TroubleForbidden},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/grpc-web+proto")
			maps.Copy(w.Header(), c.header)
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		s := newStandIn(t).client(t, func(cfg *Config) {
			cfg.Server, cfg.GRPCWeb = strings.TrimPrefix(server.URL, "http://"), true
		})
		_, err := s.Apps(t.Context())
		if (err == nil) != (c.kind == "") || err != nil && !bot.IsTrouble(err, c.kind) {
			t.Errorf("%s: %v, want %q", c.name, err, c.kind)
		}
		server.Close()
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	b, err := encoding.GetCodecV2("proto").Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b.Materialize())
}

func FuzzReadReply(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x01a\x80\x00\x00\x00\x0egrpc-status:0\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = readReply(&http.Response{
			StatusCode: 200, Header: http.Header{"Content-Type": {"application/grpc-web"}}, Body: io.NopCloser(bytes.NewReader(body)),
		})
	})
}
