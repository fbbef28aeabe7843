package stage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/backout-dev/backout/bot"
)

// Notification is what Alertmanager posts, a webhook payload of version 4
// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
type Notification struct {
	Version           string            `json:"version"`
	GroupKey          string            `json:"groupKey"`
	TruncatedAlerts   int               `json:"truncatedAlerts"`
	Status            string            `json:"status"`
	Receiver          string            `json:"receiver"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
	Alerts            []NotifiedAlert   `json:"alerts"`
}

// NotifiedAlert is one alert of a Notification.
type NotifiedAlert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

// SendAlerts posts alerts as Alertmanager does and returns the status code.
func (s *Stage) SendAlerts(ctx context.Context, alerts ...bot.Alert) (int, error) {
	p := Notification{
		Version: "4", GroupKey: `{}:{alertname="HighErrorRate"}`, Status: "resolved", Receiver: "backout",
		GroupLabels: map[string]string{}, CommonLabels: map[string]string{}, CommonAnnotations: map[string]string{}, ExternalURL: s.monitor.URL,
	}
	for _, a := range alerts {
		one := NotifiedAlert{Status: "resolved", Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.StartsAt, EndsAt: a.EndsAt, Fingerprint: a.Fingerprint}
		if a.Firing {
			one.Status, p.Status = "firing", "firing"
		}
		p.Alerts = append(p.Alerts, one)
	}
	body, err := json.Marshal(p)
	if err != nil {
		return 0, fmt.Errorf("encode alerts: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.PublicURL()+"/webhooks/alertmanager", bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := s.Client().Do(req)
	if err != nil {
		return 0, fmt.Errorf("send alerts: %w", err)
	}
	return resp.StatusCode, resp.Body.Close()
}
