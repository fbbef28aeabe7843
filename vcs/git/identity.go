package git

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// identities are the author and the committer of a new commit, in the form that
// git stores: "Name <mail> seconds zone". They come from where git takes them: the
// environment, author.* and committer.*, user.*. There is no guessing from the
// machine's name.
func (r *Repository) identities() (author, committer string, err error) {
	s, err := r.settings()
	if err != nil {
		return "", "", err
	}
	if author, err = identity(s, "author"); err == nil {
		committer, err = identity(s, "committer")
	}
	return author, committer, err
}

func identity(s settings, role string) (string, error) {
	env := "GIT_" + strings.ToUpper(role) + "_"
	name := clean(or(os.Getenv(env+"NAME"), or(s.get(role+".name"), s.get("user.name"))))
	mail := clean(or(os.Getenv(env+"EMAIL"), or(s.get(role+".email"), or(s.get("user.email"), os.Getenv("EMAIL")))))
	if name == "" || mail == "" {
		return "", bot.NewTrouble(bot.TroubleInvalid, nil, "git was not told who you are").
			WithAdvice("Say so with git config user.name and git config user.email.")
	}
	date, err := dated(os.Getenv(env + "DATE"))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s <%s> %s", name, mail, date), nil
}

// clean drops what git drops from names.
func clean(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == '<' || c == '>' || c == '\n' {
			return -1
		}
		return c
	}, s)
	return strings.TrimFunc(s, func(c rune) bool {
		return c <= ' ' || strings.ContainsRune(".,:;\"\\'", c)
	})
}

// dated reads a date of the environment: "[@]seconds zone", RFC 3339 or RFC 2822.
// Empty is now.
func dated(s string) (string, error) {
	format := func(t time.Time) string { return fmt.Sprintf("%d %s", t.Unix(), t.Format("-0700")) }
	if s == "" {
		return format(time.Now()), nil
	}
	if f := strings.Fields(strings.TrimPrefix(s, "@")); len(f) == 2 && len(f[1]) == 5 {
		if n, err := strconv.ParseInt(f[0], 10, 64); err == nil {
			return fmt.Sprintf("%d %s", n, f[1]), nil
		}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05 -0700", time.RFC1123Z, "Mon, 2 Jan 2006 15:04:05 -0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return format(t), nil
		}
	}
	return "", bot.NewTrouble(bot.TroubleInvalid, nil, "%q is not a date that Backout reads", s).
		WithAdvice("Write it as seconds since 1970 and a zone: \"1700000000 +0000\".")
}
