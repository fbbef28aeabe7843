package redact

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	jwt = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjMifQ.c2lnbmF0dXJl"
	pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAxyzxyzxyzxyzxyzxyzxyzxyzxyz\nabcdefghijklmnopqrstuvwxyz0123456789\n-----END RSA PRIVATE KEY-----"
)

func TestForms(t *testing.T) {
	s := New()
	for text, want := range map[string]string{
		"token ghs_0123456789abcdefABCDEF0123456789abcd": "token [redacted]",
		"ghs_123_eyJabc.def-ghi_jkl0123456789 x":         "[redacted] x",
		"github_pat_11ABCDEFG0abcdefghij_xyz":            "[redacted]",
		"old v1." + strings.Repeat("0a", 20) + ".":       "old [redacted].",
		"jwt=" + jwt + ", ok":                            "jwt=[redacted], ok",
		"Authorization: Bearer abc.def-123=":             "Authorization: Bearer [redacted]",
		"authorization: basic dXNlcjpwYXNz":              "authorization: basic [redacted]",
		`"Authorization":"token 0123"`:                   `"Authorization":"token [redacted]"`,
		"key " + pem + " end":                            "key [redacted] end",
		strings.ReplaceAll(pem, "\n", `\n`):              "[redacted]",
		"half " + pem[:60]:                               "half [redacted]",
		"get https://user:pa55@git.example/x":            "get https://[redacted]git.example/x",
		"https://x-access-token:abc@git.example":         "https://[redacted]git.example",
		"https://onlytoken@git.example":                  "https://[redacted]git.example",
		"GET /x?a=b&token=abc&c=d":                       "GET /x?a=b&token=[redacted]&c=d",
		"https://hooks.slack.com/services/T0/B0/xyz":     "https://hooks.slack.com/services/[redacted]",
		"xoxb-123456789012-abc":                          "[redacted]",

		"plain words, a token for web, basic auth":        "plain words, a token for web, basic auth",
		"https://git.example/a@b":                         "https://git.example/a@b",
		"mail ann@example.com":                            "mail ann@example.com",
		"commit 1234567890123456789012345678901234567890": "commit 1234567890123456789012345678901234567890",
		"ghs_short":  "ghs_short",
		"ingress v1": "ingress v1",
	} {
		if got := s.Text(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestKnownValues(t *testing.T) {
	s := New()
	s.Add("open sesame & more")
	s.Add("short")
	s.Token("plain-installation-token")
	for _, spelling := range []string{
		"open sesame & more", url.QueryEscape("open sesame & more"), url.PathEscape("open sesame & more"),
		base64.StdEncoding.EncodeToString([]byte("open sesame & more")), `open sesame \u0026 more`,
		"plain-installation-token", base64.StdEncoding.EncodeToString([]byte("x-access-token:plain-installation-token")),
	} {
		if got := s.Text("x " + spelling + " y"); got != "x [redacted] y" {
			t.Errorf("%q became %q", spelling, got)
		}
	}
	if got := s.Text("a short word"); got != "a short word" {
		t.Errorf("a value that is no secret: %q", got)
	}
	s.Add(strings.Replace(pem, "RSA PRIVATE KEY", "THING", 2))
	if got := s.Text("line MIIEowIBAAKCAQEAxyzxyzxyzxyzxyzxyzxyzxyzxyz of a key"); got != "line [redacted] of a key" {
		t.Errorf("one line of a key: %q", got)
	}
	for range maxTokens {
		s.Token("another-installation-token")
	}
	if got := s.Text("plain-installation-token"); got == Mark {
		t.Error("tokens are remembered for ever")
	}
}

// TestRotation: both the new and the old value are secret.
func TestRotation(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write := func(value string, at time.Time) {
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	write("first-value", begin)
	s := New()
	s.Files(file, "", filepath.Join(t.TempDir(), "missing"))
	write("second-value", begin.Add(time.Second))
	if got := s.Text("first-value second-value"); got != "[redacted] second-value" {
		t.Errorf("before it is looked at again: %q", got)
	}
	s.Refresh()
	if got := s.Text("first-value second-value"); got != "[redacted] [redacted]" {
		t.Errorf("after: %q", got)
	}
}

type thing struct {
	Name  string
	Token string `json:"token"`
	inner *thing
}

type valuer string

func (v valuer) LogValue() slog.Value { return slog.GroupValue(slog.String("inner", string(v))) }

// TestHandler: whatever way a secret gets into a record, it does not come out.
func TestHandler(t *testing.T) {
	const value = "the-known-secret"
	s := New()
	s.Add(value)
	for name, make := range map[string]func(w *bytes.Buffer) slog.Handler{
		"json": func(w *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(w, nil) },
		"text": func(w *bytes.Buffer) slog.Handler { return slog.NewTextHandler(w, nil) },
	} {
		for _, arg := range []any{
			value, errors.New(value), fmt.Errorf("wrapped: %w", errors.New(value)), []byte(value), []string{value},
			thing{Token: value}, &thing{Token: value}, map[string]string{"a": value}, map[string]any{value: 1},
			valuer(value), slog.GroupValue(slog.Any("b", errors.New(value))), url.URL{Scheme: "https", Host: "x", User: url.UserPassword("u", value)},
			any(fmt.Stringer(&url.URL{Host: value})),
		} {
			var out bytes.Buffer
			log := slog.New(s.Handler(make(&out)))
			log.Info("it says "+value, "arg", arg)
			log.With("arg", arg).WithGroup("g").Warn("x", value, arg)
			log.With("arg", arg).With(slog.Group("h", "k", arg)).Error("x")
			if strings.Contains(out.String(), value) || strings.Count(out.String(), Mark) < 4 {
				t.Errorf("%s of %T: %s", name, arg, out.String())
			}
		}
	}
}

// TestHandlerKeepsTheRest as it was.
func TestHandlerKeepsTheRest(t *testing.T) {
	var plain, redacted bytes.Buffer
	at := slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	for _, log := range []*slog.Logger{slog.New(slog.NewJSONHandler(&plain, &at)), slog.New(New().Handler(slog.NewJSONHandler(&redacted, &at)))} {
		log.With("a", 1).WithGroup("g").Info("hello", "d", time.Second, "e", errors.New("x"), "t", thing{Name: "n"}, "l", []int{1, 2}, slog.Group("h", "b", true))
	}
	if plain.String() != redacted.String() {
		t.Errorf("got %s, want %s", redacted.String(), plain.String())
	}
}

func TestErrorKeepsWhatItWraps(t *testing.T) {
	s := New()
	err := s.Error(fmt.Errorf("Bearer 0123456789: %w", os.ErrNotExist))
	if err.Error() != "Bearer [redacted] "+os.ErrNotExist.Error() && err.Error() != "Bearer [redacted]: "+os.ErrNotExist.Error() || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if s.Error(nil) != nil || s.Error(os.ErrExist) != os.ErrExist { //nolint:errorlint // the same one
		t.Error("an error without secrets is changed")
	}
	if strings.Contains(fmt.Sprintf("%+v %v", err, err), "0123456789") {
		t.Error("it shows")
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", jwt, pem, "https://u:p@h", "Bearer x"} {
		f.Add(s)
	}
	s := New()
	s.Add("the-known-secret")
	f.Fuzz(func(t *testing.T, text string) {
		if got := s.Text(text + "the-known-secret" + text); strings.Contains(got, "the-known-secret") {
			t.Errorf("it shows in %q", got)
		}
		if once := s.Text(text); s.Text(once) != once && !strings.Contains(once, Mark) {
			t.Errorf("%q changes again", once)
		}
	})
}
