package webhooks

import (
	"testing"
)

// TestAppsThatMayCommand: an App commands only where the server's owners name it,
// never our own, and never in a name that is not its own.
func TestAppsThatMayCommand(t *testing.T) {
	type doc = map[string]any
	deploy := doc{"id": 77, "slug": "deploy"}
	bot := func(slug string, via any) doc {
		login := slug + "[bot]"
		return doc{"comment.user.type": "Bot", "comment.user.login": login, "sender.type": "Bot", "sender.login": login, "comment.performed_via_github_app": via}
	}
	for _, tt := range []struct {
		name    string
		changes doc
		allowed []string
		via     string // "" is ignored
	}{
		{"a person's own hand", nil, []string{"deploy"}, ""},
		{"for a person", doc{"comment.performed_via_github_app": deploy}, []string{"deploy"}, "deploy"},
		{"as a bot", bot("deploy", deploy), []string{"ci", "deploy"}, "deploy"},
		{"as a bot, on an old server", bot("deploy", nil), []string{"deploy"}, "deploy"},
		{"not named", bot("deploy", deploy), []string{"ci"}, ""},
		{"nobody named", doc{"comment.performed_via_github_app": deploy}, nil, ""},
		{"an empty name", doc{"comment.performed_via_github_app": doc{"id": 77, "slug": ""}}, []string{""}, ""},
		{"our own", doc{"comment.performed_via_github_app": doc{"id": ourApp, "slug": "deploy"}}, []string{"deploy"}, ""},
		{"a bot through another App", bot("deploy", doc{"id": 78, "slug": "ci"}), []string{"deploy", "ci"}, ""},
		{"a person's comment that a bot sends", doc{"sender.type": "Bot", "comment.performed_via_github_app": deploy}, []string{"deploy"}, ""},
		{"an organization", doc{"comment.user.type": "Organization", "sender.type": "Organization", "comment.performed_via_github_app": deploy}, []string{"deploy"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := decodeGitHub("issue_comment", fixture(t, "github/issue_comment", tt.changes), ourApp, tt.allowed...)
			if err != nil {
				t.Fatal(err)
			}
			person := tt.changes == nil
			if (n.comment != nil) != (tt.via != "" || person) {
				t.Fatalf("comment %+v, ignored %q", n.comment, n.ignored)
			}
			if n.comment != nil && (n.comment.Via != tt.via || n.comment.AuthorIsBot) {
				t.Errorf("via %q, a bot %v; want %q", n.comment.Via, n.comment.AuthorIsBot, tt.via)
			}
		})
	}
}

// TestATextThatWasEditedBeforeItCame is marked: it may be somebody else's.
func TestATextThatWasEditedBeforeItCame(t *testing.T) {
	for at, want := range map[string]bool{"2026-03-01T03:00:00Z": false, "2026-03-01T03:00:01Z": true} {
		n, err := decodeGitHub("issue_comment", fixture(t, "github/issue_comment", map[string]any{
			"comment.created_at": "2026-03-01T03:00:00Z", "comment.updated_at": at,
		}), ourApp)
		if err != nil || n.comment == nil || n.comment.Edited != want {
			t.Errorf("updated at %s: %+v, %v; want edited: %v", at, n.comment, err, want)
		}
	}
}
