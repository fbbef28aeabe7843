package argo

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// web speaks gRPC-web, unary calls only, as an interceptor that answers in
// place of the transport: one POST with one length-prefixed message; the answer
// is a message and a frame of trailers, the latter marked by the highest bit of
// its flag byte
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md).
type web struct {
	base   string
	client *http.Client
}

const (
	frameHeader  = 5 // flag byte and big-endian length
	frameTrailer = 0x80
)

func newWeb(c Config, secure *tls.Config) *web {
	base := url.URL{Scheme: "https", Host: c.Server, Path: strings.Trim(c.RootPath, "/")}
	if c.PlainText {
		base.Scheme = "http"
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = secure
	return &web{base: strings.TrimSuffix(base.String(), "/"), client: &http.Client{Transport: transport}}
}

func (w *web) invoke(ctx context.Context, method string, req, reply any, _ *grpc.ClientConn, _ grpc.UnaryInvoker, _ ...grpc.CallOption) error {
	codec := encoding.GetCodecV2("proto")
	data, err := codec.Marshal(req)
	if err != nil {
		return status.Errorf(codes.Internal, "encode the request: %v", err)
	}
	resp, err := w.post(ctx, method, data.Materialize())
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	message, err := readReply(resp)
	if err != nil {
		return err
	}
	if err := codec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(message)}, reply); err != nil {
		return status.Errorf(codes.Internal, "decode the answer: %v", err)
	}
	return nil
}

func (w *web) post(ctx context.Context, method string, message []byte) (*http.Response, error) {
	frame := make([]byte, frameHeader, frameHeader+len(message))
	binary.BigEndian.PutUint32(frame[1:], uint32(len(message)))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.base+method, bytes.NewReader(append(frame, message...)))
	if err != nil {
		return nil, status.Errorf(codes.Internal, "make the request: %v", err)
	}
	md, _ := metadata.FromOutgoingContext(ctx)
	for k, vs := range md {
		for _, v := range vs {
			r.Header.Add(k, v)
		}
	}
	r.Header.Set("Content-Type", "application/grpc-web+proto")
	r.Header.Set("User-Agent", "backout")
	resp, err := w.client.Do(r)
	switch {
	case err == nil:
		return resp, nil
	case ctx.Err() != nil:
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	return nil, status.Error(codes.Unavailable, err.Error())
}

// readReply returns the message of an answer, or its error.
func readReply(resp *http.Response) ([]byte, error) {
	if resp.StatusCode != http.StatusOK {
		return nil, status.Errorf(httpCode(resp.StatusCode), "unexpected HTTP status code %d", resp.StatusCode)
	}
	if err := grpcStatus(resp.Header); err != nil {
		return nil, err
	}
	if t := resp.Header.Get("Content-Type"); !strings.HasPrefix(t, "application/grpc-web") {
		return nil, status.Errorf(codes.Unavailable, "unexpected content type %q", t)
	}
	var message []byte
	for {
		flag, body, err := readFrame(resp.Body)
		switch {
		case errors.Is(err, io.EOF) && message != nil:
			return message, nil
		case err != nil:
			return nil, status.Errorf(codes.Unavailable, "read the answer: %v", err)
		case flag&frameTrailer != 0:
			if err := grpcStatus(trailers(body)); err != nil {
				return nil, err
			}
		default:
			message = body
		}
	}
}

func readFrame(r io.Reader) (flag byte, body []byte, err error) {
	var h [frameHeader]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(h[1:])
	if n > maxMessage {
		return 0, nil, fmt.Errorf("a message of %d bytes", n)
	}
	body, err = io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && len(body) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	return h[0], body, err
}

func trailers(frame []byte) http.Header {
	h := http.Header{}
	for line := range strings.SplitSeq(string(frame), "\r\n") {
		if k, v, ok := strings.Cut(line, ":"); ok {
			h.Set(k, strings.TrimSpace(v))
		}
	}
	return h
}

// grpcStatus is the error that headers or trailers carry, if any.
func grpcStatus(h http.Header) error {
	s := h.Get("Grpc-Status")
	if s == "" || s == "0" {
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		n = uint64(codes.Unknown)
	}
	text, err := url.PathUnescape(h.Get("Grpc-Message"))
	if err != nil {
		text = h.Get("Grpc-Message")
	}
	return status.Error(codes.Code(n), text)
}

// httpCode is the gRPC code of an answer that did not come from gRPC
// (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).
func httpCode(status int) codes.Code {
	switch status {
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.Unimplemented
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return codes.Unavailable
	}
	return codes.Unknown
}
