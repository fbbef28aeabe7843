package faults

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/backout-dev/backout/bot"
	"github.com/backout-dev/backout/test/fakehub"
)

// TestUnreachable cuts the way to GitHub before a request leaves.
func TestUnreachable(t *testing.T) {
	for name, err := range map[string]error{
		"connection refused": &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED},
		"no such host":       &net.DNSError{Err: "no such host", Name: "github.example", IsNotFound: true},
		"no route":           &net.OpError{Op: "dial", Net: "tcp", Err: syscall.EHOSTUNREACH},
	} {
		for span, lasts := range map[string]time.Duration{"minutes": 10 * time.Minute, "hours": 5 * time.Hour} {
			t.Run(name+" for "+span, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, setup{slowCI: true})
				w.comment("/rollback")
				pull := w.opened()
				w.faulty = w.clock.Now()
				end := w.faulty.Add(lasts)
				w.wire.breakWith(func(*http.Request) error {
					if w.clock.Now().Before(end) {
						return err
					}
					return nil
				})
				w.must(w.stage.Repo.SetCheck(pull.HeadSHA, "ci", "success", nil))
				rec := w.ended(8 * time.Hour)
				w.toldBy(rec, 8*time.Hour)
				wanted := want{verdict: bot.VerdictVerified, says: []string{"verified"}}
				if span == "hours" {
					wanted = want{verdict: bot.VerdictNeedsHuman, says: []string{"GitHub could not be reached", "Merge #2"}}
				}
				w.settled(rec, wanted)
			})
		}
	}
}

// TestToxicNetwork puts Toxiproxy between the bot and GitHub: the Rollback is
// begun on a bad line, which heals after some tries.
func TestToxicNetwork(t *testing.T) {
	for _, tt := range []struct {
		name, toxic, stream, attributes string
		heals                           bool // it can't work until then
	}{
		{"latency", "latency", "downstream", `{"latency":300,"jitter":100}`, false},
		{"bandwidth", "bandwidth", "downstream", `{"rate":40}`, false},
		{"slicer", "slicer", "downstream", `{"average_size":64,"size_variation":32,"delay":100}`, false},
		{"slow close", "slow_close", "downstream", `{"delay":300}`, false},
		{"timeout", "timeout", "downstream", `{"timeout":50}`, true},
		{"timeout on the way there", "timeout", "upstream", `{"timeout":50}`, true},
		{"reset peer", "reset_peer", "downstream", `{"timeout":0}`, true},
		{"reset peer later", "reset_peer", "downstream", `{"timeout":20}`, true},
		{"limit data", "limit_data", "downstream", `{"bytes":700}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{slowCI: true})
			w.comment("/rollback")
			pull := w.opened()
			proxy := w.through(t)
			w.faulty = w.clock.Now()
			_, err := proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(
				`{"name":"toxic","type":%q,"stream":%q,"toxicity":1,"attributes":%s}`, tt.toxic, tt.stream, tt.attributes)))
			w.must(err)
			w.must(w.stage.Repo.SetCheck(pull.HeadSHA, "ci", "success", nil))
			if tt.heals {
				w.drive("some tries", time.Hour, func() (bool, string) {
					n := len(w.wire.since(w.faulty))
					return n >= 8 && w.clock.Now().Sub(w.faulty) > 40*time.Second, fmt.Sprint(n)
				})
				w.must(proxy.Toxics.RemoveToxic(w.ctx, "toxic"))
			}
			rec := w.ended(2 * time.Hour)
			w.toldBy(rec, time.Hour)
			w.settled(rec, want{verdict: bot.VerdictVerified, says: []string{"verified"}})
			if merges := w.merges(); merges != 1 {
				t.Errorf("%d merges", merges)
			}
		})
	}
}

// merges counts what the hub merged for the bot.
func (w *world) merges() int {
	n := 0
	for _, r := range w.stage.Hub.Requests() {
		if kind("merge")(r) && r.Method == http.MethodPut && r.Status == http.StatusOK {
			n++
		}
	}
	return n
}

// through leads the bot's new connections to the hub through a proxy.
func (w *world) through(t *testing.T) *toxiproxy.Proxy {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "hub", "127.0.0.1:0", strings.TrimPrefix(w.stage.Hub.URL(), "http://"))
	w.must(proxy.Start())
	t.Cleanup(proxy.Stop)
	dialer := &net.Dialer{}
	w.wire.base = &http.Transport{
		MaxIdleConnsPerHost: 16,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, proxy.Listen)
		},
	}
	return proxy
}

// TestNoAnswerAtAll lets the answer to a read never come: the request ends by
// its own timeout, in real time, and is asked again.
func TestNoAnswerAtAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{slowCI: true})
	w.comment("/rollback")
	pull := w.opened()
	w.fail(fakehub.Fault{Match: kind("graphql read"), Delay: time.Hour})
	w.must(w.stage.Repo.SetCheck(pull.HeadSHA, "ci", "success", nil))
	rec := w.ended(2 * time.Hour)
	w.toldBy(rec, time.Hour)
	w.settled(rec, want{verdict: bot.VerdictVerified, says: []string{"verified"}})
}
