package bed

import "syscall"

// own puts a child into a process group of its own and has the kernel kill it
// when this process dies, however it dies.
func own() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
