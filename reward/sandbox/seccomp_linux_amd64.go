package sandbox

import (
	"encoding/binary"
	"sync"
	"syscall"
)

// The filter is a list of what is refused, since interpreters and runtimes differ in what they call. What is newer than the list is refused too, as
// by an older kernel, so that programs take their older way.

// newest is the last system call that was weighed for the list: statmount and listmount (457, 458) are refused by it, and so is what follows.
const newest = 456

// refused calls give EPERM: ways out of the namespaces, to other processes' memory, into the kernel's lesser-used parts, and memory that the limits do not count.
var refused = []uint32{
	// Network and other address families; socketpair is below.
	syscall.SYS_SOCKET, syscall.SYS_BIND, syscall.SYS_LISTEN, syscall.SYS_CONNECT, syscall.SYS_ACCEPT, syscall.SYS_ACCEPT4,
	// Other processes.
	syscall.SYS_PTRACE, 310 /* process_vm_readv */, 311 /* process_vm_writev */, 312 /* kcmp */, 438 /* pidfd_getfd */, 440 /* process_madvise */, 448, /* process_mrelease */
	// Namespaces and mounts.
	syscall.SYS_MOUNT, syscall.SYS_UMOUNT2, syscall.SYS_PIVOT_ROOT, syscall.SYS_CHROOT, syscall.SYS_UNSHARE, 308, /* setns */
	428 /* open_tree */, 429 /* move_mount */, 430 /* fsopen */, 431 /* fsconfig */, 432 /* fsmount */, 433 /* fspick */, 442, /* mount_setattr */
	303 /* name_to_handle_at */, 304, /* open_by_handle_at */
	// The kernel's larger surfaces.
	321 /* bpf */, 298 /* perf_event_open */, 323 /* userfaultfd */, 425 /* io_uring_setup */, 426 /* io_uring_enter */, 427, /* io_uring_register */
	syscall.SYS_ADD_KEY, syscall.SYS_REQUEST_KEY, syscall.SYS_KEYCTL, 300 /* fanotify_init */, 301, /* fanotify_mark */
	syscall.SYS_PERSONALITY, syscall.SYS_MODIFY_LDT, syscall.SYS_USELIB, syscall.SYS_USTAT, syscall.SYS_SYSFS, syscall.SYS_VHANGUP, syscall.SYS_LOOKUP_DCOOKIE,
	syscall.SYS_REMAP_FILE_PAGES, syscall.SYS_VMSPLICE,
	// Memory that is not any process's.
	319 /* memfd_create */, 447 /* memfd_secret */, syscall.SYS_SHMGET, syscall.SYS_SHMAT, syscall.SYS_SHMCTL, syscall.SYS_MSGGET, syscall.SYS_SEMGET,
	syscall.SYS_MQ_OPEN, syscall.SYS_MBIND, syscall.SYS_SET_MEMPOLICY, syscall.SYS_MIGRATE_PAGES, syscall.SYS_MOVE_PAGES, 450, /* set_mempolicy_home_node */
	// The machine. Capabilities are needed for these anyway.
	syscall.SYS_REBOOT, syscall.SYS_KEXEC_LOAD, 320 /* kexec_file_load */, syscall.SYS_INIT_MODULE, 313 /* finit_module */, syscall.SYS_DELETE_MODULE, syscall.SYS_CREATE_MODULE,
	syscall.SYS_SWAPON, syscall.SYS_SWAPOFF, syscall.SYS_SYSLOG, syscall.SYS_ACCT, syscall.SYS_QUOTACTL, 443 /* quotactl_fd */, syscall.SYS_NFSSERVCTL,
	syscall.SYS_SETTIMEOFDAY, syscall.SYS_CLOCK_SETTIME, syscall.SYS_ADJTIMEX, 305 /* clock_adjtime */, syscall.SYS_SETHOSTNAME, syscall.SYS_SETDOMAINNAME,
	syscall.SYS_IOPL, syscall.SYS_IOPERM, syscall.SYS__SYSCTL,
	syscall.SYS_MKNOD, syscall.SYS_MKNODAT,
}

// Parts of a BPF program; see the kernel's filter.h and seccomp.h.
const (
	load, jumpEqual, jumpGreaterEqual, jumpAnySet, answer = 0x20, 0x15, 0x35, 0x45, 0x06

	allow, kill, errno = 0x7fff0000, 0x80000000, 0x00050000

	atNumber, atArch, atArgument = 0, 4, 16 // offsets in seccomp_data; the low halves of arguments are 8 bytes apart

	archX86 = 0xc000003e
	x32     = 0x40000000 // the bit of the third set of system calls
)

// filter is the BPF program that bwrap loads before the program starts; children inherit it, and nothing removes it.
var filter = sync.OnceValue(func() []byte {
	var p []byte
	op := func(code uint16, yes, no uint8, k uint32) {
		p = binary.NativeEndian.AppendUint16(p, code)
		p = append(p, yes, no)
		p = binary.NativeEndian.AppendUint32(p, k)
	}
	op(load, 0, 0, atArch)
	op(jumpEqual, 1, 0, archX86)
	op(answer, 0, 0, kill)
	op(load, 0, 0, atNumber)
	op(jumpGreaterEqual, 0, 1, x32)
	op(answer, 0, 0, kill)
	op(jumpGreaterEqual, 0, 1, newest+1)
	op(answer, 0, 0, errno|uint32(syscall.ENOSYS))
	// clone3 has its flags in memory, which a filter cannot read; without it libraries use clone.
	op(jumpEqual, 0, 1, 435)
	op(answer, 0, 0, errno|uint32(syscall.ENOSYS))
	for _, number := range refused {
		op(jumpEqual, 0, 1, number)
		op(answer, 0, 0, errno|uint32(syscall.EPERM))
	}
	// The rest look at an argument, so each ends the program.
	const namespaces = syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS | syscall.CLONE_NEWCGROUP
	op(jumpEqual, 0, 4, syscall.SYS_CLONE)
	op(load, 0, 0, atArgument)
	op(jumpAnySet, 0, 1, namespaces)
	op(answer, 0, 0, errno|uint32(syscall.EPERM))
	op(answer, 0, 0, allow)
	op(jumpEqual, 0, 4, syscall.SYS_SOCKETPAIR)
	op(load, 0, 0, atArgument)
	op(jumpEqual, 1, 0, syscall.AF_UNIX)
	op(answer, 0, 0, errno|uint32(syscall.EPERM))
	op(answer, 0, 0, allow)
	op(jumpEqual, 0, 4, syscall.SYS_IOCTL)
	op(load, 0, 0, atArgument+8)
	op(jumpEqual, 1, 0, syscall.TIOCSTI)
	op(jumpEqual, 0, 1, 0x541c) // TIOCLINUX
	op(answer, 0, 0, errno|uint32(syscall.EPERM))
	op(answer, 0, 0, allow)
	return p
})
