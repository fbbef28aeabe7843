package outbound

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// MaxAnswer is the longest answer that a Client reads, in bytes.
const MaxAnswer = 1 << 20

// ErrTooLong ends the reading of an answer that is longer than that. To cut it
// silently could make another answer of it.
var ErrTooLong = errors.New("answer is longer than allowed")

// Client is an HTTP client that reads at most limit bytes of an answer (0:
// MaxAnswer), follows redirects within one host only, and gives up after
// timeout (0: 10 seconds).
func (d Dialer) Client(timeout time.Duration, limit int64) *http.Client {
	if timeout <= 0 {
		timeout = 10 * time.Second
	}
	if limit <= 0 {
		limit = MaxAnswer
	}
	return &http.Client{Transport: bounded{d.Transport(), limit}, Timeout: timeout, CheckRedirect: SameHost}
}

// SameHost refuses redirects to another host or scheme: credentials would go
// there, and nobody configured it.
func SameHost(req *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return errors.New("more than five redirects")
	}
	if first := via[0].URL; req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
		return errors.New("redirect to another host or scheme refused")
	}
	return nil
}

// CheckURL refuses addresses that are not plain HTTP ones, before anything is
// sent.
func CheckURL(addr string) error {
	u, err := url.Parse(addr)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%q is not an address like https://probe.example.com/healthz", addr)
	case u.User != nil:
		return errors.New("the address holds a user name or a password: name a file with a token instead")
	case u.Fragment != "":
		return fmt.Errorf("%q has a part after #: leave it out", addr)
	}
	return nil
}

// bounded limits what is read of an answer.
type bounded struct {
	next  *http.Transport
	limit int64
}

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.ContentLength > b.limit {
		return nil, errors.Join(ErrTooLong, resp.Body.Close())
	}
	resp.Body = &limited{resp.Body, b.limit}
	return resp, nil
}

// CloseIdleConnections lets http.Client do so.
func (b bounded) CloseIdleConnections() { b.next.CloseIdleConnections() }

type limited struct {
	io.ReadCloser

	left int64
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, ErrTooLong
	}
	return n, err
}
