package fakehub

import (
	"fmt"
	"net/http"
)

// obj is one JSON object. GitHub's answers are built from it directly: they
// have hundreds of fields, of which the hub has a few and a client reads a few.
type obj = map[string]any

// apiError is a refusal that both APIs can say.
type apiError struct {
	status  int    // of the REST answer
	kind    string // GraphQL `type`
	message string
	graph   string // GraphQL message where it is worded differently
	details []any  // REST `errors`
	accepts string // X-Accepted-GitHub-Permissions
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s", e.status, e.message) }

func (e *apiError) graphMessage() string {
	if e.graph != "" {
		return e.graph
	}
	return e.message
}

func errNotFound() *apiError {
	return &apiError{status: http.StatusNotFound, kind: "NOT_FOUND", message: "Not Found"}
}

// errForbidden is GitHub's answer to an App that lacks a permission.
func errForbidden(accepts string) *apiError {
	return &apiError{
		status: http.StatusForbidden, kind: "FORBIDDEN", accepts: accepts,
		message: "Resource not accessible by integration",
	}
}

func errUnprocessable(message string) *apiError {
	return &apiError{status: http.StatusUnprocessableEntity, kind: "UNPROCESSABLE", message: message}
}

// errInvalid is "Validation Failed" with one custom reason. GraphQL says the
// reason alone.
func errInvalid(resource, field, reason string) *apiError {
	d := obj{"resource": resource, "code": "custom", "message": reason}
	if field != "" {
		d = obj{"resource": resource, "code": "invalid", "field": field}
	}
	return &apiError{
		status: http.StatusUnprocessableEntity, kind: "UNPROCESSABLE",
		message: "Validation Failed", graph: reason, details: []any{d},
	}
}

// errReview is how the review endpoints say why not.
func errReview(reason string) *apiError {
	return &apiError{
		status: http.StatusUnprocessableEntity, kind: "UNPROCESSABLE",
		message: "Unprocessable Entity", graph: reason, details: []any{reason},
	}
}

// errRefused is a merge that the branch or the repository does not allow.
func errRefused(message string) *apiError {
	return &apiError{status: http.StatusMethodNotAllowed, kind: "UNPROCESSABLE", message: message}
}
