//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package durable

import "errors"

type dirLock struct{}

func lockDir(string) (*dirLock, error) {
	return nil, errors.New("this system has no flock, without which two servers could act on one record: run the server on Linux or macOS, or use PostgreSQL")
}

func (*dirLock) unlock() error { return nil }
