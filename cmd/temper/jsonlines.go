package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// strictJSON reads one object with no other fields than the target's.
func strictJSON(line []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("has more than one JSON value")
	}
	return nil
}

// maxLine is the longest line of JSON lines that is kept in memory.
const maxLine = 64 << 20

var errLineLength = fmt.Errorf("is longer than %d MiB", maxLine>>20)

// answerLines writes the answer to each line as soon as no other line has arrived, so that another program can ask and wait, and one that
// does not wait is answered at full speed. Blank lines have no answer. A line that cannot be answered is answered by bad, or ends it, named
// by its number, where bad is nil. Memory is that of the longest line.
func answerLines(in io.Reader, out io.Writer, answer func(line []byte) (any, error), bad func(error) any) error {
	r, w := bufio.NewReaderSize(in, 1<<16), bufio.NewWriterSize(out, 1<<16)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for number := 1; ; number++ {
		line, end, err := readLine(r)
		if err != nil && !errors.Is(err, errLineLength) {
			return errors.Join(fmt.Errorf("line %d: %w", number, err), w.Flush())
		}
		if err != nil || len(bytes.TrimSpace(line)) > 0 {
			var v any
			if err == nil {
				v, err = answer(line)
			}
			if err != nil {
				err = fmt.Errorf("line %d: %w", number, err)
				if bad == nil {
					return errors.Join(err, w.Flush())
				}
				v = bad(err)
			}
			if err := enc.Encode(v); err != nil {
				return fmt.Errorf("answer line %d: %w", number, err)
			}
		}
		if end || r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return fmt.Errorf("answer line %d: %w", number, err)
			}
		}
		if end {
			return nil
		}
	}
}

// readLine gives the next line and whether it is the last. One that is too long is read to its end and not kept.
func readLine(r *bufio.Reader) (line []byte, end bool, err error) {
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxLine; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, false, err
		case long:
			return nil, err != nil, errLineLength
		}
		return line, err != nil, nil
	}
}
