package policy

import (
	"path"
	"regexp"
	"strings"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/manifest"
)

// migration matches the words by which people and tools name migrations.
var migration = regexp.MustCompile(`(?i)(^|[^a-z0-9])(migrations?|migrate|migrator|flyway|liquibase|alembic|goose)([^a-z0-9]|$)`)

// migrates reports whether an object is run before or after a release, as
// migrations are, is named like one, or runs one in an init container.
func migrates(o *manifest.Object) bool {
	if o == nil {
		return false
	}
	for _, hook := range []string{"helm.sh/hook", "argocd.argoproj.io/hook"} {
		if _, ok := o.Annotation(hook); ok {
			return true
		}
	}
	return migration.MatchString(o.Name) || initMigrates(o.Body, false)
}

// initMigrates looks for the words of migrations in init containers, wherever
// they stand.
func initMigrates(v any, inside bool) bool {
	switch t := v.(type) {
	case string:
		return inside && migration.MatchString(t)
	case []any:
		for _, e := range t {
			if initMigrates(e, inside) {
				return true
			}
		}
	case map[string]any:
		for k, e := range t {
			if initMigrates(e, inside || k == "initContainers") {
				return true
			}
		}
	}
	return false
}

// patternGuards looks for the owners' own names of migrations. A pattern without
// a slash is matched with the file's name alone.
func patternGuards(f bot.FileChange, patterns []string) []guard {
	for _, p := range patterns {
		name := f.Path
		if !strings.Contains(p, "/") {
			name = path.Base(name)
		}
		if ok, err := path.Match(p, name); ok || err != nil {
			return []guard{{guardMigration, "changes what the policy calls a database migration; a revert runs no migration backwards"}}
		}
	}
	return nil
}
