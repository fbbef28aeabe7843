package verify

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/backout-dev/backout/bot"
)

var placeholder = regexp.MustCompile(`^\{\{ *([a-z_]+) *\}\}`)

// unfilled says why a query can't be asked.
type unfilled string

// expand puts an App's values where the query names them: {{namespace}},
// {{app}} and {{cluster}}. The query is the config owner's; the values are not,
// so they only ever become the content of a PromQL string
// (https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals).
// Within a string, a value becomes a part of it; outside, a string of its own.
// In a regular expression it matches itself only.
func expand(query string, value func(name string) (string, unfilled)) (string, unfilled) {
	var b strings.Builder
	quote := byte(0) // the string that we are in, 0 for none
	pattern := false // that string is a regular expression
	for i := 0; i < len(query); {
		c := query[i]
		switch {
		case strings.HasPrefix(query[i:], "{{"):
			m := placeholder.FindStringSubmatch(query[i:])
			if m == nil {
				return "", "the query holds {{ without the name of a placeholder: use {{namespace}}, {{app}} or {{cluster}}"
			}
			v, why := value(m[1])
			if why != "" {
				return "", why
			}
			if quote == 0 && isPattern(query[:i]) || pattern {
				v = regexp.QuoteMeta(v)
			}
			switch {
			case quote == 0:
				b.WriteString(`"` + escape(v, '"') + `"`)
			case quote == '`' && strings.Contains(v, "`"):
				return "", "a value of the App holds a backtick, which can't be put between backticks: use double quotes in the query"
			case quote == '`':
				b.WriteString(v)
			default:
				b.WriteString(escape(v, quote))
			}
			i += len(m[0])
			continue
		case quote == 0 && c == '#': // a comment ends with the line
			n := strings.IndexByte(query[i:], '\n')
			if n < 0 {
				n = len(query) - i
			}
			b.WriteString(query[i : i+n])
			i += n
			continue
		case quote == 0 && strings.IndexByte("\"'`", c) >= 0:
			quote, pattern = c, isPattern(query[:i])
		case c == quote:
			quote, pattern = 0, false
		case c == '\\' && (quote == '"' || quote == '\'') && i+1 < len(query):
			b.WriteByte(c)
			i++
			c = query[i]
		}
		b.WriteByte(c)
		i++
	}
	if quote != 0 {
		return "", "a string in the query does not end"
	}
	return b.String(), ""
}

// isPattern reports whether what follows in the query is a regular expression.
func isPattern(before string) bool {
	before = strings.TrimRight(before, " \t\r\n")
	return strings.HasSuffix(before, "=~") || strings.HasSuffix(before, "!~")
}

// escape writes a value so that it can stand between two quotes.
func escape(v string, quote byte) string {
	var b strings.Builder
	for _, r := range v {
		switch {
		case r == '\\' || r == rune(quote):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// values are an App's values by the names of the placeholders.
func values(app bot.App) func(name string) (string, unfilled) {
	return func(name string) (string, unfilled) {
		switch name {
		case "app":
			return app.ID.Name, ""
		case "cluster":
			return app.ID.Cluster, ""
		case "namespace":
			if ns := namespace(app); ns != "" {
				return ns, ""
			}
			return "", "the query names {{namespace}}, but the App has no single one: write the namespace into the query"
		}
		return "", unfilled(fmt.Sprintf("the query names {{%s}}, which is not known: use {{namespace}}, {{app}} or {{cluster}}", name))
	}
}

// namespace is where the App's objects live: its default, else the one that all
// its workloads share. The namespace of the App's own object is no substitute,
// since that is where Flux or Argo CD live.
func namespace(app bot.App) string {
	if app.Namespace != "" || len(app.Workloads) == 0 {
		return app.Namespace
	}
	ns := app.Workloads[0].Namespace
	for _, w := range app.Workloads {
		if w.Namespace != ns {
			return ""
		}
	}
	return ns
}
