package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// clock is a process's wall clock, which can be set without touching the machine's. Programs ask the time of a function that Linux maps into
// each process, the vDSO's clock_gettime; in the process it is replaced by one that asks the kernel and adds an offset to what it says of the wall clock.
type clock struct {
	memory string // the process's memory as a file
	offset int64  // address of the offset, in whole seconds
}

// errNoClock says that a process's clock cannot be set here.
var errNoClock = fmt.Errorf("%w: set the clock of a process", errLeftOut)

// replacement is the code of the new clock_gettime; the offset follows it.
var replacement = []byte{
	0xb8, 0xe4, 0x00, 0x00, 0x00, // mov eax, 228: clock_gettime
	0x0f, 0x05, // syscall
	0x85, 0xff, // test edi, edi: CLOCK_REALTIME is 0
	0x75, 0x0a, // jne to the return
	0x48, 0x8b, 0x0d, 0x04, 0x00, 0x00, 0x00, // mov rcx, the offset
	0x48, 0x01, 0x0e, // add [rsi], rcx
	0xc3, // ret
}

// openClock replaces the clock of a process that has just been started, or finds the one that it put there before.
func openClock(pid int) (*clock, error) {
	if runtime.GOARCH != "amd64" {
		return nil, fmt.Errorf("%w on %s", errNoClock, runtime.GOARCH)
	}
	base, size, err := vdso(pid)
	if err != nil {
		return nil, err
	}
	c := &clock{memory: fmt.Sprintf("/proc/%d/mem", pid)}
	image := make([]byte, size)
	if err := c.read(base, image); err != nil {
		return nil, err
	}
	entry, err := symbol(image, "__vdso_clock_gettime")
	if err != nil {
		return nil, err
	}
	// The image is padded to whole pages; the code goes to the end of the last one.
	place := size - int64(len(replacement)) - 8
	c.offset = base + place + int64(len(replacement))
	jump := binary.LittleEndian.AppendUint32([]byte{0xe9}, uint32(int32(place-(entry+5))))
	if bytes.Equal(image[entry:entry+5], jump) {
		return c, nil
	}
	if !bytes.Equal(image[place:], make([]byte, size-place)) {
		return nil, fmt.Errorf("%w: no room in its vDSO", errNoClock)
	}
	if err := c.write(base+place, replacement); err != nil {
		return nil, err
	}
	return c, c.write(base+entry, jump)
}

// jump puts the process's wall clock so far before the machine's, or behind it.
func (c *clock) jump(by time.Duration) error {
	return c.write(c.offset, binary.LittleEndian.AppendUint64(nil, uint64(by/time.Second)))
}

func (c *clock) read(at int64, into []byte) error {
	f, err := os.Open(c.memory)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.ReadAt(into, at)
	return err
}

func (c *clock) write(at int64, what []byte) error {
	f, err := os.OpenFile(c.memory, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(what, at)
	return errors.Join(err, f.Close())
}

// vdso says where a process's vDSO lies.
func vdso(pid int) (base, size int64, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(maps)) {
		if strings.HasSuffix(strings.TrimSpace(line), "[vdso]") {
			var end int64
			if _, err := fmt.Sscanf(line, "%x-%x", &base, &end); err != nil {
				return 0, 0, err
			}
			return base, end - base, nil
		}
	}
	return 0, 0, fmt.Errorf("%w: it has no vDSO", errNoClock)
}

// symbol finds the offset of a function in an ELF image.
func symbol(image []byte, name string) (int64, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return 0, err
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return 0, err
	}
	for _, s := range symbols {
		if s.Name == name {
			return int64(s.Value), nil
		}
	}
	return 0, fmt.Errorf("%w: its vDSO has no %s", errNoClock, name)
}
