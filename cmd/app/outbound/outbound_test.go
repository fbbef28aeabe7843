package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestForbidden(t *testing.T) {
	allow := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	for _, tt := range []struct {
		addr                       string
		config, repository, opened bool // may be reached from there; with everything allowed
	}{
		{"93.184.216.34", true, true, true},
		{"2606:2800:220:1::1", true, true, true},
		{"10.1.2.3", true, false, true},
		{"172.16.0.1", true, false, true},
		{"192.168.1.1", true, false, true},
		{"100.64.0.1", true, false, true},
		{"127.0.0.1", true, false, true},
		{"127.8.8.8", true, false, true},
		{"::1", true, false, true},
		{"fd12::1", true, false, true},
		{"198.18.0.1", true, false, true},
		{"240.0.0.1", true, false, true},
		{"0.1.2.3", true, false, true},
		{"::ffff:10.0.0.1", true, false, true},
		{"64:ff9b::a00:1", true, false, true},    // NAT64 of 10.0.0.1
		{"64:ff9b::5db8:d822", true, true, true}, // NAT64 of 93.184.216.34
		{"2002:a00:1::1", true, false, true},     // 6to4 of 10.0.0.1
		{"::a00:1", true, false, true},           // compatible with 10.0.0.1

		{"169.254.169.254", false, false, false},
		{"169.254.0.1", false, false, false},
		{"169.254.170.2", false, false, false}, // credentials of AWS tasks
		{"fe80::1", false, false, false},
		{"fe80::1%eth0", false, false, false},
		{"fd00:ec2::254", false, false, false},
		{"fd00:ec2::23", false, false, false}, // pod identities
		{"fd20:ce::254", false, false, false},
		{"100.100.100.200", false, false, false},
		{"168.63.129.16", false, false, false},
		{"192.0.0.192", false, false, false},
		{"0.0.0.0", false, false, false},
		{"::", false, false, false},
		{"224.0.0.1", false, false, false},
		{"ff02::1", false, false, false},
		{"255.255.255.255", false, false, false},
		{"::ffff:169.254.169.254", false, false, false},
		{"64:ff9b::a9fe:a9fe", false, false, false},
		{"64:ff9b:1::a9fe:a9fe", false, false, false},
		{"2002:a9fe:a9fe::1", false, false, false},
		{"::a9fe:a9fe", false, false, false},
	} {
		a := netip.MustParseAddr(tt.addr)
		for what, got := range map[string]struct{ is, want bool }{
			"the configuration":           {FromConfig.Forbidden(a, nil) == "", tt.config},
			"a repository":                {FromRepository.Forbidden(a, nil) == "", tt.repository},
			"a repository, all allowed":   {FromRepository.Forbidden(a, allow) == "", tt.opened},
			"the configuration with more": {FromConfig.Forbidden(a, allow) == "", tt.config},
		} {
			if got.is != got.want {
				t.Errorf("%s reaches %s: %v, want %v", what, tt.addr, got.is, got.want)
			}
		}
	}
	if FromConfig.Forbidden(netip.Addr{}, nil) == "" {
		t.Error("no address at all is one that may be reached")
	}
}

func get(t *testing.T, c *http.Client, addr string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // it is read below.
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func server(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// TestConnections are judged by the address that is connected to, whatever
// name it was asked by.
func TestConnections(t *testing.T) {
	asked := 0
	s := server(t, func(w http.ResponseWriter, _ *http.Request) { asked++; io.WriteString(w, "hello") })
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	for _, tt := range []struct {
		name string
		d    Dialer
		ok   bool
	}{
		{"the configuration", Dialer{Origin: FromConfig}, true},
		{"a repository", Dialer{}, false},
		{"a repository, allowed", Dialer{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, true},
		{"a repository, another range allowed", Dialer{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, false},
	} {
		for _, host := range []string{"http://127.0.0.1", "http://localhost", "http://[::ffff:127.0.0.1]"} {
			before := asked
			body, err := get(t, tt.d.Client(0, 0), host+port)
			switch {
			case tt.ok && host != "http://localhost" && (err != nil || body != "hello"):
				t.Errorf("%s: %s: %q, %v", tt.name, host, body, err)
			case !tt.ok && (!errors.Is(err, ErrForbidden) || asked != before):
				t.Errorf("%s: %s: %q, %v after %d requests, want it refused", tt.name, host, body, err, asked-before)
			}
		}
	}
	if _, err := (Dialer{Origin: FromConfig}).DialContext(t.Context(), "unix", "/nowhere"); !errors.Is(err, ErrForbidden) {
		t.Errorf("a socket of this machine: %v", err)
	}
}

// names is a name server that gives each question the next of its addresses.
func names(t *testing.T, addrs ...[4]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA && len(addrs) > 0 {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: addrs[0]},
				}}
				addrs = addrs[1:]
			}
			if out, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}
}

// TestRebinding: a name that leads elsewhere the second time is judged the
// second time, too.
func TestRebinding(t *testing.T) {
	s := server(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	addr := "http://rebind.example.com" + s.URL[strings.LastIndex(s.URL, ":"):]
	d := Dialer{Origin: FromConfig, Resolver: names(t, [4]byte{127, 0, 0, 1}, [4]byte{169, 254, 169, 254})}
	c := d.Client(0, 0)
	if body, err := get(t, c, addr); err != nil || body != "hello" {
		t.Fatalf("the first time: %q, %v", body, err)
	}
	c.CloseIdleConnections()
	if _, err := get(t, c, addr); !errors.Is(err, ErrForbidden) {
		t.Errorf("the second time: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	other := server(t, func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") })
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/here":
			http.Redirect(w, r, "/there", http.StatusFound)
		case "/there":
			io.WriteString(w, "there")
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/metadata":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		case "/scheme":
			http.Redirect(w, r, "https://"+r.Host+"/there", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		}
	})
	c := Dialer{Origin: FromConfig}.Client(0, 0)
	if body, err := get(t, c, s.URL+"/here"); err != nil || body != "there" {
		t.Errorf("within the host: %q, %v", body, err)
	}
	for path, want := range map[string]string{"/away": "another host", "/metadata": "another host", "/scheme": "another host or scheme", "/loop": "five redirects"} {
		if _, err := get(t, c, s.URL+path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestAnswersAreBounded(t *testing.T) {
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/told" {
			w.Header().Set("Content-Length", "11")
		} else {
			w.(http.Flusher).Flush()
		}
		io.WriteString(w, "12345678901"[:11])
	})
	for limit, want := range map[int64]error{10: ErrTooLong, 11: nil} {
		for _, path := range []string{"/told", "/untold"} {
			body, err := get(t, Dialer{Origin: FromConfig}.Client(0, limit), s.URL+path)
			if !errors.Is(err, want) || want == nil && len(body) != 11 {
				t.Errorf("%s with %d bytes allowed: %q, %v, want %v", path, limit, body, err, want)
			}
		}
	}
}

func TestTimeout(t *testing.T) {
	release := make(chan struct{})
	s := server(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	var ne net.Error
	if _, err := get(t, Dialer{Origin: FromConfig}.Client(50*time.Millisecond, 0), s.URL); !errors.As(err, &ne) || !ne.Timeout() {
		t.Errorf("got %v, want a timeout", err)
	}
}

// TestEnvironmentIsNotAsked: a proxy that stands in the environment by chance
// must not see our credentials.
func TestEnvironmentIsNotAsked(t *testing.T) {
	if (Dialer{}).Transport().Proxy != nil {
		t.Error("a proxy is used that nobody configured")
	}
	var seen string
	proxy := server(t, func(_ http.ResponseWriter, r *http.Request) { seen = r.URL.String() })
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	d := Dialer{Origin: FromConfig, Proxy: http.ProxyURL(at)}
	if _, err := get(t, d.Client(0, 0), "http://prometheus.example/x"); err != nil || seen != "http://prometheus.example/x" {
		t.Errorf("the configured proxy saw %q, %v", seen, err)
	}
}

func TestCheckURL(t *testing.T) {
	for addr, ok := range map[string]bool{
		"https://probe.example.com/healthz?x=1": true, "http://10.0.0.1:8080": true,
		"": false, "probe.example.com": false, "file:///etc/passwd": false, "gopher://x": false, "https://": false,
		"https://user:secret@probe.example.com": false, "https://x#y": false, "http://%": false,
	} {
		err := CheckURL(addr)
		if (err == nil) != ok {
			t.Errorf("CheckURL(%q) = %v", addr, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// TestContextEnds: a dial that is given up ends.
func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Dialer{Origin: FromConfig}).DialContext(ctx, "tcp", "127.0.0.1:1"); err == nil {
		t.Error("a connection after the end")
	}
}
