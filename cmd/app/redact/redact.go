// Package redact keeps secrets out of what people read: the log, comments, the
// audit log. It knows secrets in two ways. Those that were read from files and
// tokens that were handed out are known by their value, wherever they appear.
// Those of others, which come along in error texts and labels, are known by
// their form.
//
// It is the last of several fences. No error of ours quotes a secret; this is
// for the libraries and servers whose texts we pass on.
package redact

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Mark stands where a secret stood.
const Mark = "[redacted]"

const (
	// minLength is how long a value must be to be looked for: a shorter one is no
	// secret that protects anything, and would be found in ordinary words.
	minLength = 8
	// maxTokens bounds how many tokens are remembered; they live for an hour. Of
	// those that are forgotten, GitHub's form is known.
	maxTokens = 1024
)

// forms match secrets that nobody told us of. What is in the first group stays.
var forms = []*regexp.Regexp{
	// Tokens of GitHub (https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/)
	// and of installations before those.
	regexp.MustCompile(`\b()(?:gh[a-z]_|github_pat_)[A-Za-z0-9_.-]{16,}`),
	regexp.MustCompile(`\b()v1\.[0-9a-f]{40}\b`),
	// JSON web tokens.
	regexp.MustCompile(`\b()eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*`),
	// Slack's tokens and webhook addresses.
	regexp.MustCompile(`\b()xox[a-z]-[A-Za-z0-9-]{10,}`),
	regexp.MustCompile(`(hooks\.slack\.com/(?:services|workflows|triggers)/)[A-Za-z0-9/_-]+`),
	// What authorises a request.
	regexp.MustCompile(`(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}`),
	regexp.MustCompile(`(?i)(\bauthorization:?"?[\s:=]+"?token\s+)[^\s"',;]+`),
	// Private keys, with line breaks or with what JSON makes of them.
	regexp.MustCompile(`(?s)()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)`),
	// User and password in an address.
	regexp.MustCompile(`(\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/?#"'@<>]+@`),
	// What is called a secret in a query.
	regexp.MustCompile(`(?i)([?&](?:access_token|token|secret|password|passwd|api_key|apikey|key|sig|signature|client_secret)=)[^&\s"'<>]+`),
}

// Secrets are what must not be read. It is safe for concurrent use.
type Secrets struct {
	mu     sync.RWMutex
	fixed  map[string]bool   // what Add was given
	files  map[string]secret // by name
	tokens []string          // the newest last
	all    *strings.Replacer // nil: to be made of the rest
}

// secret is a file that holds one.
type secret struct {
	changed time.Time
	value   string
}

// New knows the forms and no values.
func New() *Secrets {
	return &Secrets{fixed: map[string]bool{}, files: map[string]secret{}}
}

// Add tells of a secret.
func (s *Secrets) Add(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fixed[value] = true
	s.all = nil
}

// Token tells of a token that lives for a while; the oldest are forgotten.
func (s *Secrets) Token(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = append(s.tokens, value)
	if len(s.tokens) > maxTokens {
		s.tokens = s.tokens[1:]
	}
	s.all = nil
}

// Files tells of files that hold a secret each. They are read now, and again by
// Refresh; one that can't be read is for who uses it to complain about.
func (s *Secrets) Files(names ...string) {
	s.mu.Lock()
	for _, name := range names {
		if name != "" {
			s.files[name] = s.files[name]
		}
	}
	s.mu.Unlock()
	s.Refresh()
}

// Refresh reads the files that have changed. What stood in them before stays
// secret, too: it may still be good elsewhere.
func (s *Secrets) Refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, old := range s.files {
		info, err := os.Stat(name)
		if err != nil || info.ModTime().Equal(old.changed) || info.Size() > 1<<20 {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if old.value != "" {
			s.fixed[old.value] = true
		}
		s.files[name] = secret{info.ModTime(), strings.TrimSpace(string(b))}
		s.all = nil
	}
}

// rebuild gathers the values in every spelling. The caller holds mu.
func (s *Secrets) rebuild() {
	seen := map[string]bool{}
	var pairs []string
	add := func(spelling string) {
		if len(spelling) >= minLength && !seen[spelling] {
			seen[spelling] = true
			pairs = append(pairs, spelling, Mark)
		}
	}
	value := func(v string) {
		if v = strings.TrimSpace(v); len(v) < minLength {
			return
		}
		add(v)
		add(url.QueryEscape(v))
		add(url.PathEscape(v))
		add(base64.StdEncoding.EncodeToString([]byte(v)))
		add(base64.StdEncoding.EncodeToString([]byte("x-access-token:" + v))) // as git sends it
		if quoted, err := json.Marshal(v); err == nil {
			add(string(quoted[1 : len(quoted)-1]))
		}
		for _, line := range strings.Split(v, "\n") { // of a key, any line is too much
			if line = strings.TrimSpace(line); len(line) >= 32 {
				add(line)
			}
		}
	}
	for v := range s.fixed {
		value(v)
	}
	for _, f := range s.files {
		value(f.value)
	}
	for _, t := range s.tokens {
		value(t)
	}
	s.all = strings.NewReplacer(pairs...)
}

func (s *Secrets) replacer() *strings.Replacer {
	s.mu.RLock()
	all := s.all
	s.mu.RUnlock()
	if all != nil {
		return all
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.rebuild()
	}
	return s.all
}

// Text is the text without secrets.
func (s *Secrets) Text(text string) string {
	text = s.replacer().Replace(text)
	for _, form := range forms {
		text = form.ReplaceAllString(text, "${1}"+Mark)
	}
	return text
}

// Error is err, saying what it says without secrets. What it wraps is kept for
// errors.Is and errors.As.
func (s *Secrets) Error(err error) error {
	if err == nil {
		return nil
	}
	if text := s.Text(err.Error()); text != err.Error() {
		return &hidden{text, err}
	}
	return err
}

type hidden struct {
	text string
	err  error
}

// Error implements error.
func (h *hidden) Error() string { return h.text }

// Unwrap gives what is hidden to errors.Is and errors.As.
func (h *hidden) Unwrap() error { return h.err }

// Format keeps %+v from printing what is hidden.
func (h *hidden) Format(f fmt.State, _ rune) { fmt.Fprint(f, h.text) }
