package fakehub

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// argText is a string argument, "" where it is not given.
func argText(args obj, name string) string {
	s, _ := args[name].(string)
	return s
}

// argInt is a number argument, however it was decoded.
func argInt(args obj, name string) (n int, ok bool) {
	switch v := args[name].(type) {
	case int64:
		return int(v), true
	case int:
		return v, true
	case float64:
		return int(v), true
	case json.Number:
		i, err := v.Int64()
		return int(i), err == nil
	}
	return 0, false
}

func argBool(args obj, name string) bool {
	b, _ := args[name].(bool)
	return b
}

// argList is a list of input objects or strings.
func argList[T any](args obj, name string) []T {
	raw, _ := args[name].([]any)
	var list []T
	for _, v := range raw {
		if t, ok := v.(T); ok {
			list = append(list, t)
		}
	}
	return list
}

func argObject(args obj, name string) obj {
	o, _ := args[name].(map[string]any)
	return o
}

func cursor(n int) string {
	return base64.StdEncoding.EncodeToString([]byte("cursor:" + strconv.Itoa(n)))
}

func position(cursor string) (int, bool) {
	raw, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimPrefix(string(raw), "cursor:"))
	return n, err == nil
}

// window turns first/last/after/before into a part of a list. GitHub refuses
// connections that say neither how many from the front nor from the back.
func window(args obj, n int) (from, to int, err error) {
	to = n
	if p, ok := position(argText(args, "after")); ok {
		from = min(max(p, 0), n)
	}
	if p, ok := position(argText(args, "before")); ok {
		to = min(max(p-1, from), n)
	}
	first, hasFirst := argInt(args, "first")
	last, hasLast := argInt(args, "last")
	switch {
	case !hasFirst && !hasLast:
		return 0, 0, &apiError{
			kind: "MISSING_PAGINATION_BOUNDARIES", message: "You must provide a `first` or `last` value to properly paginate the connection.",
		}
	case first > maxPage || last > maxPage:
		return 0, 0, &apiError{
			kind: "EXCESSIVE_PAGINATION", message: fmt.Sprintf("Requesting %d records on the connection exceeds the `first` limit of %d records.", max(first, last), maxPage),
		}
	case hasFirst:
		to = min(to, from+first)
	default:
		from = max(from, to-last)
	}
	return from, to, nil
}
