package main

import (
	"io/fs"

	"github.com/backout-dev/backout/vcs/git"
)

// watched is a tree that keeps the first error of an object that is missing or
// damaged. The ranking passes over what it can't read, since templates and large
// files are no reason to give no answer; an incomplete clone is one.
type watched struct {
	fs.FS
	repo   *git.Repository
	failed error
}

func (w *watched) keep(err error) error {
	if err != nil && w.failed == nil {
		w.failed = w.repo.Unreadable(err)
	}
	return err
}

func (w *watched) Open(name string) (fs.File, error) {
	f, err := w.FS.Open(name)
	return f, w.keep(err)
}

func (w *watched) ReadFile(name string) ([]byte, error) {
	b, err := fs.ReadFile(w.FS, name)
	return b, w.keep(err)
}

func (w *watched) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(w.FS, name)
	return list, w.keep(err)
}

func (w *watched) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(w.FS, name)
	return info, w.keep(err)
}

func (w *watched) Lstat(name string) (fs.FileInfo, error) {
	info, err := fs.Lstat(w.FS, name)
	return info, w.keep(err)
}

func (w *watched) ReadLink(name string) (string, error) {
	to, err := fs.ReadLink(w.FS, name)
	return to, w.keep(err)
}
