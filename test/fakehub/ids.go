package fakehub

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
)

// nodeID builds a global node ID the way GitHub's look since 2021: a prefix
// for the type, then base64 of a MessagePack array that ends in the database
// ID. Clients must treat it as opaque; the hub itself looks it up in a map.
func nodeID(prefix string, ids ...int64) string {
	raw := []byte{0x90 | byte(len(ids)+1), 0x00}
	for _, id := range ids {
		raw = append(raw, 0xce)
		raw = binary.BigEndian.AppendUint32(raw, uint32(id))
	}
	return prefix + "_" + base64.RawURLEncoding.EncodeToString(raw)
}

// shaNodeID is nodeID for git objects, which have a name and no number.
func shaNodeID(prefix string, repo int64, sha string) string {
	raw := binary.BigEndian.AppendUint32([]byte{0x93, 0x00, 0xce}, uint32(repo))
	raw = append(append(raw, 0xd9, byte(len(sha))), sha...)
	return prefix + "_" + base64.RawURLEncoding.EncodeToString(raw)
}

// newGUID returns a random UUID, as in X-GitHub-Delivery.
func newGUID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never fails.
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newSecret returns a token with GitHub's prefix and 36 more characters.
func newSecret(prefix string) string {
	return prefix + "_" + (rand.Text() + rand.Text())[:36]
}

// stamp formats a time as GitHub does: UTC, whole seconds.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// stampOrNil is stamp for times that may not have come.
func stampOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}
