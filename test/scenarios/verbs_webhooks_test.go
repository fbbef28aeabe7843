package scenarios

import (
	"encoding/json"
	"fmt"

	"github.com/backout-dev/backout/test/fakehub"
)

// These verbs let webhooks get lost, and the bot find them again.

// nobody is an address where nothing ever listens.
const nobody = "http://127.0.0.1:1"

// down stops the bot. Webhooks fail until it is up again.
func down(p *play, _ string) error {
	if err := p.stage.Hub.Flush(p.ctx); err != nil {
		return err
	}
	if err := p.stage.Stop(); err != nil {
		return err
	}
	p.stage.ServedAt(nobody)
	return nil
}

// up starts the bot on the same data.
func up(p *play, _ string) error {
	// What was caused while it was down must have failed by now.
	if err := p.stage.Hub.Flush(p.ctx); err != nil {
		return err
	}
	return p.again()
}

// loseComments lets the next deliveries of people's comments time out.
func loseComments(p *play, args string) error {
	for range p.number(args) {
		p.stage.Hub.LoseWebhook(isPersonsComment)
	}
	return nil
}

// isPersonsComment reports whether a delivery tells of a new comment by a
// person; the bot's own are delivered, too.
func isPersonsComment(d fakehub.Delivery) bool {
	var body struct {
		Sender struct{ Type string }
	}
	return d.Event == "issue_comment" && d.Action == "created" && json.Unmarshal(d.Payload, &body) == nil && body.Sender.Type == "User"
}

// webhookSecret changes what deliveries are signed with.
func webhookSecret(p *play, args string) error {
	if args == "right" {
		p.stage.ServedAt(p.stage.PublicURL())
		return nil
	}
	p.stage.GitHub.SetWebhook(p.stage.PublicURL()+"/webhooks/github", "another-secret-than-the-bot-knows-of-32-bytes")
	return nil
}

// sweep lets the bot sweep the delivery log.
func sweep(p *play, _ string) error { return p.stage.App.CatchUp(p.ctx) }

// redeliver sends every comment that failed once more, as an admin would.
func redeliver(p *play, _ string) error {
	for _, d := range p.stage.GitHub.Deliveries() {
		if isPersonsComment(d) && d.StatusCode/100 != 2 && !p.stage.GitHub.Redeliver(d.ID) {
			return fmt.Errorf("delivery %d can't be sent again", d.ID)
		}
	}
	return p.stage.Hub.Flush(p.ctx)
}

// deleteComment deletes the last comment.
func deleteComment(p *play, _ string) error {
	if err := p.stage.Repo.DeleteComment(p.lastComment, "ann"); err != nil {
		return err
	}
	return p.stage.Hub.Flush(p.ctx)
}

// wantFailed counts the comments' deliveries that failed.
func wantFailed(p *play, args string) error {
	n := 0
	for _, d := range p.stage.GitHub.Deliveries() {
		if isPersonsComment(d) && d.StatusCode/100 != 2 {
			n++
		}
	}
	if n != p.number(args) {
		return fmt.Errorf("%d comments failed to be delivered", n)
	}
	return nil
}
