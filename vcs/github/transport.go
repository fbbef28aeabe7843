package github

import (
	"errors"
	"io"
	"net/http"
)

// authorised signs requests with the repository's installation token. A token
// that GitHub no longer takes (401) is forgotten and the request sent once
// more with a new one: a 401 comes before any effect, so that is safe for
// writes too.
type authorised struct {
	repo *repository
	as   scope // "" goes by the request, which is then REST
}

// RoundTrip implements http.RoundTripper.
func (a *authorised) RoundTrip(req *http.Request) (*http.Response, error) {
	body := req.Body
	for again := false; ; again = true {
		resp, used, err := a.send(req, body)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || again {
			return resp, err
		}
		if req.Body != nil && req.Body != http.NoBody {
			if req.GetBody == nil {
				return resp, nil
			}
			if body, err = req.GetBody(); err != nil {
				return resp, nil //nolint:nilerr // the 401 says more.
			}
		}
		discard(resp)
		a.repo.forget(used)
	}
}

func (a *authorised) send(req *http.Request, body io.ReadCloser) (*http.Response, token, error) {
	c := a.repo.client
	refuse := func(err error) (*http.Response, token, error) {
		if body != nil {
			body.Close() //nolint:errcheck // it was never read.
		}
		return nil, token{}, err
	}
	if req.URL.Host != c.restURL.Host {
		return refuse(errOtherHost)
	}
	sc := a.as
	if sc == "" {
		sc = restScope(req, c.restURL.Path)
	}
	tok, err := a.repo.token(req.Context(), sc)
	if err != nil {
		return refuse(err)
	}
	if err := c.limits.check(tok.installation, req, c.now()); err != nil {
		return refuse(err)
	}
	signed := req.Clone(req.Context())
	signed.Body = body
	signed.Header.Set("Authorization", "Bearer "+tok.secret)
	resp, err := readAgain{c.base}.RoundTrip(signed)
	if err == nil {
		c.limits.note(tok.installation, req, resp, c.now())
	}
	return resp, tok, err
}

// asApp carries what the App asks for itself, signed by ghinstallation, and
// keeps to the limits of that.
type asApp struct{ client *Client }

// RoundTrip implements http.RoundTripper.
func (a asApp) RoundTrip(req *http.Request) (*http.Response, error) {
	c := a.client
	if err := c.limits.check(0, req, c.now()); err != nil {
		if req.Body != nil {
			req.Body.Close() //nolint:errcheck // it was never read.
		}
		return nil, err
	}
	resp, err := readAgain{c.base}.RoundTrip(req)
	if err == nil {
		c.limits.note(0, req, resp, c.now())
	}
	return resp, err
}

// readAgain repeats a read once when the connection broke. Writes are never
// repeated here: whether they took effect is for the world to say.
type readAgain struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t readAgain) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err != nil && req.Method == http.MethodGet && req.Context().Err() == nil {
		resp, err = t.base.RoundTrip(req)
	}
	if err == nil {
		resp.Body = &bounded{resp.Body, maxRead}
	}
	return resp, err
}

// maxRead is the longest answer that is read, in bytes: more than twice the
// largest that GitHub documents, a delivery with a payload of 25 MB.
const maxRead = 64 << 20

// bounded is a body that ends in an error when it is too long: cut silently, it
// could be taken for a shorter one.
type bounded struct {
	io.ReadCloser

	left int64
}

// Read implements io.Reader.
func (l *bounded) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

var errTooLong = errors.New("github: the answer is longer than 64 MiB")

var errOtherHost = errors.New("github: refused to send a token to another host")

// stayOnHost keeps tokens from following a redirect elsewhere. GitHub
// redirects within its API when a repository or a branch was renamed.
func stayOnHost(req *http.Request, via []*http.Request) error {
	if len(via) > 5 {
		return errors.New("github: too many redirects")
	}
	if first := via[0].URL; req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
		return errOtherHost
	}
	return nil
}

// discard lets the connection be used again.
func discard(resp *http.Response) {
	io.CopyN(io.Discard, resp.Body, 64<<10) //nolint:errcheck // best effort.
	resp.Body.Close()                       //nolint:errcheck // likewise.
}
