package scenarios

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/backout-dev/backout/bot/policy"
	"github.com/backout-dev/backout/cmd/app"
)

// setLimits sets the limits of the server's configuration.
func setLimits(p *play, args string) error {
	var l policy.Limits
	if err := yaml.UnmarshalStrict([]byte(p.timed(pairs(args))), &l); err != nil {
		return err
	}
	p.settings = append(p.settings, func(c *app.Config) { c.Policy.Limits = l })
	return nil
}

// pairs makes YAML of KEY=VALUE words.
func pairs(args string) string {
	var doc strings.Builder
	for _, kv := range words(args) {
		k, v, _ := strings.Cut(kv, "=")
		fmt.Fprintf(&doc, "%s: %s\n", k, v)
	}
	return doc.String()
}

// cronWord stands in files for a moment of every day, counted from now.
var cronWord = regexp.MustCompile(`\{cron:(-?[0-9a-z]+)\}`)

// timed replaces {cron:-5m} by the cron expression of five minutes ago, in UTC.
func (p *play) timed(text string) string {
	return cronWord.ReplaceAllStringFunc(text, func(word string) string {
		d, err := time.ParseDuration(cronWord.FindStringSubmatch(word)[1])
		if err != nil {
			p.t.Fatalf("%s: %v", word, err)
		}
		at := p.clock.Now().UTC().Add(d)
		return fmt.Sprintf("%d %d * * *", at.Minute(), at.Hour())
	})
}
