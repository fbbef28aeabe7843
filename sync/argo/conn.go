package argo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"github.com/backout-dev/backout/bot"
)

// maxMessage is what Argo CD's own client accepts: a list of thousands of
// Applications with their statuses is one message.
const maxMessage = 200 << 20

// dial prepares a connection that is made when it is first needed and made
// again when it breaks.
func dial(c Config) (*grpc.ClientConn, error) {
	secure, err := tlsConfig(c)
	if err != nil {
		return nil, err
	}
	chain := []grpc.UnaryClientInterceptor{bounded(c.Timeout), authorized(c.Token)}
	target, creds := c.Server, credentials.NewTLS(secure)
	if c.PlainText {
		creds = insecure.NewCredentials()
	}
	if c.GRPCWeb {
		// The interceptor makes the request itself; this connection is only
		// what the generated client wants to hold, and is never dialled.
		chain = append(chain, newWeb(c, secure).invoke)
		target, creds = "passthrough:///"+c.Server, insecure.NewCredentials()
	}
	return grpc.NewClient(target,
		grpc.WithTransportCredentials(creds),
		grpc.WithUserAgent("backout"),
		grpc.WithChainUnaryInterceptor(chain...),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		// The default waits up to two minutes between attempts, during which
		// every call fails although the server is back.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
			MinConnectTimeout: 10 * time.Second,
		}),
		// argocd-server cuts off clients that ping more often than every 10 s.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
	)
}

func tlsConfig(c Config) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.Insecure} //nolint:gosec // asked for
	if c.CAFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the CA file: %w", err)
	}
	if t.RootCAs, err = x509.SystemCertPool(); err != nil {
		t.RootCAs = x509.NewCertPool()
	}
	if !t.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the CA file: no certificate in %s", c.CAFile)
	}
	return t, nil
}

// bounded ends a request that takes longer than d: a refresh waits for the
// application controller, which may be down, and has no limit of its own.
func bounded(d time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		return next(ctx, method, req, reply, cc, opts...)
	}
}

// authorized adds the token under the key that argocd-server reads it from.
func authorized(token func() (string, error)) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		t, err := token()
		if t = strings.TrimSpace(t); err == nil && t == "" {
			err = errors.New("empty token")
		}
		if err != nil {
			return bot.NewTrouble(bot.TroubleForbidden, err, "The token for Argo CD can't be read.").
				WithAdvice("Put a token of the account into the configured file (argocd account generate-token --account NAME).")
		}
		return next(metadata.AppendToOutgoingContext(ctx, "token", t), method, req, reply, cc, opts...)
	}
}
