package hf

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// Tensor is a weight as float32, rows first.
type Tensor struct {
	Name string
	Dims []int
	Data []float32
}

// maxHeader is the limit that the reference reader sets on a header, in bytes.
const maxHeader = 100_000_000

// chunk is how many stored bytes are converted at a time.
const chunk = 1 << 20

// entry is one tensor of a safetensors header; offsets count from the end of the header.
type entry struct {
	name       string
	dtype      dtype
	dims       []int
	elems      int64
	begin, end int64
}

// ReadSafetensors reads every tensor of a file in file order, converting F32, F16, BF16 and F64
// to float32. The file must be whole: a truncated one is an error that names the first tensor
// that is cut, the bytes it needs and the bytes there are.
func ReadSafetensors(path string) ([]Tensor, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return readTensors(path, f, info.Size())
}

// ParseSafetensors is [ReadSafetensors] of a file held in memory; name is used in errors.
func ParseSafetensors(name string, data []byte) ([]Tensor, error) {
	return readTensors(name, bytes.NewReader(data), int64(len(data)))
}

func readTensors(file string, r io.ReaderAt, size int64) ([]Tensor, error) {
	entries, start, err := readHeader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	tensors := make([]Tensor, 0, len(entries))
	var buf []byte
	for _, e := range entries {
		data := make([]float32, e.elems)
		if buf == nil {
			buf = make([]byte, chunk)
		}
		for done := int64(0); done < e.elems; {
			n := min(e.elems-done, int64(chunk/e.dtype.size))
			raw := buf[:n*int64(e.dtype.size)]
			if _, err := r.ReadAt(raw, start+e.begin+done*int64(e.dtype.size)); err != nil {
				return nil, fmt.Errorf("%s: tensor %s: reading: %w", file, e.name, err)
			}
			e.dtype.decode(data[done:done+n], raw)
			done += n
		}
		tensors = append(tensors, Tensor{Name: e.name, Dims: e.dims, Data: data})
	}
	return tensors, nil
}

// readHeader returns the entries by offset and where the data starts. It promises that the
// entries tile the rest of the file exactly.
func readHeader(r io.ReaderAt, size int64) ([]entry, int64, error) {
	var head [8]byte
	if size < 8 {
		return nil, 0, fmt.Errorf("not a safetensors file: %d bytes, the header alone needs 8", size)
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, 0, fmt.Errorf("reading the header length: %w", err)
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > maxHeader {
		return nil, 0, fmt.Errorf("not a safetensors file: the header claims %d bytes, the limit is %d", n, maxHeader)
	}
	if int64(n) > size-8 {
		return nil, 0, fmt.Errorf("truncated in the header: it claims %d bytes, the file has %d after its length", n, size-8)
	}
	raw := make([]byte, n)
	if _, err := r.ReadAt(raw, 8); err != nil {
		return nil, 0, fmt.Errorf("reading the header: %w", err)
	}
	entries, err := parseHeader(raw)
	if err != nil {
		return nil, 0, fmt.Errorf("header: %w", err)
	}
	start := 8 + int64(n)
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	at := int64(0)
	for _, e := range entries {
		if e.begin != at {
			return nil, 0, fmt.Errorf("tensor %s: data starts at byte %d of the data, the tensor before it ends at %d", e.name, e.begin, at)
		}
		if e.end > size-start {
			return nil, 0, fmt.Errorf("truncated: tensor %s needs bytes up to %d of the file, the file has %d", e.name, start+e.end, size)
		}
		at = e.end
	}
	if at != size-start {
		return nil, 0, fmt.Errorf("%d bytes after the last tensor: the tensors end at byte %d, the file at %d", size-start-at, start+at, size)
	}
	return entries, start, nil
}

func parseHeader(raw []byte) ([]entry, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("not a JSON object")
	}
	var entries []entry
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if seen[name] {
			return nil, fmt.Errorf("tensor %s: named twice", name)
		}
		seen[name] = true
		if name == "__metadata__" {
			var meta map[string]string
			if err := dec.Decode(&meta); err != nil {
				return nil, fmt.Errorf("__metadata__: %w", err)
			}
			continue
		}
		var v struct {
			Dtype   string  `json:"dtype"`
			Shape   []int64 `json:"shape"`
			Offsets []int64 `json:"data_offsets"`
		}
		if err := dec.Decode(&v); err != nil {
			return nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		e := entry{name: name, elems: 1, dims: []int{}}
		i := slices.IndexFunc(dtypes, func(d dtype) bool { return d.short == v.Dtype })
		if i < 0 {
			return nil, fmt.Errorf("tensor %s: dtype %q is not supported (supported: F32, BF16, F16, F64)", name, v.Dtype)
		}
		e.dtype = dtypes[i]
		for _, d := range v.Shape {
			if d < 0 || (d > 0 && e.elems > math.MaxInt64/16/d) {
				return nil, fmt.Errorf("tensor %s: impossible shape %v", name, v.Shape)
			}
			e.elems *= d
			e.dims = append(e.dims, int(d))
		}
		if len(v.Offsets) != 2 || v.Offsets[0] < 0 || v.Offsets[1] < v.Offsets[0] {
			return nil, fmt.Errorf("tensor %s: impossible data_offsets %v", name, v.Offsets)
		}
		e.begin, e.end = v.Offsets[0], v.Offsets[1]
		if want := e.elems * int64(e.dtype.size); e.end-e.begin != want {
			return nil, fmt.Errorf("tensor %s: shape %v of %s takes %d bytes, data_offsets span %d", name, v.Shape, v.Dtype, want, e.end-e.begin)
		}
		entries = append(entries, e)
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if rest := bytes.TrimSpace(raw[dec.InputOffset():]); len(rest) > 0 {
		return nil, fmt.Errorf("%d bytes after the JSON object", len(rest))
	}
	return entries, nil
}

// WriteSafetensors writes the tensors in the order given, as dtype ("F32", "BF16", "F16" or their
// names in config.json). Equal arguments give equal bytes. The file appears whole or not at all.
func WriteSafetensors(path string, tensors []Tensor, dtype string, metadata map[string]string) error {
	return writeAtomic(path, func(w io.Writer) error { return EncodeSafetensors(w, tensors, dtype, metadata) })
}

// EncodeSafetensors is [WriteSafetensors] to a writer. The metadata gain {"format": "pt"} where
// they have no format.
func EncodeSafetensors(w io.Writer, tensors []Tensor, dtypeName string, metadata map[string]string) error {
	d, err := parseDtype(dtypeName)
	if err != nil {
		return fmt.Errorf("dtype: %w", err)
	}
	header, err := encodeHeader(tensors, d, metadata)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	buf := make([]byte, chunk)
	for _, t := range tensors {
		for data := t.Data; len(data) > 0; {
			n := min(len(data), chunk/d.size)
			d.encode(buf, data[:n])
			if _, err := w.Write(buf[:n*d.size]); err != nil {
				return fmt.Errorf("tensor %s: writing: %w", t.Name, err)
			}
			data = data[n:]
		}
	}
	return nil
}

func encodeHeader(tensors []Tensor, d dtype, metadata map[string]string) ([]byte, error) {
	meta := map[string]string{"format": "pt"}
	for k, v := range metadata {
		meta[k] = v
	}
	var h bytes.Buffer
	h.Write(make([]byte, 8))
	field := func(name string, v any) error {
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(v)
		if err != nil {
			return err
		}
		h.Write(key)
		h.WriteByte(':')
		h.Write(value)
		return nil
	}
	h.WriteByte('{')
	if err := field("__metadata__", meta); err != nil {
		return nil, err
	}
	type value struct {
		Dtype   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	seen := map[string]bool{"__metadata__": true}
	at := int64(0)
	for _, t := range tensors {
		elems := 1
		for _, n := range t.Dims {
			if n < 0 {
				return nil, fmt.Errorf("tensor %s: impossible shape %v", t.Name, t.Dims)
			}
			elems *= n
		}
		if elems != len(t.Data) {
			return nil, fmt.Errorf("tensor %s: shape %v takes %d numbers, there are %d", t.Name, t.Dims, elems, len(t.Data))
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("tensor %s: named twice", t.Name)
		}
		seen[t.Name] = true
		end := at + int64(elems)*int64(d.size)
		h.WriteByte(',')
		if err := field(t.Name, value{d.short, append([]int{}, t.Dims...), [2]int64{at, end}}); err != nil {
			return nil, fmt.Errorf("tensor %s: %w", t.Name, err)
		}
		at = end
	}
	h.WriteByte('}')
	for h.Len()%8 != 0 {
		h.WriteByte(' ')
	}
	out := h.Bytes()
	binary.LittleEndian.PutUint64(out, uint64(len(out)-8))
	return out, nil
}

// writeAtomic writes beside path, syncs and renames, so a reader never sees half a file.
func writeAtomic(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	w := bufio.NewWriterSize(f, chunk)
	if err = write(w); err != nil {
		return err
	}
	if err = w.Flush(); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
