package stage

import "github.com/backout-dev/backout/cmd/app"

// BotConfig is what a bot that runs in another process is configured with. Its
// keys and secrets are files below Options.Dir.
func (s *Stage) BotConfig() (app.Config, error) { return s.config() }

// ServedAt tells the stage where the bot listens: webhooks and alerts go there.
func (s *Stage) ServedAt(url string) {
	s.at.Store(&url)
	s.GitHub.SetWebhook(url+"/webhooks/github", secret+s.opts.Secret)
}
