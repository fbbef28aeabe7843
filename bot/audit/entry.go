package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/backout-dev/backout/bot"
)

// Kind is what a line tells.
type Kind string

// The kinds.
const (
	KindStart    Kind = "start"    // the bot was started
	KindEvent    Kind = "event"    // a webhook was taken in
	KindDecision Kind = "decision" // a step came to a result, which What holds
	KindAttempt  Kind = "attempt"  // an outside effect is about to be tried
	KindEffect   Kind = "effect"   // what came of the attempt
	KindRecord   Kind = "record"   // the ledger took something down
)

// Entry is one line. Fields may be added, never renamed or reused.
type Entry struct {
	// Seq counts the lines from 1, across files, without gaps.
	Seq  int64     `json:"seq"`
	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`
	// Act names it in the words of the ports and steps: "merge", "hold", "decide".
	Act string `json:"act"`
	// Flow is the run that it belongs to ("rollback/v1"); empty for upkeep.
	Flow     string         `json:"flow,omitempty"`
	Rollback bot.RollbackID `json:"rollback,omitempty"`
	Repo     bot.RepoName   `json:"repo,omitempty"`
	App      string         `json:"app,omitempty"`
	// Actor is for whom it is done: a login, "alertmanager", or "backout" for
	// what the bot does of itself.
	Actor string `json:"actor,omitempty"`
	Why   string `json:"why,omitempty"`
	// What are the inputs of an effect, or a decision with all it rests on.
	What json.RawMessage `json:"what,omitempty"`
	// Result is "done" or the kind of trouble; empty in an attempt.
	Result string `json:"result,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Of is the line of the attempt that an effect belongs to.
	Of int64 `json:"of,omitempty"`
	// TookMS is how long the effect took, in milliseconds.
	TookMS int64 `json:"took_ms,omitempty"`
	// Torn is the SHA-256 of the unfinished line before this one, which a crash
	// left.
	Torn string `json:"torn,omitempty"`
	// Prev is the SHA-256 of the line before, without its line break; of the
	// last whole one where that was torn. Empty in the first line of all.
	Prev string `json:"prev,omitempty"`
}

// The bounds of what one line holds, in bytes. A step's result that is longer
// stands in the engine's journal; here its hash does.
const (
	maxWhat = 64 << 10
	maxText = 1000
	maxLine = 256 << 10
)

// what encodes inputs, cut to maxWhat.
func what(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		raw, _ = json.Marshal("not encodable: " + err.Error())
	}
	return short(raw, maxWhat)
}

// short replaces what is too long by its hash, its length and its beginning.
func short(raw json.RawMessage, limit int) json.RawMessage {
	if len(raw) <= limit {
		return raw
	}
	out, _ := json.Marshal(struct {
		SHA256 string `json:"sha256"`
		Bytes  int    `json:"bytes"`
		Begins string `json:"begins"`
	}{digest(raw), len(raw), clip(string(raw), maxText)})
	return out
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// clip cuts a text to limit bytes, at a rune.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}
