package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// killSwitch is on while its file exists, and while nobody can tell. It is
// looked at each time, so it works at once.
type killSwitch struct{ file string }

// On implements bot.Switch.
func (k killSwitch) On(context.Context) (bool, string) {
	if k.file == "" {
		return false, ""
	}
	// A link that leads nowhere is there, too: no reason to act.
	_, err := os.Lstat(k.file)
	switch {
	case err == nil:
		return true, "the file " + k.file + " exists."
	case !errors.Is(err, fs.ErrNotExist):
		return true, "the file " + k.file + " can't be looked at, which counts as on."
	}
	// Without its folder, a volume is not mounted or the name is wrong: then
	// the file would not be seen when it is made.
	if info, err := os.Stat(filepath.Dir(k.file)); err != nil || !info.IsDir() {
		return true, "the folder of " + k.file + " can't be looked at, which counts as on."
	}
	return false, ""
}
