// Package webhooks is the way in: the server that GitHub and Alertmanager post
// to, and the internal one for health and metrics.
//
// It validates, makes durable and answers, and does no work. A command or a
// group of alerts is answered with 2xx only after [bot.Engine.Accept] returned
// nil, so what was accepted is never lost; when it can't be made durable the
// answer is 503, GitHub's delivery log shows the failure, and the sweep
// ([bot.CatchUp]) finds it there, or Alertmanager sends it again. Everything else that GitHub tells is a
// [bot.Hint]: it may wake a waiting flow and carries no truth.
//
// # What is let in
//
// The public handler knows two paths. Both are open to the whole internet, so
// the checks go from the cheap to the dear, and nothing of a request is parsed
// before its sender is proven:
//
//   - method, then content type (JSON only: a form would be signed, too, but two
//     ways in are twice the mistakes);
//   - for GitHub, that there is a SHA-256 signature; for Alertmanager, the bearer
//     token or the client's certificate;
//   - the length, while it is read, and the memory that all requests hold;
//   - the signature, in constant time, by each of up to two secrets;
//   - the headers that the signature does not cover: the delivery's GUID and the
//     event.
//
// Who signed is GitHub, not the author: whether a person may command is read
// from the API later. Comments by bots are dropped here, and those of our own
// App first of all, so that Backout never answers itself.
//
// # Sources
//
// https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries,
// https://docs.github.com/webhooks/webhook-events-and-payloads,
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config.
package webhooks
