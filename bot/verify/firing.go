package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// gettableAlert is an alert as Alertmanager's API version 2 shows it, as far as
// it is used
// (https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml).
type gettableAlert struct {
	Fingerprint string            `json:"fingerprint"`
	Labels      map[string]string `json:"labels"`
}

// Firing reports whether Alertmanager has the alert among those that are not
// resolved. One that is silenced or inhibited is still firing: a silence says
// that people know, not that production is well. It implements [bot.Alerts].
func (m *Monitoring) Firing(ctx context.Context, a bot.Alert) (firing, known bool, err error) {
	if m.alertsURL == nil || len(a.Labels) == 0 {
		return false, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	list, err := m.alerts(ctx, filters(a.Labels))
	if err != nil {
		m.log.WarnContext(ctx, "alert could not be read", "alert", a.Name(), "err", err)
		return false, false, trouble("Alertmanager", m.timeout, err)
	}
	for _, g := range list {
		if a.Fingerprint != "" && (g.Fingerprint == a.Fingerprint || maps.Equal(g.Labels, a.Labels)) {
			return true, true, nil
		}
		if a.Fingerprint == "" && contains(g.Labels, a.Labels) {
			return true, true, nil
		}
	}
	return false, true, nil
}

// alerts reads Alertmanager's list. The server leaves resolved alerts out.
func (m *Monitoring) alerts(ctx context.Context, filters []string) ([]gettableAlert, error) {
	u := *m.alertsURL
	u.RawQuery = url.Values{
		"active": {"true"}, "silenced": {"true"}, "inhibited": {"true"}, "unprocessed": {"true"},
		"filter": filters,
	}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("ask for alerts: %w", err)
	}
	resp, err := m.alertmanager.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for alerts: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for alerts: Alertmanager answered %d: %.200q", resp.StatusCode, body)
	}
	var list []gettableAlert
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("decode alerts: %w", err)
	}
	if list == nil {
		return nil, errors.New("decode alerts: not a list") // "null" from something else
	}
	return list, nil
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// filters makes matchers of labels. They only narrow what is sent back: what is
// meant is decided on the labels themselves. So a name that is not of the
// classic kind is left out, and so is what would make the URL too long.
func filters(labels map[string]string) []string {
	const most = 4 << 10 // bytes
	var out []string
	length := 0
	for _, n := range slices.Sorted(maps.Keys(labels)) {
		if !labelName.MatchString(n) || labels[n] == "" {
			continue
		}
		f := n + `="` + matcherEscape.Replace(labels[n]) + `"`
		if length+len(f) > most {
			continue
		}
		length += len(f)
		out = append(out, f)
	}
	return out
}

// matcherEscape knows the three escapes that both of Alertmanager's matcher
// parsers understand (github.com/prometheus/alertmanager/pkg/labels and
// matcher/parse).
var matcherEscape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// contains reports whether all of want is in have.
func contains(have, want map[string]string) bool {
	for n, v := range want {
		if have[n] != v {
			return false
		}
	}
	return true
}
