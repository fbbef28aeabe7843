package github

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/backout-dev/backout/bot"
)

var _ bot.DeliveryLog = (*Client)(nil)

// deliveryJSON is an entry of the App's delivery log, and with Request one
// delivery in full
// (https://docs.github.com/rest/apps/webhooks#list-deliveries-for-an-app-webhook).
type deliveryJSON struct {
	ID         int64     `json:"id"`
	GUID       string    `json:"guid"`
	At         time.Time `json:"delivered_at"`
	StatusCode int       `json:"status_code"`
	Event      string    `json:"event"`
	Action     string    `json:"action"`
	Request    struct {
		Payload json.RawMessage `json:"payload"`
	} `json:"request"`
}

// Deliveries implements bot.DeliveryLog. It asks for failures only; a server
// that does not know that filter (GitHub Enterprise Server before 3.17) lists all.
// The log is the App's own: it is read with the App's JWT, in its own rate limit,
// so that it takes nothing from what the flow may ask.
func (c *Client) Deliveries(ctx context.Context, cursor string) (bot.DeliveryPage, error) {
	q := url.Values{"per_page": {strconv.Itoa(pageSize)}, "status": {"failure"}}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	var list []deliveryJSON
	resp, err := call(ctx, c.rest(c.app), http.MethodGet, "app/hook/deliveries?"+q.Encode(), nil, &list)
	if err != nil {
		return bot.DeliveryPage{}, c.trouble(err, "list the App's webhook deliveries")
	}
	page := bot.DeliveryPage{Next: resp.Cursor, Now: c.now()}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		page.Now = at
	}
	for _, d := range list {
		page.Deliveries = append(page.Deliveries, bot.Delivery{
			ID: d.ID, GUID: d.GUID, Event: d.Event, Action: d.Action, At: d.At.UTC(), Status: d.StatusCode,
			// GitHub writes 502 and 504 where no answer came, and calls 200 to 399
			// a success. We answer 2xx only.
			Failed: d.StatusCode/100 != 2,
		})
	}
	return page, nil
}

// Payload implements bot.DeliveryLog. GitHub keeps deliveries for three days.
func (c *Client) Payload(ctx context.Context, id int64) ([]byte, error) {
	var d deliveryJSON
	if _, err := call(ctx, c.rest(c.app), http.MethodGet, "app/hook/deliveries/"+strconv.FormatInt(id, 10), nil, &d); err != nil {
		return nil, c.trouble(err, "read webhook delivery %d", id)
	}
	if len(d.Request.Payload) == 0 || string(d.Request.Payload) == "null" {
		return nil, bot.NewTrouble(bot.TroubleNotFound, nil, "read webhook delivery %d: its payload is no longer there", id)
	}
	return d.Request.Payload, nil
}
