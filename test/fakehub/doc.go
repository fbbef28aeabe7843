// Package fakehub is a GitHub for tests and demonstrations: real bare git
// repositories behind real HTTP, with what GitHub keeps beside them (users,
// Apps, pull requests, checks, protection, webhooks) held in memory.
//
// It follows the documentation, and where that is silent what was seen of the
// real one:
//
//   - REST: https://docs.github.com/rest. routes.go is the list of endpoints and
//     of the permission that each asks of an App.
//   - GraphQL: https://docs.github.com/graphql. schema.graphql is the part that is
//     answered; a field that is not in it is refused by name.
//   - git: gitprotocol-http(5), by git http-backend.
//   - webhooks: https://docs.github.com/webhooks/webhook-events-and-payloads.
//   - merging: pull_state.go has the states of mergeStateStatus and pull_merge.go
//     what each merge method writes; merges are computed by git merge-tree.
//
// A test speaks to it in two ways. As the program under test does, over HTTP at
// Hub.URL, Hub.APIURL and Hub.GraphQLURL. And as the people and systems around
// it do, by methods: Repo.Commit, Repo.OpenPR, Repo.Comment, Repo.Review,
// Repo.SetCheck. These methods act past all permissions and protection, and
// what they do causes the same webhooks.
//
//	hub, err := fakehub.New(fakehub.Options{})
//	app, err := hub.CreateApp(fakehub.AppOptions{Slug: "backout"})
//	app.SetWebhook("http://127.0.0.1:8080/webhooks/github", secret)
//	repo, err := hub.CreateRepo("acme/fleet", fakehub.RepoOptions{Files: files})
//	id, err := hub.Install(app, "acme/fleet")
//	pr, err := repo.OpenPR("ann", "Bump web", "bump", "main", changes)
//	_, err = repo.MergePR(pr.Number, "squash", "ann")
//	_, err = repo.Comment(pr.Number, "ann", "/rollback")
//	err = hub.Flush(ctx)
//
// Everything that a request or a method causes has happened when it returns,
// but for webhooks, which Flush waits for, and checks that take their time.
// Every request is logged (Requests, ContentWrites, Sequential) before its
// answer leaves. Fail makes the hub misbehave; SetLag sets how long `mergeable`
// stays unknown.
//
// What it does not do: rate limits are told and never enforced (use Fail); the
// merge queue has no clock (BuildQueue, TimeOutQueue and RunQueue are its
// passing time), judges the first in it only and merges one by one; a user's
// role is checked, the scopes of a user's token are not; admins are bound like
// everybody unless Protection.Bypass names them; merging closes no issues;
// conversations are only counted, and code owners named by Protection; CODEOWNERS,
// deployments, releases, projects, search and everything else without a route are absent; commits that the hub
// signs carry a signature that no key verifies; webhooks come one at a time and
// in order unless HoldWebhooks and Shuffle say otherwise. Installations always
// select repositories one by one.
//
// With FAKEHUB_RECORD set to a folder, every hub writes its exchanges and
// webhooks there (see Record), and test/trial holds them against GitHub's
// published descriptions.
package fakehub
