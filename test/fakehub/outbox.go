package fakehub

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // X-Hub-Signature is SHA-1.
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// deliveryTimeout is how long GitHub waits for an answer to a webhook.
const deliveryTimeout = 10 * time.Second

// Delivery is one webhook as it was sent, or as it failed.
type Delivery struct {
	ID           int64
	GUID         string // stays the same when it is sent again
	App          string // slug
	Event        string
	Action       string
	Redelivery   bool
	Installation int64
	Repository   int64
	At           time.Time
	Duration     time.Duration
	Status       string // "OK", or what went wrong
	StatusCode   int    // 502 and 504 where no answer came, as in GitHub's log
	Request      http.Header
	Payload      []byte
	Response     []byte

	app *App
	url string
}

// outbox sends webhooks one after the other, in the order in which they were
// caused, so that a test's story has one outcome. GitHub promises no order:
// see Hub.HoldWebhooks for deliveries that come late or mixed up.
type outbox struct {
	hub    *Hub
	client *http.Client
	ctx    context.Context //nolint:containedctx // it is the worker's life.
	stop   context.CancelFunc

	mu      sync.Mutex
	changed *sync.Cond
	queue   []*Delivery
	busy    bool
	held    int
	lose    []func(Delivery) bool
	done    chan struct{}
}

func newOutbox(h *Hub) *outbox {
	client := &http.Client{
		Timeout: deliveryTimeout, Transport: &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	o := &outbox{hub: h, client: client, done: make(chan struct{})}
	o.changed = sync.NewCond(&o.mu)
	o.ctx, o.stop = context.WithCancel(context.Background())
	go o.work()
	return o
}

func (o *outbox) put(d *Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, d)
	o.changed.Broadcast()
}

func (o *outbox) work() {
	defer close(o.done)
	for {
		o.mu.Lock()
		o.busy = false
		o.changed.Broadcast()
		for o.ctx.Err() == nil && (len(o.queue) == 0 || o.held > 0) {
			o.changed.Wait()
		}
		if o.ctx.Err() != nil {
			o.mu.Unlock()
			return
		}
		d := o.queue[0]
		o.queue = o.queue[1:]
		o.busy = true
		lost := o.loses(*d)
		o.mu.Unlock()
		o.send(d, lost)
	}
}

// loses takes the first loss that matches. o.mu is held.
func (o *outbox) loses(d Delivery) bool {
	i := slices.IndexFunc(o.lose, func(match func(Delivery) bool) bool { return match(d) })
	if i < 0 {
		return false
	}
	o.lose = slices.Delete(o.lose, i, i+1)
	return true
}

func (o *outbox) flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.changed.Broadcast()
	})
	defer stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for (len(o.queue) > 0 || o.busy) && o.ctx.Err() == nil {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("flush webhooks: %d left: %w", len(o.queue), err)
		}
		o.changed.Wait()
	}
	return nil
}

func (o *outbox) close() {
	o.stop()
	o.mu.Lock()
	o.changed.Broadcast()
	o.mu.Unlock()
	<-o.done
	o.client.CloseIdleConnections()
}

// HoldWebhooks keeps deliveries back until release is called. Meanwhile
// Shuffle may change their order.
func (h *Hub) HoldWebhooks() (release func()) {
	h.outbox.mu.Lock()
	defer h.outbox.mu.Unlock()
	h.outbox.held++
	return sync.OnceFunc(func() {
		h.outbox.mu.Lock()
		defer h.outbox.mu.Unlock()
		h.outbox.held--
		h.outbox.changed.Broadcast()
	})
}

// Shuffle reverses the deliveries that wait: the worst order there is.
func (h *Hub) Shuffle() {
	h.outbox.mu.Lock()
	defer h.outbox.mu.Unlock()
	slices.Reverse(h.outbox.queue)
}

// LoseWebhook lets the next matching delivery fail without reaching anybody:
// the log has it as timed out, and it can be delivered again.
func (h *Hub) LoseWebhook(match func(Delivery) bool) {
	h.outbox.mu.Lock()
	defer h.outbox.mu.Unlock()
	h.outbox.lose = append(h.outbox.lose, match)
}

// send makes one attempt and writes it to the App's log.
func (o *outbox) send(d *Delivery, lost bool) {
	began := time.Now()
	d.Status, d.StatusCode = "timed out", http.StatusGatewayTimeout
	if !lost {
		o.attempt(d)
	}
	d.Duration = time.Since(began)
	o.hub.lock()
	d.At = o.hub.opts.Now().UTC()
	d.app.log = append(d.app.log, d)
	o.hub.unlock()
	o.hub.log.Debug("delivery", "event", d.Event, "action", d.Action, "guid", d.GUID, "status", d.StatusCode)
	o.hub.recorder.delivery(*d)
	if o.hub.opts.OnDelivery != nil {
		o.hub.opts.OnDelivery(*d)
	}
}

func (o *outbox) attempt(d *Delivery) {
	req, err := http.NewRequestWithContext(o.ctx, http.MethodPost, d.url, bytes.NewReader(d.Payload))
	if err != nil {
		d.Status, d.StatusCode = "failed to connect to host", http.StatusBadGateway
		return
	}
	req.Header = d.Request.Clone()
	res, err := o.client.Do(req)
	if err != nil {
		var timeout interface{ Timeout() bool }
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			d.Status, d.StatusCode = "failed to connect to host", http.StatusBadGateway
		}
		return
	}
	defer res.Body.Close() //nolint:errcheck // it was read.
	d.Response, _ = io.ReadAll(io.LimitReader(res.Body, 1<<20))
	d.StatusCode, d.Status = res.StatusCode, "OK"
	if res.StatusCode >= 400 {
		d.Status = "Invalid HTTP Response: " + strconv.Itoa(res.StatusCode)
	}
}

// sign fills in the headers of a delivery.
func (d *Delivery) sign(hook webhook, targetID int64) {
	d.url = hook.url
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitHub-Hookshot/fakehub")
	h.Set("X-GitHub-Delivery", d.GUID)
	h.Set("X-GitHub-Event", d.Event)
	h.Set("X-GitHub-Hook-ID", strconv.FormatInt(hook.id, 10))
	h.Set("X-GitHub-Hook-Installation-Target-ID", strconv.FormatInt(targetID, 10))
	h.Set("X-GitHub-Hook-Installation-Target-Type", "integration")
	if hook.secret != "" {
		m1 := hmac.New(sha1.New, []byte(hook.secret))
		m1.Write(d.Payload)
		m256 := hmac.New(sha256.New, []byte(hook.secret))
		m256.Write(d.Payload)
		h.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(m1.Sum(nil)))
		h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(m256.Sum(nil)))
	}
	d.Request = h
}
