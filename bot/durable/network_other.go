//go:build !linux

package durable

func networkKind(string) string { return "" }
