package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
)

// signature reads X-Hub-Signature-256: 32 bytes as "sha256=" and 64 hexadecimal
// digits. why says what is wrong with it.
//
// go-github's ValidatePayload is not used: it accepts SHA-1, an empty secret,
// and a body without end.
func signature(h http.Header) (sum []byte, why string) {
	value := h.Get("X-Hub-Signature-256")
	switch {
	case value == "" && h.Get("X-Hub-Signature") != "":
		return nil, "The delivery is signed with SHA-1 only; X-Hub-Signature-256 is required."
	case value == "":
		return nil, "The delivery is not signed: set the webhook's secret in the GitHub App's settings."
	}
	digits, ok := strings.CutPrefix(value, "sha256=")
	sum, err := hex.DecodeString(digits)
	if !ok || err != nil || len(sum) != sha256.Size {
		return nil, "X-Hub-Signature-256 is not a SHA-256 signature."
	}
	return sum, ""
}

// signed reports whether a body was signed with one of the secrets. All are
// tried, so that the time does not tell which.
func signed(body, sum []byte, secrets [][]byte) bool {
	ok := 0
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write(body) // a hash's Write has no error
		ok |= subtle.ConstantTimeCompare(mac.Sum(nil), sum)
	}
	return ok == 1
}

// bearer reports whether a request carries one of the tokens. Digests are
// compared, so that the time does not tell their lengths either.
func bearer(h http.Header, tokens [][]byte) bool {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	got := sha256.Sum256([]byte(token))
	ok := 0
	for _, t := range tokens {
		want := sha256.Sum256(t)
		ok |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	return ok == 1
}
