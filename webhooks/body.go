package webhooks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// maxMemory bounds the bytes of all bodies that are held at one moment. Bodies
// are read before a signature can be checked, so whoever reaches the listener
// can make us hold them. Usual bodies have a hundredth of a MiB.
const maxMemory = 96 << 20

var errMemory = errors.New("bodies under way hold all memory that is set aside")

// isJSON reports whether a request says that it carries JSON.
func isJSON(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// read reads a body up to a limit. The second answer is set when it can't, and
// free gives the memory back once the body is done with.
func (s *Server) read(w http.ResponseWriter, r *http.Request, limit int64) (body []byte, bad *outcome, free func()) {
	held := &holding{server: s, from: http.MaxBytesReader(w, r.Body, limit)}
	var buf bytes.Buffer
	var err error
	if r.ContentLength > limit {
		err = &http.MaxBytesError{Limit: limit}
	} else {
		_, err = buf.ReadFrom(held)
	}
	var long *http.MaxBytesError
	switch {
	case err == nil:
		return buf.Bytes(), nil, held.free
	case errors.As(err, &long):
		bad = &outcome{
			status: http.StatusRequestEntityTooLarge, result: resultTooLarge,
			text: fmt.Sprintf("The body is longer than %d bytes.", limit),
		}
	case errors.Is(err, errMemory):
		o := unavailable("Too much is sent at this moment.", err)
		bad = &o
	default:
		o := invalid("The body could not be read to its end.")
		o.err = err
		bad = &o
	}
	held.free()
	return nil, bad, func() {}
}

// holding counts what it reads as held by the server until it is freed.
type holding struct {
	server *Server
	from   io.Reader
	bytes  int64
}

// Read implements io.Reader.
func (h *holding) Read(p []byte) (int, error) {
	n, err := h.from.Read(p)
	h.bytes += int64(n)
	if h.server.memory.Add(int64(n)) > maxMemory {
		return 0, errMemory
	}
	return n, err
}

func (h *holding) free() {
	h.server.memory.Add(-h.bytes)
	h.bytes = 0
}
