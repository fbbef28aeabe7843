package outbound

import (
	"net/netip"
)

// Origin is who wrote an address down.
type Origin int

// The origins. The zero value is the one that may reach least.
const (
	FromRepository Origin = iota // a policy file in a repository
	FromConfig                   // the server's configuration
)

// metadata are the clouds' metadata services that are not link-local: they
// hand credentials to whoever asks from inside. The link-local ones
// (169.254.169.254 of nearly all, fe80::) are covered by their range.
var metadata = prefixes(
	"fd00:ec2::/32",      // AWS: fd00:ec2::254 and its kin (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html)
	"fd20:ce::254/128",   // Google Cloud (https://cloud.google.com/compute/docs/metadata/querying-metadata)
	"100.100.100.200/32", // Alibaba Cloud
	"168.63.129.16/32",   // Azure's wire server (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16)
	"192.0.0.192/32",     // Oracle Cloud Classic
)

// internal are ranges that lead to something inside, besides what netip calls
// loopback and private (https://www.iana.org/assignments/iana-ipv4-special-registry,
// https://www.iana.org/assignments/iana-ipv6-special-registry).
var internal = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "fec0::/10",
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func among(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Forbidden says in a few words why an address may not be reached, "" when it
// may. Allow are private ranges that a repository may reach; what no origin may
// reach, it can't open.
func (o Origin) Forbidden(a netip.Addr, allow []netip.Prefix) string {
	for _, a := range meanings(a) {
		if why := o.forbidden(a, allow); why != "" {
			return why
		}
	}
	return ""
}

func (o Origin) forbidden(a netip.Addr, allow []netip.Prefix) string {
	switch {
	case !a.IsValid(), a.IsUnspecified():
		return "it is no address of a host"
	case a.IsLinkLocalUnicast(), among(metadata, a):
		return "it is link-local or a cloud's metadata service"
	case a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "it is a multicast or broadcast address"
	case o == FromConfig, among(allow, a):
		return ""
	case a.IsLoopback():
		return "it is this machine"
	case a.IsPrivate(), among(internal, a):
		return "it is a private or reserved address"
	}
	return ""
}

// meanings are an address and the IPv4 addresses that are written inside it:
// mapped, compatible, NAT64 (RFC 6052) and 6to4 (RFC 3056). A gateway on the
// way may follow them.
func meanings(a netip.Addr) []netip.Addr {
	a = a.WithZone("").Unmap()
	out := []netip.Addr{a}
	if !a.Is6() {
		return out
	}
	b := a.As16()
	four := func(at int) netip.Addr { return netip.AddrFrom4([4]byte(b[at : at+4])) }
	switch {
	case a.IsLoopback(), a.IsUnspecified():
	case among(prefixes("64:ff9b::/96", "64:ff9b:1::/48", "::/96"), a):
		out = append(out, four(12))
	case among(prefixes("2002::/16"), a):
		out = append(out, four(2))
	}
	return out
}
