package durable

import "syscall"

// networkKind names the network file system that dir is on; empty when it is
// not on one that we know. The numbers are those of statfs(2).
func networkKind(dir string) string {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return ""
	}
	switch uint32(fs.Type) { // the field's type differs by architecture
	case 0x6969:
		return "NFS"
	case 0x517b, 0xff534d42, 0xfe534d42:
		return "SMB"
	case 0x00c36400:
		return "CephFS"
	}
	return ""
}
