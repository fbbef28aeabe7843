package github

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

var _ bot.Labels = (*Client)(nil)

// maxLabelled is how many issues with the label are looked at. More are an error:
// among those left out could be the one that counts, and anybody who may label
// could push it out of sight.
const maxLabelled = 20

// Labelled implements bot.Labels. Issues count open or closed: whoever opened
// one may close it, and must not end a freeze by that. Who put the label there
// stands in the events
// (https://docs.github.com/rest/using-the-rest-api/issue-event-types#labeled),
// not in the issue.
func (c *Client) Labelled(ctx context.Context, name bot.RepoName, label string) ([]bot.Labelled, error) {
	r, err := c.repo(name)
	if err != nil {
		return nil, err
	}
	var found []struct {
		Number int    `json:"number"`
		URL    string `json:"html_url"`
	}
	path := r.path("/issues?state=all&sort=updated&per_page=%d&labels=%s", maxLabelled+1, url.QueryEscape(label))
	if err := r.get(ctx, path, &found); err != nil {
		return nil, r.trouble(err, "look for the label %s in %s", tidy(label), name)
	}
	if len(found) > maxLabelled {
		return nil, bot.NewTrouble(bot.TroubleInvalid, nil, "more than %d issues of %s carry the label %s", maxLabelled, name, tidy(label)).
			WithAdvice("Take it off those that are not meant to stop Backout.")
	}
	var out []bot.Labelled
	for _, i := range found {
		by, err := r.labelledBy(ctx, i.Number, label)
		if err != nil {
			return nil, r.trouble(err, "read who labelled %s#%d", name, i.Number)
		}
		out = append(out, bot.Labelled{Number: i.Number, URL: i.URL, By: by})
	}
	return out, nil
}

// labelledBy is who put a label on an issue last; "" when no event tells.
func (r *repository) labelledBy(ctx context.Context, number int, label string) (by string, err error) {
	type event struct {
		Event   string       `json:"event"`
		Actor   *accountJSON `json:"actor"`
		Created time.Time    `json:"created_at"`
		Label   *struct {
			Name string `json:"name"`
		} `json:"label"`
	}
	var last time.Time
	err = eachPage(ctx, r.api(), r.path("/issues/%d/events", number), func(page []event) bool {
		for _, e := range page {
			if e.Event != "labeled" || e.Label == nil || !sameLabel(e.Label.Name, label) || e.Created.Before(last) {
				continue
			}
			by, last = "", e.Created
			if e.Actor != nil {
				by = e.Actor.Login
			}
		}
		return true
	})
	return by, err
}

// sameLabel compares names as GitHub does: whatever their case.
func sameLabel(a, b string) bool { return strings.EqualFold(a, b) }
