package webhooks

import (
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/backout-dev/backout/bot"
)

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// github answers a delivery of the GitHub App's webhook.
func (s *Server) github(w http.ResponseWriter, r *http.Request) outcome {
	name := r.Header.Get("X-GitHub-Event")
	event := "other"
	if known(name) {
		event = name
	}
	if !isJSON(r) {
		return outcome{
			status: http.StatusUnsupportedMediaType, result: resultInvalid,
			text: "Deliveries are JSON only: set the webhook's content type to application/json.",
		}.on(event)
	}
	sum, why := signature(r.Header)
	if why != "" {
		return unauthorized(why).on(event)
	}
	body, bad, free := s.read(w, r, s.cfg.MaxGitHubBody)
	defer free()
	if bad != nil {
		return bad.on(event)
	}
	if !signed(body, sum, s.cfg.Secrets) {
		return unauthorized("The signature does not match: the webhook's secret and the configured one differ.").on(event)
	}
	id := strings.ToLower(r.Header.Get("X-GitHub-Delivery"))
	if !guid.MatchString(id) {
		return invalid("X-GitHub-Delivery is not a GUID.").on(event)
	}
	if name == "" {
		return invalid("X-GitHub-Event is missing.").on(event, slog.String("delivery", id))
	}
	return s.delivery(r, name, body).on(event, slog.String("delivery", id))
}

// delivery handles a proven delivery.
func (s *Server) delivery(r *http.Request, name string, body []byte) outcome {
	if name == "ping" {
		return outcome{status: http.StatusOK, result: resultIgnored, text: "pong"}
	}
	if !known(name) {
		return ignored("not an event that Backout uses")
	}
	n, err := decodeGitHub(name, body, s.cfg.AppID, s.cfg.AllowApps...)
	if err != nil {
		o := invalid("The payload is not that of the event.")
		o.err = err
		return o
	}
	if why := s.foreign(r.Header, n); why != "" {
		return ignored(why)
	}
	switch {
	case n.ignored != "":
		return ignored(n.ignored)
	case n.comment != nil:
		return s.comment(r, *n.comment)
	case n.installation != nil:
		return s.installation(r, *n.installation)
	}
	if n.pushed != "" {
		s.pushes.add(n.pushed)
	}
	for _, h := range n.hints {
		s.cfg.Engine.Hint(h)
	}
	return outcome{status: http.StatusAccepted, result: resultHinted, text: "seen"}
}

func ignored(why string) outcome {
	return outcome{status: http.StatusAccepted, result: resultIgnored, text: "ignored: " + why}
}

// foreign says why a delivery is not for our App: a repository's webhook or
// another App may have been given the same secret. The headers are not signed,
// but they can only make us ignore what we would else take.
func (s *Server) foreign(h http.Header, n news) string {
	if s.cfg.AppID == 0 {
		return ""
	}
	kind, id := h.Get("X-GitHub-Hook-Installation-Target-Type"), h.Get("X-GitHub-Hook-Installation-Target-ID")
	switch {
	case kind == "" && id == "": // GitHub Enterprise Server before 3.0
		if n.installed == 0 {
			return "not sent to a GitHub App"
		}
	case kind != "integration" || id != strconv.FormatInt(s.cfg.AppID, 10):
		return "sent to another webhook than that of our GitHub App"
	}
	if n.app != 0 && n.app != s.cfg.AppID {
		return "an installation of another GitHub App"
	}
	return ""
}

// hasSlash is the Mentions of those who have none.
func hasSlash(body string) bool { return strings.Contains(body, "/") }

// event is a comment as an event. Its ID comes from the body, which is signed,
// and not from the delivery's GUID, which is not: a captured body that is sent
// again with a GUID of its own is the same event, as is what a sweep finds.
func (s *Server) event(c bot.Comment, received time.Time) bot.Event {
	return bot.Event{ID: fmt.Sprintf("comment-%s-%d-created", s.cfg.Host, c.ID), Received: received.UTC(), Comment: &c}
}

// comment makes a comment durable if it could hold a command.
func (s *Server) comment(r *http.Request, c bot.Comment) outcome {
	if !s.cfg.Mentions(c.Body) {
		return ignored("a comment without a command")
	}
	attrs := []slog.Attr{slog.String("repo", string(c.Repo)), slog.Int("number", c.Number), slog.Int64("comment", c.ID), slog.String("author", c.Author)}
	ctx, cancel := lasting(r)
	defer cancel()
	if err := s.cfg.Engine.Accept(ctx, s.event(c, s.cfg.Now())); err != nil {
		return unavailable("The comment could not be recorded.", err).on("", attrs...)
	}
	return outcome{status: http.StatusAccepted, result: resultAccepted, text: "accepted", attrs: attrs}
}

// installation tells of a change to what we may touch. It is no event of the
// engine: what counts is read from GitHub at the next start and before each act.
func (s *Server) installation(r *http.Request, i Installation) outcome {
	attrs := []slog.Attr{slog.Int64("installation", i.ID), slog.String("account", i.Account), slog.String("action", i.Action)}
	if s.cfg.OnInstallation == nil {
		return ignored("nobody waits for changes of installations").on("", attrs...)
	}
	ctx, cancel := lasting(r)
	defer cancel()
	if err := s.cfg.OnInstallation(ctx, i); err != nil {
		return unavailable("The change could not be recorded.", err).on("", attrs...)
	}
	return outcome{status: http.StatusAccepted, result: resultAccepted, text: "accepted", attrs: attrs}
}
