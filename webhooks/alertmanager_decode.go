package webhooks

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/backout-dev/backout/bot"
)

// maxAlerts is how many alerts of one notification are looked at. In a storm of
// more, the first ones tell enough, and to refuse all would leave none.
const maxAlerts = 1000

// notification is Alertmanager's payload, version 4
// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
// Fields that are not listed are let pass: truncatedAlerts was added within
// version 4, and so may others be.
type notification struct {
	Version     string            `json:"version"`
	GroupKey    string            `json:"groupKey"`
	Truncated   uint32            `json:"truncatedAlerts"`
	Status      string            `json:"status"`
	Receiver    string            `json:"receiver"`
	GroupLabels map[string]string `json:"groupLabels"`
	ExternalURL string            `json:"externalURL"`
	Alerts      []struct {
		Status       string            `json:"status"`
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
		StartsAt     time.Time         `json:"startsAt"`
		EndsAt       time.Time         `json:"endsAt"`
		GeneratorURL string            `json:"generatorURL"`
		Fingerprint  string            `json:"fingerprint"`
	} `json:"alerts"`
}

// decodeAlerts reads a notification. problem is a sentence for the operator of
// Alertmanager, whose log shows it. Pure.
func decodeAlerts(body []byte) (group bot.AlertGroup, problem string) {
	var n notification
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&n); err != nil {
		return bot.AlertGroup{}, "The body is not a notification of Alertmanager: " + inJSON(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return bot.AlertGroup{}, "The body goes on after the notification."
	}
	switch {
	case n.Version != "4":
		return bot.AlertGroup{}, fmt.Sprintf("The payload has version %.20q, not \"4\": it must be sent by Alertmanager's webhook_config.", n.Version)
	case n.GroupKey == "":
		return bot.AlertGroup{}, "The notification has no groupKey."
	case n.Status != "firing" && n.Status != "resolved":
		return bot.AlertGroup{}, fmt.Sprintf("The notification's status is %.20q, neither firing nor resolved.", n.Status)
	case len(n.Alerts) == 0:
		return bot.AlertGroup{}, "The notification has no alerts."
	}
	group = bot.AlertGroup{
		GroupKey: n.GroupKey, Receiver: n.Receiver, Status: n.Status, ExternalURL: n.ExternalURL,
		GroupLabels: n.GroupLabels, Truncated: int(n.Truncated),
	}
	for i, a := range n.Alerts {
		switch {
		case a.Status != "firing" && a.Status != "resolved":
			return bot.AlertGroup{}, fmt.Sprintf("The status of alert %d is %.20q, neither firing nor resolved.", i+1, a.Status)
		case len(a.Labels) == 0:
			return bot.AlertGroup{}, fmt.Sprintf("Alert %d has no labels.", i+1)
		case a.StartsAt.IsZero():
			return bot.AlertGroup{}, fmt.Sprintf("Alert %d has no startsAt.", i+1)
		}
		if i >= maxAlerts {
			group.Truncated++
			continue
		}
		group.Alerts = append(group.Alerts, bot.Alert{
			Fingerprint: fingerprint(a.Fingerprint, a.Labels), Firing: a.Status == "firing",
			Labels: a.Labels, Annotations: a.Annotations,
			StartsAt: a.StartsAt.UTC(), EndsAt: a.EndsAt.UTC(), GeneratorURL: a.GeneratorURL,
		})
	}
	return group, ""
}

// inJSON says what is wrong with JSON without quoting it.
func inJSON(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("%.100s is of the wrong kind.", kind.Field)
	case errors.As(err, &syntax):
		return fmt.Sprintf("it is no JSON from byte %d on.", syntax.Offset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early."
	}
	return "a value in it is not what it should be."
}

var fingerprintForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// fingerprint is the one that was sent, or the one that Alertmanager would give
// the labels.
func fingerprint(sent string, labels map[string]string) string {
	if fingerprintForm.MatchString(sent) {
		return sent
	}
	set := make(model.LabelSet, len(labels))
	for n, v := range labels {
		set[model.LabelName(n)] = model.LabelValue(v)
	}
	return set.Fingerprint().String()
}

// alertsID identifies what a notification says: which alerts of which group are
// in which state since when. Alertmanager repeats itself (repeat_interval, two
// replicas, answers that were lost), and the same said again is the same event,
// in whatever order. A resolved alert differs from a firing one, and one that
// fires anew differs by its startsAt.
func alertsID(g bot.AlertGroup) string {
	var keys []string
	for _, a := range g.Alerts {
		state := "resolved"
		if a.Firing {
			state = "firing"
		}
		keys = append(keys, packed(a.Fingerprint, a.StartsAt.UTC().Format(time.RFC3339Nano), state))
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	sum := sha256.Sum256([]byte(packed(append([]string{g.GroupKey}, keys...)...)))
	return "alerts-" + hex.EncodeToString(sum[:])
}

// packed joins parts so that no others give the same: each after its length.
func packed(parts ...string) string {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return string(b)
}
