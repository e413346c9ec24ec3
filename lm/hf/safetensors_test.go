package hf

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// raw builds a safetensors file from a header and data as they are.
func raw(header string, data []byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), data...)
}

func encode(t testing.TB, tensors []Tensor, dtype string) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := EncodeSafetensors(&buf, tensors, dtype, nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestSafetensorsBytes(t *testing.T) {
	got := encode(t, []Tensor{{"b", []int{2}, []float32{1, -2}}, {"a", []int{1, 1}, []float32{0.5}}}, "BF16")
	header := `{"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"a":{"dtype":"BF16","shape":[1,1],"data_offsets":[4,6]}}`
	header += strings.Repeat(" ", (8-len(header)%8)%8)
	want := raw(header, []byte{0x80, 0x3f, 0x00, 0xc0, 0x00, 0x3f})
	if !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestSafetensorsDtypes(t *testing.T) {
	for _, test := range []struct {
		dtype string
		data  []byte
		want  []float32
	}{
		{"F32", []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}, []float32{1, -2}},
		{"BF16", []byte{0x80, 0x3f, 0x00, 0xc0}, []float32{1, -2}},
		{"F16", []byte{0x00, 0x3c, 0x00, 0xc0}, []float32{1, -2}},
		{"F16", []byte{0x01, 0x00, 0xff, 0x7b}, []float32{1.0 / (1 << 24), 65504}},
		{"F64", []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0}, []float32{1, -2}},
	} {
		header := `{"x":{"dtype":"` + test.dtype + `","shape":[2],"data_offsets":[0,` + string(rune('0'+len(test.data)%10)) + `]}}`
		if len(test.data) > 9 {
			header = strings.Replace(header, "[0,6]", "[0,16]", 1)
		}
		got, err := ParseSafetensors("f", raw(header, test.data))
		if err != nil {
			t.Errorf("%s: %v", test.dtype, err)
		} else if !reflect.DeepEqual(got[0].Data, test.want) {
			t.Errorf("%s: got %v, want %v", test.dtype, got[0].Data, test.want)
		}
	}
}

// Half and bfloat16 agree with what float64 arithmetic says about them.
func TestHalfPrecision(t *testing.T) {
	for h := range 1 << 16 {
		x := halfToFloat(uint16(h))
		exp, frac, sign := h>>10&31, float64(h&1023), 1.0
		if h>>15 == 1 {
			sign = -1
		}
		want := sign * (1 + frac/1024) * math.Pow(2, float64(exp-15))
		switch {
		case exp == 0:
			want = sign * frac / 1024 * math.Pow(2, -14)
		case exp == 31 && frac == 0:
			want = math.Inf(int(sign))
		case exp == 31:
			want = math.NaN()
		}
		if !(float64(x) == want || math.IsNaN(want) && x != x) {
			t.Fatalf("half %#04x is %g, want %g", h, x, want)
		}
		if back := floatToHalf(x); back != uint16(h) && x == x {
			t.Fatalf("half %#04x came back as %#04x", h, back)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		x := math.Float32frombits(rapid.Uint32().Draw(t, "bits"))
		for _, f := range []struct {
			name string
			to   func(float32) uint16
			from func(uint16) float32
		}{{"half", floatToHalf, halfToFloat}, {"bfloat16", floatToBF16, func(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }}} {
			b := f.to(x)
			y := f.from(b)
			if (x != x) != (y != y) {
				t.Fatalf("%s of %g is %g", f.name, x, y)
			}
			if x != x || math.IsInf(float64(y), 0) {
				continue
			}
			// No neighbour is nearer, and of two as near the even one is taken.
			for _, n := range []uint16{b - 1, b + 1} {
				z := f.from(n)
				if z != z || math.IsInf(float64(z), 0) {
					continue
				}
				here, there := math.Abs(float64(x)-float64(y)), math.Abs(float64(x)-float64(z))
				if there < here || there == here && z != y && b&1 == 1 {
					t.Fatalf("%s of %g is %g, but %g is better", f.name, x, y, z)
				}
			}
		}
	})
}

func TestSafetensorsRefuses(t *testing.T) {
	one := `{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "not a safetensors file: 0 bytes"},
		{"huge header", binary.LittleEndian.AppendUint64(nil, 1<<60), "the limit is"},
		{"cut header", raw(one, nil)[:30], "truncated in the header"},
		{"not JSON", raw("hello", nil), "not a JSON object"},
		{"cut data", raw(one, make([]byte, 7)), "truncated: tensor x needs bytes up to 70 of the file, the file has 69"},
		{"too much data", raw(one, make([]byte, 9)), "1 bytes after the last tensor"},
		{"dtype", raw(`{"x":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}`, make([]byte, 8)), `tensor x: dtype "I64" is not supported`},
		{"size", raw(`{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, make([]byte, 8)), "tensor x: shape [3] of F32 takes 12 bytes, data_offsets span 8"},
		{"gap", raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, make([]byte, 8)), "tensor x: data starts at byte 4"},
		{"overlap", raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, make([]byte, 4)), "tensor y: data starts at byte 0"},
		{"backwards", raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}`, make([]byte, 8)), "impossible data_offsets"},
		{"negative", raw(`{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, make([]byte, 4)), "impossible shape"},
		{"overflow", raw(`{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, nil), "impossible shape"},
		{"twice", raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, make([]byte, 8)), "tensor x: named twice"},
		{"trailing", raw(one+"{}", make([]byte, 8)), "after the JSON object"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseSafetensors("w.safetensors", test.file)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "w.safetensors: ") {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestWriteSafetensorsRefuses(t *testing.T) {
	for _, test := range []struct {
		tensors []Tensor
		dtype   string
		want    string
	}{
		{[]Tensor{{"x", []int{3}, []float32{1}}}, "F32", "tensor x: shape [3] takes 3 numbers, there are 1"},
		{[]Tensor{{"x", []int{1}, []float32{1}}, {"x", []int{1}, []float32{1}}}, "F32", "tensor x: named twice"},
		{nil, "I8", `"I8" is not supported`},
	} {
		dir := t.TempDir()
		err := WriteSafetensors(filepath.Join(dir, "w"), test.tensors, test.dtype, nil)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got error %v, want one with %q", err, test.want)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("a failed write left %v", left)
		}
	}
}

func TestSafetensorsRoundTrip(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		var want []Tensor
		for i := range rapid.IntRange(0, 5).Draw(t, "tensors") {
			x := Tensor{Name: strings.Repeat("é", i) + "t", Dims: rapid.SliceOfN(rapid.IntRange(0, 4), 0, 3).Draw(t, "dims")}
			n := 1
			for _, d := range x.Dims {
				n *= d
			}
			x.Data = rapid.SliceOfN(rapid.Float32Range(-4, 4), n, n).Draw(t, "data")
			want = append(want, x)
		}
		path := filepath.Join(dir, "x.safetensors")
		if err := WriteSafetensors(path, want, "F32", map[string]string{"k": "v"}); err != nil {
			t.Fatal(err)
		}
		got, err := ReadSafetensors(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("got %d tensors, want %d", len(got), len(want))
		}
		byName := map[string]Tensor{}
		for _, x := range got { // empty tensors may change places, the rest may not
			byName[x.Name] = x
		}
		for _, x := range want {
			y := byName[x.Name]
			if len(x.Dims)+len(y.Dims) > 0 && !reflect.DeepEqual(x.Dims, y.Dims) || len(x.Data)+len(y.Data) > 0 && !reflect.DeepEqual(x.Data, y.Data) {
				t.Fatalf("got %v, want %v", y, x)
			}
		}
	})
}

// Tensors longer than one conversion chunk keep every number.
func TestSafetensorsLarge(t *testing.T) {
	data := make([]float32, chunk+12345)
	for i := range data {
		data[i] = float32(i % 251)
	}
	for _, dtype := range []string{"F32", "BF16", "F16"} {
		got, err := ParseSafetensors("f", encode(t, []Tensor{{"x", []int{len(data)}, data}, {"y", []int{1}, []float32{7}}}, dtype))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got[0].Data, data) || got[1].Data[0] != 7 {
			t.Errorf("%s: numbers changed", dtype)
		}
	}
}

func FuzzSafetensors(f *testing.F) {
	f.Add(encode(f, []Tensor{{"x", []int{2, 1}, []float32{1, 2}}, {"y", nil, []float32{3}}}, "F16"))
	f.Add(raw(`{"x":{"dtype":"F64","shape":[0],"data_offsets":[0,0]}}`, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, err := ParseSafetensors("f", data)
		if err != nil {
			return
		}
		again, err := ParseSafetensors("f", encode(t, tensors, "F32"))
		if err != nil {
			t.Fatalf("accepted, but what is written is not: %v", err)
		}
		if len(again) != len(tensors) {
			t.Fatalf("%d tensors became %d", len(tensors), len(again))
		}
	})
}
