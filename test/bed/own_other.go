//go:build unix && !linux

package bed

import "syscall"

// own puts a child into a process group of its own. Only Linux can kill it with
// its parent: elsewhere a test that is killed leaves processes behind.
func own() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
