package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/backout-dev/backout/bot"
)

// maxAnswer bounds a GraphQL answer in bytes; the largest real one, a page of
// checks, has some 50 kB.
const maxAnswer = 8 << 20

// graphql sends a document and decodes its data into out, also when there are
// errors beside it: in a mutation document each field succeeds or fails by
// itself. Errors come back as graphErrors.
//
// It is ours because shurcooL's client drops the type and the path of errors,
// by which "already exists" and "stale" are told apart; the input types are
// shurcooL's.
func (r *repository) graphql(ctx context.Context, document string, vars map[string]any, out any) error {
	body, err := json.Marshal(map[string]any{"query": document, "variables": vars})
	if err != nil {
		return fmt.Errorf("encode a GraphQL document: %w", err)
	}
	raw, header, err := r.post(ctx, body)
	if err != nil && ctx.Err() == nil && !refused(err) && strings.HasPrefix(strings.TrimSpace(document), "query") {
		raw, header, err = r.post(ctx, body) // a read may be repeated once.
	}
	if err != nil {
		return err
	}
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors []graphError    `json:"errors"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("read a GraphQL answer: %w", err)
	}
	if len(answer.Errors) == 0 && (len(answer.Data) == 0 || string(answer.Data) == "null") {
		// Not an answer, so nothing may be taken for absent.
		return errors.New("read a GraphQL answer: it holds neither data nor errors")
	}
	if len(answer.Data) > 0 {
		if err := json.Unmarshal(answer.Data, out); err != nil {
			return fmt.Errorf("read a GraphQL answer: %w", err)
		}
	}
	if len(answer.Errors) == 0 {
		return nil
	}
	return graphErrors{list: answer.Errors, header: header}
}

// post sends one document and reads the whole answer.
func (r *repository) post(ctx context.Context, body []byte) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.client.graphqlURL, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	// Older Enterprise Servers show mergeStateStatus only to who asks for it.
	req.Header.Set("Accept", "application/vnd.github.merge-info-preview+json, application/json")
	req.Header.Set("User-Agent", "backout")
	resp, err := r.graph.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // it is read to its end.
	if err := github.CheckResponse(resp); err != nil {
		return nil, nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return raw, resp.Header, err
}

// graphError is one entry of "errors". Type is GitHub's addition to the
// specification; where it is missing, the document itself was refused.
type graphError struct {
	Type    string `json:"type"`
	Path    []any  `json:"path"`
	Message string `json:"message"`
}

// field is the top-level field that failed, "" for the whole document.
func (e graphError) field() string {
	if len(e.Path) == 0 {
		return ""
	}
	s, _ := e.Path[0].(string)
	return s
}

// graphErrors are all errors of one answer.
type graphErrors struct {
	list   []graphError
	header http.Header
}

// Error implements error.
func (e graphErrors) Error() string {
	var all []string
	for _, one := range e.list {
		all = append(all, tidy(strings.TrimSpace(one.Type+" "+one.Message)))
	}
	return strings.Join(all, "; ")
}

func (e graphErrors) has(typ string) bool {
	for _, one := range e.list {
		if one.Type == typ {
			return true
		}
	}
	return false
}

// at returns the errors of one top-level field, ok false when it has none.
func (e graphErrors) at(field string) (graphErrors, bool) {
	part := graphErrors{header: e.header}
	for _, one := range e.list {
		if one.field() == field {
			part.list = append(part.list, one)
		}
	}
	return part, len(part.list) > 0
}

// beforeEffect reports that the document was refused as a whole: nothing in it
// was executed.
func (e graphErrors) beforeEffect() bool {
	for _, one := range e.list {
		if one.field() != "" || transientType(one) {
			return false
		}
	}
	return true
}

// asGraph unwraps graphErrors.
func asGraph(err error) (graphErrors, bool) {
	var e graphErrors
	ok := errors.As(err, &e)
	return e, ok
}

// judgeGraph classes GraphQL errors by the first one: the fields of a document
// build on each other, so what follows is its consequence.
func (c *Client) judgeGraph(e graphErrors) *bot.Trouble {
	first := e.list[0]
	said := tidy(first.Message)
	switch {
	case e.has("RATE_LIMITED"), strings.Contains(first.Message, "secondary rate limit"):
		return limited("GitHub's rate limit is used up", retryAfter(e.header, c.now()))
	case first.Type == "FORBIDDEN", first.Type == "INSUFFICIENT_SCOPES":
		accepted := e.header.Get("X-Accepted-Github-Permissions")
		if accepted == "" {
			accepted = first.permission()
		}
		return forbidden(said, accepted)
	case first.Type == "NOT_FOUND":
		return bot.NewTrouble(bot.TroubleNotFound, nil, "GitHub says: %s", said)
	case first.Type == "STALE_DATA":
		return bot.NewTrouble(bot.TroubleStale, nil, "GitHub says: %s", said)
	case transientType(first):
		return bot.NewTrouble(bot.TroubleTransient, nil, "GitHub is in trouble: %s", said)
	}
	return bot.NewTrouble(bot.TroubleInvalid, nil, "GitHub says: %s", said)
}

// permission is what a field needs, since GraphQL answers don't say.
func (e graphError) permission() string {
	if slices.Contains(e.Path, any("statusCheckRollup")) {
		return "checks=read, statuses=read"
	}
	switch e.field() {
	case "createRef", "createCommitOnBranch":
		return "contents=write"
	case "createPullRequest":
		return "pull_requests=write"
	case "enqueuePullRequest", "dequeuePullRequest", "enablePullRequestAutoMerge", "disablePullRequestAutoMerge":
		// Documented nowhere; Apps with just these two do it
		// (https://github.com/Systemorph/MeshWeaver/pull/3134).
		return "contents=write, pull_requests=write"
	}
	return ""
}

// transientType tells errors of GitHub's own: they carry a type of their own
// or no type and a well-known sentence.
func transientType(e graphError) bool {
	switch e.Type {
	case "SERVICE_UNAVAILABLE", "INTERNAL", "INTERNAL_ERROR", "LOADING", "TIMEOUT", "RATE_LIMITED", "MAX_NODE_LIMIT_EXCEEDED":
		return true
	}
	return strings.HasPrefix(e.Message, "Something went wrong") || strings.Contains(e.Message, "timeout")
}
