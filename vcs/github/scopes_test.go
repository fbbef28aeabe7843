package github

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestRestScope(t *testing.T) {
	for request, want := range map[string]scope{
		"GET repos/o/r/collaborators/ann/permission": scopeRead,
		"GET repos/o/r/issues/1/comments":            scopeRead,
		"GET repos/o/r/commits/abc/check-runs":       scopeRead,
		"GET repos/o/r/branches/rules":               scopeRead,
		"GET repositories/7/pulls/1":                 scopeRead,
		"GET orgs/o/teams/rules/memberships/ann":     scopeRead,
		// What GitHub shows by what the asker may do.
		"GET repos/o/r":                     scopeChange,
		"GET repositories/7":                scopeChange,
		"GET repos/o/r/rules/branches/main": scopeChange,
		"GET repos/o/r/rulesets/1":          scopeChange,

		"POST repos/o/r/issues/1/comments":            scopeTell,
		"PATCH repos/o/r/issues/comments/1":           scopeTell,
		"POST repos/o/r/issues/comments/1/reactions":  scopeTell,
		"POST repos/o/r/check-runs":                   scopeTell,
		"PATCH repositories/7/issues/comments/1":      scopeTell,
		"DELETE repos/o/r/git/refs/heads/check-runs":  scopeChange,
		"PUT repos/o/r/pulls/1/merge":                 scopeChange,
		"POST repos/o/issues/pulls":                   scopeChange,
		"POST repos/o/r/pulls/1/requested_reviewers":  scopeChange,
		"POST repos/issues/check-runs/git/refs":       scopeChange,
		"POST something/that/GitHub/adds/in/a/decade": scopeChange,
		"DELETE x": scopeChange,
	} {
		method, path, _ := strings.Cut(request, " ")
		for _, base := range []string{"/", "/api/v3/"} {
			req := &http.Request{Method: method, URL: &url.URL{Path: base + path}}
			if got := restScope(req, base); got != want {
				t.Errorf("%s below %s takes the token to %s, want %s", request, base, got, want)
			}
		}
	}
}

// TestOnlyOneScopeCanMerge: what most requests carry can't change anything.
func TestOnlyOneScopeCanMerge(t *testing.T) {
	for _, sc := range []scope{scopeRead, scopeTell, scopeClone} {
		if level := sc.wants()["contents"]; level == "write" {
			t.Errorf("the token to %s can merge", sc)
		}
	}
	for name, level := range scopeRead.wants() {
		if level != "read" {
			t.Errorf("the token to read has %s: %s", name, level)
		}
	}
	for _, sc := range []scope{scopeRead, scopeChange, scopeTell, scopeClone} {
		for _, never := range []string{"administration", "actions", "workflows", "secrets"} {
			if sc.wants()[never] != "" {
				t.Errorf("the token to %s asks for %s", sc, never)
			}
		}
	}
}

// endless answers without end.
type endless struct{ read int64 }

func (e *endless) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(e)}, nil
}

func (e *endless) Read(p []byte) (int, error) {
	e.read += int64(len(p))
	return len(p), nil
}

// TestAnswersWithoutEndAreCutOff, whatever decodes them.
func TestAnswersWithoutEndAreCutOff(t *testing.T) {
	e := &endless{}
	resp, err := readAgain{e}.RoundTrip(&http.Request{Method: http.MethodGet, URL: &url.URL{}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing is behind it.
	if n, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, errTooLong) || n > maxRead || e.read > maxRead+1<<20 {
		t.Errorf("%d of %d bytes were read: %v", n, e.read, err)
	}
}
