package durable_test

import (
	"testing"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/bot/durable"
)

func TestMatches(t *testing.T) {
	t.Parallel()
	const sha, other = bot.SHA("1111111111111111111111111111111111111111"), bot.SHA("2222222222222222222222222222222222222222")
	pull := bot.Hint{Repo: "acme/fleet", Number: 7}
	tests := []struct {
		name        string
		topic, hint bot.Hint
		want        bool
	}{
		{"the same pull request", pull, pull, true},
		{"another pull request", pull, bot.Hint{Repo: "acme/fleet", Number: 8}, false},
		{"the same number elsewhere", pull, bot.Hint{Repo: "acme/other", Number: 7}, false},
		{"news of the whole repository", pull, bot.Hint{Repo: "acme/fleet"}, true},
		{"news of everything", pull, bot.Hint{}, true},
		{"a check on some commit", pull, bot.Hint{Repo: "acme/fleet", Head: sha}, false},
		{"a push to some branch", pull, bot.Hint{Repo: "acme/fleet", Ref: "main"}, false},
		{"whoever waits for anything in the repository", bot.Hint{Repo: "acme/fleet"}, pull, true},
		{"whoever waits for anything", bot.Hint{}, pull, true},
		{"anything, but elsewhere", bot.Hint{Repo: "acme/other"}, pull, false},
		{"a number in any repository", bot.Hint{Number: 7}, pull, true},
		{"a check on the awaited head", bot.Hint{Repo: "acme/fleet", Number: 7, Head: sha}, bot.Hint{Repo: "acme/fleet", Head: sha}, true},
		{"a check on an older head of the awaited pull request", bot.Hint{Repo: "acme/fleet", Number: 7, Head: sha}, bot.Hint{Repo: "acme/fleet", Number: 7, Head: other}, true},
		{"a check on another head", bot.Hint{Repo: "acme/fleet", Head: sha}, bot.Hint{Repo: "acme/fleet", Head: other}, false},
		{"a push to the awaited branch", bot.Hint{Repo: "acme/fleet", Ref: "main"}, bot.Hint{Repo: "acme/fleet", Ref: "main", Head: sha}, true},
		{"a push to another branch", bot.Hint{Repo: "acme/fleet", Ref: "main"}, bot.Hint{Repo: "acme/fleet", Ref: "dev", Head: sha}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := durable.Matches(tt.topic, tt.hint); got != tt.want {
				t.Errorf("Matches(%+v, %+v) = %v", tt.topic, tt.hint, got)
			}
		})
	}
}
