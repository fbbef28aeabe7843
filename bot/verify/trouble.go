package verify

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/backout-dev/backout/bot"
)

// trouble says in words what an error means for the server that was asked. The
// library's own words stay in its cause, for the log.
func trouble(name string, timeout time.Duration, err error) *bot.Trouble {
	var (
		refused *refusedError
		cert    *tls.CertificateVerificationError
		answer  *promv1.Error
		network net.Error
	)
	switch {
	case errors.As(err, &refused):
		return bot.NewTrouble(bot.TroubleForbidden, err, "%s refused our credentials", name)
	case errors.Is(err, errSecret):
		return bot.NewTrouble(bot.TroubleForbidden, err, "our credentials for %s could not be read", name)
	case errors.Is(err, errRedirect):
		return bot.NewTrouble(bot.TroubleInvalid, err, "%s redirects to another host, where we do not follow", name)
	case errors.As(err, &cert):
		return bot.NewTrouble(bot.TroubleForbidden, err, "%s shows a certificate that we do not trust", name)
	case errors.Is(err, errTooLong):
		return bot.NewTrouble(bot.TroubleInvalid, err, "%s answered with more than 16 MiB", name)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return bot.NewTrouble(bot.TroubleTransient, err, "%s did not answer within %s", name, timeout)
	case errors.As(err, &answer):
		switch answer.Type {
		case promv1.ErrBadData:
			return bot.NewTrouble(bot.TroubleInvalid, err, "%s does not understand the query", name)
		case promv1.ErrExec:
			return bot.NewTrouble(bot.TroubleInvalid, err, "%s could not evaluate the query", name)
		case promv1.ErrTimeout, promv1.ErrCanceled:
			return bot.NewTrouble(bot.TroubleTransient, err, "%s gave the query up because it took too long", name)
		case promv1.ErrServer:
			return bot.NewTrouble(bot.TroubleTransient, err, "%s answered with an error of its own, or was too slow", name)
		}
		return bot.NewTrouble(bot.TroubleTransient, err, "%s did not answer as it should", name)
	case errors.As(err, &network):
		return bot.NewTrouble(bot.TroubleTransient, err, "%s could not be reached", name)
	}
	return bot.NewTrouble(bot.TroubleTransient, err, "%s did not answer as it should", name)
}
