package webhooks

import (
	"context"

	"github.com/backout-dev/backout/bot"
)

var _ bot.Inbox = (*Server)(nil)

// Wants implements bot.Inbox: what is made durable must not be lost. All else
// is a hint.
func (s *Server) Wants(event, action string) bool {
	switch event {
	case "issue_comment":
		return action == "created"
	case "installation", "installation_repositories":
		return s.cfg.OnInstallation != nil
	}
	return false
}

// Delivered implements bot.Inbox. It decodes a delivery from GitHub's log as if
// it had come over HTTP, and holds it against the same rules.
//
// Only the signature is not checked: there is none to check, since the log shows
// the payload as JSON and not the bytes that were signed. What stands for it is
// the way it came. It was read from GitHub's API, over TLS, from the log of our
// own App, which only that App's key can read. So a delivery that was refused
// because our secret was wrong for a while is taken in, too.
func (s *Server) Delivered(ctx context.Context, d bot.Delivery, payload []byte) (*bot.Event, error) {
	n, err := decodeGitHub(d.Event, payload, s.cfg.AppID, s.cfg.AllowApps...)
	if err != nil {
		return nil, bot.NewTrouble(bot.TroubleInvalid, err, "The payload is not that of the event")
	}
	switch {
	case n.app != 0 && s.cfg.AppID != 0 && n.app != s.cfg.AppID:
	case n.comment != nil && s.cfg.Mentions(n.comment.Body):
		event := s.event(*n.comment, d.At)
		return &event, nil
	case n.installation != nil && s.cfg.OnInstallation != nil:
		return nil, s.cfg.OnInstallation(ctx, *n.installation)
	}
	return nil, nil
}

// Pushed implements bot.Inbox.
func (s *Server) Pushed(repo bot.RepoName) { s.pushes.add(repo) }
