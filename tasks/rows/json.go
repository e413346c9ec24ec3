package rows

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// jsonArray reads a JSON file: a list of objects, an object with one list of objects in it ({"data": [...]}), or JSON lines under a
// name that does not say so. Rows count from 1, lines where it is lines.
func jsonArray(path string, r io.Reader, _ Options, emit emit) error {
	b := bufio.NewReaderSize(r, 1<<16)
	if mark, err := b.Peek(len(byteOrderMark)); err == nil && string(mark) == string(byteOrderMark) {
		_, _ = b.Discard(len(byteOrderMark)) // it was peeked at
	}
	first, err := firstByte(b)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if first == '[' {
		return list(path, json.NewDecoder(b), emit)
	}
	whole, err := io.ReadAll(io.LimitReader(b, maxFile+1))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(whole) > maxFile {
		return fmt.Errorf("%s: has more than %d MB and is no list; JSON lines are read one by one", path, maxFile>>20)
	}
	return objectOrLines(path, whole, emit)
}

// maxFile bounds a JSON file that has to be read whole.
const maxFile = 1 << 30

func firstByte(b *bufio.Reader) (byte, error) {
	for {
		c, err := b.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			return c, b.UnreadByte()
		}
	}
}

// list reads the objects of a list, one after another.
func list(path string, dec *json.Decoder, emit emit) error {
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for n := 1; dec.More(); n++ {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		fields, err := object(raw)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if err := emit(n, fields, raw); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func objectOrLines(path string, whole []byte, emit emit) error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(whole, &fields) != nil {
		return jsonLines(path, bytesReader(whole), Options{}, emit)
	}
	var lists []json.RawMessage
	for _, v := range fields {
		var objects []map[string]any
		if json.Unmarshal(v, &objects) == nil && len(objects) > 0 {
			lists = append(lists, v)
		}
	}
	switch len(lists) {
	case 0: // one object is one row
		return jsonLines(path, bytesReader(compact(whole)), Options{}, emit)
	case 1:
		return list(path, json.NewDecoder(bytesReader(lists[0])), emit)
	}
	return fmt.Errorf("%s: has %d lists of objects; one must be the rows", path, len(lists))
}
