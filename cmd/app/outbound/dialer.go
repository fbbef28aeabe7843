package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// Dialer connects to what its origin may reach and to nothing else. The zero
// value serves a repository's addresses.
type Dialer struct {
	Origin Origin
	// Allow are private ranges that FromRepository may reach all the same.
	Allow []netip.Prefix
	// Proxy carries the requests, nil none. The proxy's address is then the one
	// that is judged: what it connects to, it must judge itself.
	Proxy func(*http.Request) (*url.URL, error)
	// Resolver looks names up, nil the system's.
	Resolver *net.Resolver
}

// ErrForbidden is what a refused connection comes to.
var ErrForbidden = errors.New("address may not be reached from here")

// Times within which a connection must stand.
const (
	dialTimeout = 5 * time.Second
	tlsTimeout  = 5 * time.Second
	// answerTimeout is how long a server may think before its answer begins.
	answerTimeout = 30 * time.Second
)

// DialContext implements the function of http.Transport.
func (d Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	nd := net.Dialer{Timeout: dialTimeout, Control: d.control, Resolver: d.Resolver}
	return nd.DialContext(ctx, network, address)
}

// control is called with the address that is about to be connected to, after
// names were resolved (https://pkg.go.dev/net#Dialer).
func (d Dialer) control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: %s is not TCP", ErrForbidden, network)
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	if why := d.Origin.Forbidden(to.Addr(), d.Allow); why != "" {
		return fmt.Errorf("%w: %s: %s", ErrForbidden, to.Addr(), why)
	}
	return nil
}

// Transport is an HTTP transport over the dialer. Proxies of the environment
// are not used: only Proxy is.
func (d Dialer) Transport() *http.Transport {
	return &http.Transport{
		Proxy:                  d.Proxy,
		DialContext:            d.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    tlsTimeout,
		ResponseHeaderTimeout:  answerTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
