package sandbox

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// excess reports whether the sandbox holds more than it may: the memory of its processes and of its files together, or files. Pages that forked
// processes still share count for each. It looks now and then, so a program can hold more for as long as there is between two looks.
func excess(first int, l Limits) bool {
	held := int64(0)
	var tmp syscall.Statfs_t
	if err := syscall.Statfs("/proc/"+strconv.Itoa(first)+"/root/tmp", &tmp); err == nil && tmp.Type == tmpfsMagic {
		if int64(tmp.Files-tmp.Ffree) > l.Inodes {
			return true
		}
		held += int64(tmp.Blocks-tmp.Bfree) * tmp.Bsize
	}
	// Processes whose parent ended are children of the first one, so a walk from there finds all.
	for queue := []int{first}; len(queue) > 0 && held <= l.Memory; queue = queue[1:] {
		held += memory(queue[0])
		queue = append(queue, children(queue[0])...)
	}
	return held > l.Memory
}

const tmpfsMagic = 0x01021994

// memory is what a process holds in bytes, but for pages of files; 0 for one that has gone.
func memory(pid int) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	total := int64(0)
	for line := range bytes.Lines(b) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if string(name) != "RssAnon" && string(name) != "RssShmem" {
			continue
		}
		if f := bytes.Fields(value); len(f) == 2 {
			kib, _ := strconv.ParseInt(string(f[0]), 10, 64)
			total += kib << 10
		}
	}
	return total
}

func children(pid int) []int {
	tasks, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if err != nil {
		return nil
	}
	var all []int
	for _, t := range tasks {
		b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + t.Name() + "/children")
		for _, f := range bytes.Fields(b) {
			if child, err := strconv.Atoi(string(f)); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}
