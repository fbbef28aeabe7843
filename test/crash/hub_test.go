package crash

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/backout-dev/backout/test/fakehub"
)

// markers tell our comments apart: what stands in a body that is written.
var markers = []string{"rollback", "reply"}

// effectOf names what a request to GitHub writes; "" for reads, and for what
// is no content: tokens, and deliveries that are sent again.
func effectOf(r fakehub.Request) string {
	if r.Kind == "graphql" {
		if r.Route != "mutation" {
			return ""
		}
		return "mutation " + strings.Join(r.Fields, "+")
	}
	route, ok := strings.CutPrefix(r.Route, r.Method+" /repos/{owner}/{repo}/")
	if r.Method == http.MethodGet || !ok {
		return ""
	}
	for _, m := range markers {
		if strings.Contains(route, "comments") && bytes.Contains(r.Body, []byte("backout:"+m+":")) {
			route += " (" + m + ")"
		}
	}
	return r.Method + " " + route
}

// onRequest lets the director have a request of the bot's.
func (r *run) onRequest(req fakehub.Request) *fakehub.Fault {
	effect := effectOf(req)
	if effect == "" || !strings.HasPrefix(req.Actor, "backout") && !strings.HasPrefix(req.Actor, "app:backout") {
		return nil
	}
	c := r.director.arrives(effect)
	f := &fakehub.Fault{
		CutBefore: c.kill.When == before, CutAfter: c.lost(),
		Before: func() { c.before() }, After: c.acted,
	}
	if c.kill.When == after {
		f.Sent = c.sent
	}
	return f
}

// onDelivery sees a webhook that was answered, or was not.
func (r *run) onDelivery(d fakehub.Delivery) {
	if d.Event == "issue_comment" && d.StatusCode/100 == 2 {
		r.answered("comment")
	}
}

// answered is the moment after the bot's answer to an event.
func (r *run) answered(kind string) {
	effect := "answer " + kind
	r.director.at(effect, before)
	r.director.at(effect, after)
}
