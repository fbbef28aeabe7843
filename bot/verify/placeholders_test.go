package verify

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/backout-dev/backout/bot"
)

func testApp() bot.App {
	return bot.App{
		ID:        bot.AppID{Cluster: "prod-eu", Kind: bot.KindKustomization, Namespace: "flux-system", Name: "shop.web"},
		Namespace: "shop",
	}
}

func TestExpand(t *testing.T) {
	odd := testApp()
	odd.Namespace, odd.ID.Name = "a\"b\\c'd\ne}) or vector(1) #", "x`y"
	tests := []struct {
		name  string
		app   bot.App
		query string
		want  string
	}{
		{"in a string", testApp(), `up{namespace="{{namespace}}"}`, `up{namespace="shop"}`},
		{"with spaces", testApp(), `up{namespace="{{ namespace }}"}`, `up{namespace="shop"}`},
		{"without quotes", testApp(), `up{namespace={{namespace}},app={{app}}}`, `up{namespace="shop",app="shop.web"}`},
		{"as a part of a string", testApp(), `up{job="{{cluster}}/{{app}}"}`, `up{job="prod-eu/shop.web"}`},
		{"in a pattern", testApp(), `up{pod=~"{{app}}-.*"}`, `up{pod=~"shop\\.web-.*"}`},
		{"in a negated pattern", testApp(), `up{pod!~ '{{app}}-.*'}`, `up{pod!~ 'shop\\.web-.*'}`},
		{"in a raw pattern", testApp(), "up{pod=~`{{app}}-.*`}", "up{pod=~`shop\\.web-.*`}"},
		{"as a pattern without quotes", testApp(), `up{app=~{{app}}}`, `up{app=~"shop\\.web"}`},
		{"in a string after a pattern", testApp(), `up{pod=~"a.*",app="{{app}}"}`, `up{pod=~"a.*",app="shop.web"}`},
		{"after an escaped quote", testApp(), `up{a="\"",b={{app}}}`, `up{a="\"",b="shop.web"}`},
		{"after an escaped backslash", testApp(), `up{a="\\",b={{app}}}`, `up{a="\\",b="shop.web"}`},
		{"after a backslash in a raw string", testApp(), "up{a=`\\`,b={{app}}}", "up{a=`\\`,b=\"shop.web\"}"},
		{"in a comment", testApp(), "up # of {{app}} \"\nor x{a={{app}}}", "up # of {{app}} \"\nor x{a=\"shop.web\"}"},
		{"a sign of comment in a string", testApp(), `up{a="#{{app}}"}`, `up{a="#shop.web"}`},
		{"a comment at the end", testApp(), "up # {{nonsense", "up # {{nonsense"},
		{"none", testApp(), `sum(rate(x{a="b"}[5m])) by (c)`, `sum(rate(x{a="b"}[5m])) by (c)`},

		{"odd value in double quotes", odd, `up{a="{{namespace}}"}`, `up{a="a\"b\\c'd\ne}) or vector(1) #"}`},
		{"odd value in single quotes", odd, `up{a='{{namespace}}'}`, `up{a='a"b\\c\'d\ne}) or vector(1) #'}`},
		{"odd value in no quotes", odd, `up{a={{namespace}}}`, `up{a="a\"b\\c'd\ne}) or vector(1) #"}`},
		{"odd value in a pattern", odd, `up{a=~{{namespace}}}`, `up{a=~"a\"b\\\\c'd\ne\\}\\) or vector\\(1\\) #"}`},
		{"odd value in backticks", odd, "up{a=`{{namespace}}`}", "up{a=`a\"b\\c'd\ne}) or vector(1) #`}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, why := expand(tt.query, values(tt.app))
			if why != "" || got != tt.want {
				t.Errorf("expand(%s)\n got %s %s\nwant %s", tt.query, got, why, tt.want)
			}
		})
	}
}

func TestExpandRefuses(t *testing.T) {
	odd, several, none := testApp(), testApp(), testApp()
	odd.ID.Name = "x`y"
	several.Namespace, none.Namespace = "", ""
	several.Workloads = []bot.Workload{{Namespace: "a"}, {Namespace: "b"}}
	tests := []struct {
		name  string
		app   bot.App
		query string
		want  string
	}{
		{"unknown placeholder", testApp(), `up{a="{{pod}}"}`, "{{pod}}"},
		{"in other letters", testApp(), `up{a="{{App}}"}`, "without the name"},
		{"not closed", testApp(), `up{a="{{app"}`, "without the name"},
		{"string that does not end", testApp(), `up{a="{{app}}}`, "does not end"},
		{"backtick between backticks", odd, "up{a=`{{app}}`}", "backtick"},
		{"several namespaces", several, `up{a="{{namespace}}"}`, "no single one"},
		{"no namespace", none, `up{a="{{namespace}}"}`, "no single one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, why := expand(tt.query, values(tt.app)); !strings.Contains(string(why), tt.want) {
				t.Errorf("expand = %q, %q; want a word about %q", got, why, tt.want)
			}
		})
	}
}

// The namespace of the App's own object is where Flux or Argo CD live: to check
// it would call a sick App healthy.
func TestNamespaceIsThatOfTheWorkloads(t *testing.T) {
	app := testApp()
	app.Namespace = ""
	app.Workloads = []bot.Workload{{Namespace: "shop"}, {Namespace: "shop"}}
	if got := namespace(app); got != "shop" {
		t.Errorf("namespace = %q, want the one of the workloads", got)
	}
}

// FuzzExpand: whatever a value holds, the query's grammar stays as it was.
func FuzzExpand(f *testing.F) {
	f.Add("shop")
	f.Add("a\"b\\c'd\ne}) or vector(1) #")
	f.Add("{{app}}")
	f.Add("\x00\u202e\x7f")
	f.Fuzz(func(t *testing.T, v string) {
		if !utf8.ValidString(v) {
			t.Skip("Kubernetes has no such names, and JSON can't carry them")
		}
		value := func(string) (string, unfilled) { return v, "" }
		got, why := expand(`up{a={{app}},b="x{{app}}y",c='{{app}}'} > 1`, value)
		if why != "" {
			t.Fatal(why)
		}
		rest, ok := strings.CutPrefix(got, "up{a=")
		for _, want := range []string{v, "x" + v + "y", v} {
			s, end := readString(t, rest)
			if !ok || s != want {
				t.Fatalf("%s: read %q, want %q", got, s, want)
			}
			rest = strings.TrimLeft(rest[end:], ",bc=")
		}
		if rest != "} > 1" {
			t.Fatalf("%s: the query goes on with %q", got, rest)
		}
	})
}

// readString reads a quoted string as Prometheus does: Go's escapes, in single
// quotes, too.
func readString(t *testing.T, s string) (value string, end int) {
	t.Helper()
	quote := s[0]
	var b strings.Builder
	for rest := s[1:]; rest != ""; {
		if rest[0] == quote {
			return b.String(), len(s) - len(rest) + 1
		}
		r, _, tail, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		b.WriteRune(r)
		rest = tail
	}
	t.Fatalf("%s does not end", s)
	return "", 0
}
