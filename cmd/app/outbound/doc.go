// Package outbound makes the HTTP clients for addresses that people configure:
// Prometheus, Alertmanager, probes, notifications. It keeps them from being
// turned against the network that the bot stands in (server-side request
// forgery).
//
// An address is judged when the connection is made, after names were resolved,
// and for each connection anew. A name that first leads to a harmless address
// and then to another (DNS rebinding) is judged by what is connected to.
//
// Who wrote the address down decides what it may reach. The server's
// configuration is written by who runs the bot, and Prometheus stands in the
// cluster beside it: private addresses are fine, and only what no monitoring
// ever listens on is refused (link-local addresses with the clouds' metadata
// services, multicast, the unspecified address). A repository's policy is
// written by whoever may push there: it reaches public addresses, and of the
// private ones those that the server's configuration allows.
package outbound
