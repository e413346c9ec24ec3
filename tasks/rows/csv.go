package rows

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// csvRows reads a table (RFC 4180) whose first row names the columns, unless they are given. A name that is empty becomes the column's number, from 0.
func csvRows(comma rune) reader {
	return func(path string, r io.Reader, o Options, emit emit) error {
		b := bufio.NewReaderSize(r, 1<<16)
		if mark, err := b.Peek(len(byteOrderMark)); err == nil && string(mark) == string(byteOrderMark) {
			_, _ = b.Discard(len(byteOrderMark)) // it was peeked at
		}
		in := csv.NewReader(b)
		in.Comma, in.ReuseRecord = comma, true
		header, err := o.Columns, error(nil)
		if header == nil {
			header, err = in.Read()
		} else {
			in.FieldsPerRecord = len(header)
		}
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: has no header", path)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		names := make([]string, len(header))
		seen := map[string]bool{}
		for i, name := range header {
			if names[i] = strings.TrimSpace(name); names[i] == "" {
				names[i] = strconv.Itoa(i)
			}
			if seen[names[i]] {
				return fmt.Errorf("%s: the column %q is there twice", path, names[i])
			}
			seen[names[i]] = true
		}
		for {
			record, err := in.Read()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", path, err) // it names the line
			}
			line, _ := in.FieldPos(0)
			fields := make(map[string]any, len(names))
			for i, v := range record {
				fields[names[i]] = strings.Clone(v)
			}
			if err := emit(line, fields, nil); err != nil {
				return err
			}
		}
	}
}
