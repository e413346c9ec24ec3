package device

import (
	"errors"
	"fmt"
	"strings"
)

// ErrOutOfMemory says that the device had no memory for a buffer, or for what a program computes on the way. What the program was given to consume is
// gone; the rest of the device is as it was.
var ErrOutOfMemory = errors.New("out of memory")

// exhausted marks an error of the plugin that tells of too little memory as ErrOutOfMemory. go-xla gives the code of a PJRT error in its text alone: 8 is
// RESOURCE_EXHAUSTED. YNNPACK, with which XLA multiplies matrices on a CPU, has no word for it: all its operations fail for is memory.
func exhausted(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if strings.Contains(text, "PJRT error (code=8)") || strings.Contains(text, "YNNPACK operation failed") {
		return fmt.Errorf("%w: %w", ErrOutOfMemory, err)
	}
	return err
}
