package model

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

// comment is a comment on a pull request.
type comment struct {
	id     int64
	number int
	author string
	body   string
	// written and touched are when it was written and last edited.
	written, touched time.Time
	gone             bool
}

// comment adds a comment and returns it.
func (w *World) comment(author string, number int, body string) *comment {
	c := &comment{id: int64(len(w.comments) + 1), number: number, author: author, body: body, written: w.now(), touched: w.now()}
	w.comments = append(w.comments, c)
	return c
}

func (w *World) commentByID(id int64) *comment {
	if id < 1 || int(id) > len(w.comments) || w.comments[id-1].gone {
		return nil
	}
	return w.comments[id-1]
}

// marked are the bot's comments with a marker.
func (w *World) marked(marker string) []*comment {
	return slices.DeleteFunc(w.everMarked(marker), func(c *comment) bool { return c.gone })
}

// everMarked are those and the ones that were deleted.
func (w *World) everMarked(marker string) []*comment {
	var out []*comment
	for _, c := range w.comments {
		if c.author == botLogin && strings.Contains(c.body, marker) {
			out = append(out, c)
		}
	}
	return out
}

// Comments implements bot.Talk.
func (w *World) Comments(_ context.Context, _ bot.RepoName, number int, since time.Time) ([]bot.Comment, error) {
	return reading(w, func() ([]bot.Comment, error) {
		var out []bot.Comment
		for _, c := range w.comments {
			if c.number == number && !c.gone && !c.touched.Before(since) {
				out = append(out, bot.Comment{
					Repo: repoName, Number: number, ID: c.id, Author: c.author, AuthorIsBot: c.author == botLogin, Body: c.body, Written: c.written,
				})
			}
		}
		return out, nil
	})
}

// React implements bot.Board.
func (w *World) React(_ context.Context, _ bot.RepoName, id int64, _ string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.reach(); err != nil {
		return err
	}
	if w.commentByID(id) == nil {
		return bot.NewTrouble(bot.TroubleNotFound, nil, "The comment is gone.")
	}
	return w.write(fmt.Sprintf("reacts to comment %d", id), func() error { return nil })
}

// Post implements bot.Board. As the real adapter does, it looks for the marker
// when it does not know the comment or finds it gone.
func (w *World) Post(_ context.Context, p bot.Post) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.reach(); err != nil {
		return 0, err
	}
	c := w.commentByID(p.ID)
	if c == nil {
		old := slices.DeleteFunc(w.marked(p.Marker), func(c *comment) bool { return c.number != p.Number })
		if len(old) > 0 {
			c = old[0]
		}
	}
	if c != nil {
		if c.body == p.Body {
			return c.id, nil
		}
		return c.id, w.write(fmt.Sprintf("edits its comment on #%d: %s", p.Number, gist(p.Body)), func() error {
			c.body = p.Body
			return nil
		})
	}
	var id int64
	err := w.write(fmt.Sprintf("comments on #%d: %s", p.Number, gist(p.Body)), func() error {
		id = w.comment(botLogin, p.Number, p.Body).id
		return nil
	})
	return id, err
}

// gist is the first lines of a comment that say something.
func gist(body string) string {
	var said []string
	for line := range strings.Lines(body) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "<!--") {
			said = append(said, line)
		}
		if len(said) == 2 {
			break
		}
	}
	return strings.Join(said, " | ")
}

// Check implements bot.Board.
func (w *World) Check(_ context.Context, c bot.CheckRun) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := c.ExternalID + "@" + string(c.Head)
	said := "in progress"
	if c.Done {
		said = c.Conclusion
	}
	return 1, w.write(fmt.Sprintf("check run on %s: %s", c.Head.Short(), said), func() error {
		w.runs[key] = said
		return nil
	})
}
