package verify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// maxAnswer is the longest answer that is read, in bytes. A check that returns
// more is not a check.
const maxAnswer = 16 << 20

// client makes the HTTP client of an endpoint and its parsed address.
func (e Endpoint) client(name string, dial *http.Transport) (*http.Client, *url.URL, error) {
	base, err := url.Parse(e.URL)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https":
		return nil, nil, errors.New("the address is not a URL: write http://host:port or https://host/path")
	case base.User != nil:
		return nil, nil, errors.New("the address holds a user name: use username and password_file, so that no log shows the password")
	case base.RawQuery != "" || base.Fragment != "":
		return nil, nil, errors.New("the address has a part after ? or #: leave it out")
	case e.BearerFile != "" && e.Username != "":
		return nil, nil, errors.New("both a bearer token and a user name are given: keep one")
	case (e.Username == "") != (e.PasswordFile == ""):
		return nil, nil, errors.New("a user name and a password file need each other: give both or none")
	}
	for _, file := range []string{e.BearerFile, e.PasswordFile} {
		if file == "" {
			continue
		}
		if _, err := secret(file); err != nil {
			return nil, nil, err
		}
	}
	transport := &http.Transport{ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 5 * time.Second}
	if dial != nil {
		transport = dial.Clone()
	}
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if e.CAFile != "" {
		pem, err := os.ReadFile(e.CAFile)
		if err != nil {
			return nil, nil, fmt.Errorf("read the CA file: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, nil, fmt.Errorf("the CA file %s holds no certificate in PEM form", e.CAFile)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	return &http.Client{
		Transport:     &guarded{name: name, endpoint: e, next: transport},
		CheckRedirect: sameHost,
	}, base, nil
}

// sameHost refuses redirects to another host or scheme: guarded sends the
// credentials with every request that it is given.
func sameHost(req *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return errors.New("more than five redirects")
	}
	if first := via[0].URL; req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
		return errRedirect
	}
	return nil
}

// What can go wrong with a request before its answer is read.
var (
	errRedirect = errors.New("redirect to another host refused")
	errSecret   = errors.New("read the secret file")
	errTooLong  = errors.New("answer is longer than 16 MiB")
)

// refusedError is an answer that says who we are not allowed to be.
type refusedError struct {
	name   string
	status int
}

func (e *refusedError) Error() string { return fmt.Sprintf("%s answered %d", e.name, e.status) }

// guarded adds credentials to requests and takes care of answers that the
// libraries above would read without end, or without understanding.
type guarded struct {
	name     string
	endpoint Endpoint
	next     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (g *guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context()) // a RoundTripper must not change its request
	for name, value := range g.endpoint.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("User-Agent", "backout")
	switch {
	case g.endpoint.BearerFile != "":
		token, err := secret(g.endpoint.BearerFile)
		if err != nil {
			return nil, closing(req, err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	case g.endpoint.Username != "":
		password, err := secret(g.endpoint.PasswordFile)
		if err != nil {
			return nil, closing(req, err)
		}
		req.SetBasicAuth(g.endpoint.Username, password)
	}
	resp, err := g.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		_ = resp.Body.Close() // the answer is its status
		return nil, &refusedError{g.name, resp.StatusCode}
	}
	resp.Body = &limited{body: resp.Body, left: maxAnswer}
	return resp, nil
}

// closing closes the body of a request that is not sent, as a RoundTripper
// must, and returns err.
func closing(req *http.Request, err error) error {
	if req.Body != nil {
		_ = req.Body.Close() // nothing was written to it
	}
	return err
}

// limited is a body that ends in an error when it is too long. To cut it
// silently could make another answer of it.
type limited struct {
	body io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.body.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

// Close implements io.Closer.
func (l *limited) Close() error { return l.body.Close() }

// secret reads a file that holds one secret.
func secret(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errSecret, err)
	}
	s := strings.TrimSpace(string(data))
	if s == "" || strings.ContainsAny(s, "\r\n") {
		return "", fmt.Errorf("%w: %s must hold one line", errSecret, file)
	}
	return s, nil
}
