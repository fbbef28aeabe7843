package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

// killSwitch is on while its file exists, and while nobody can tell.
type killSwitch struct{ file string }

// On implements bot.Switch.
func (k killSwitch) On(context.Context) (bool, string) {
	if k.file == "" {
		return false, ""
	}
	_, err := os.Stat(k.file)
	switch {
	case err == nil:
		return true, "the file " + k.file + " exists."
	case errors.Is(err, fs.ErrNotExist):
		return false, ""
	default:
		return true, "it can't be read, which counts as on."
	}
}
