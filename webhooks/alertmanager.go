package webhooks

import (
	"log/slog"
	"net/http"

	"github.com/backout-dev/backout/bot"
)

// alertmanager answers a notification of Alertmanager.
func (s *Server) alertmanager(w http.ResponseWriter, r *http.Request) outcome {
	const event = "alerts"
	certified := s.cfg.AlertClientCerts && r.TLS != nil && len(r.TLS.VerifiedChains) > 0
	switch {
	case certified:
	case len(s.cfg.AlertTokens) > 0:
		if !bearer(r.Header, s.cfg.AlertTokens) {
			return unauthorized("The bearer token is missing or wrong: set http_config.authorization in Alertmanager's webhook_config.").on(event)
		}
	case s.cfg.AlertClientCerts:
		return unauthorized("A client certificate is needed: set http_config.tls_config in Alertmanager's webhook_config.").on(event)
	default:
		return unauthorized("Alerts are not let in here, since no token for Alertmanager is configured.").on(event)
	}
	if !isJSON(r) {
		return outcome{status: http.StatusUnsupportedMediaType, result: resultInvalid, text: "Notifications are JSON only."}.on(event)
	}
	body, bad, free := s.read(w, r, s.cfg.MaxAlertBody)
	defer free()
	if bad != nil {
		if bad.result == resultTooLarge {
			bad.text += " Set max_alerts in Alertmanager's webhook_config, or group by more labels."
		}
		return bad.on(event)
	}
	group, problem := decodeAlerts(body)
	if problem != "" {
		return invalid(problem).on(event)
	}
	return s.alerts(r, group).on(event)
}

// alerts makes a group of alerts durable.
func (s *Server) alerts(r *http.Request, group bot.AlertGroup) outcome {
	id := alertsID(group)
	attrs := []slog.Attr{slog.String("incident", id), slog.String("state", group.Status), slog.Int("alerts", len(group.Alerts))}
	if group.Truncated > 0 {
		attrs = append(attrs, slog.Int("truncated", group.Truncated))
	}
	ctx, cancel := lasting(r)
	defer cancel()
	if err := s.cfg.Engine.Accept(ctx, bot.Event{ID: id, Received: s.cfg.Now().UTC(), Alerts: &group}); err != nil {
		return unavailable("The alerts could not be recorded.", err).on("", attrs...)
	}
	return outcome{status: http.StatusOK, result: resultAccepted, text: "accepted", attrs: attrs}
}
