package condition

import (
	"fmt"
	"strings"
)

// Markdown is the Schema as tables for people, one for each type.
func Markdown() string {
	short := strings.NewReplacer("backout.", "", "google.protobuf.Timestamp", "timestamp", "google.protobuf.Duration", "duration")
	var b strings.Builder
	for i, t := range Schema() {
		title := "`" + t.Name + "`"
		if i == 0 {
			title = "What a condition begins with"
		} else {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "**%s**\n\n| name | type | |\n|---|---|---|\n", title)
		for _, f := range t.Fields {
			doc := f.Doc
			if f.Sometimes {
				doc += " (not always there)"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, short.Replace(f.Type.String()), doc)
		}
	}
	return b.String()
}
