package hf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// dtype is one stored number format.
type dtype struct {
	short string // as in a safetensors header
	long  string // as in config.json
	size  int    // bytes
}

var dtypes = []dtype{
	{"F32", "float32", 4}, {"BF16", "bfloat16", 2}, {"F16", "float16", 2}, {"F64", "float64", 8},
}

// parseDtype accepts the names of config.json and of safetensors for the formats that are written.
func parseDtype(name string) (dtype, error) {
	for _, d := range dtypes[:3] {
		if name == d.short || name == d.long {
			return d, nil
		}
	}
	return dtype{}, fmt.Errorf("%q is not supported (supported: float32, bfloat16, float16)", name)
}

// decode turns stored numbers into float32; len(src) is len(dst) times the stored size.
func (d dtype) decode(dst []float32, src []byte) {
	switch d.short {
	case "F32":
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case "BF16":
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	case "F16":
		for i := range dst {
			dst[i] = halfToFloat(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case "F64":
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	}
}

// encode is the inverse of decode, rounding to nearest, ties to even.
func (d dtype) encode(dst []byte, src []float32) {
	switch d.short {
	case "F32":
		for i, x := range src {
			binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(x))
		}
	case "BF16":
		for i, x := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], floatToBF16(x))
		}
	case "F16":
		for i, x := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], floatToHalf(x))
		}
	}
}

func floatToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40 // a NaN stays one, made quiet
	}
	return uint16((b + 0x7fff + (b>>16)&1) >> 16)
}

func halfToFloat(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch {
	case exp == 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp == 0:
		x := float32(frac) / (1 << 24) // subnormal
		return math.Float32frombits(sign | math.Float32bits(x))
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

func floatToHalf(x float32) uint16 {
	b := math.Float32bits(x)
	sign, mag := uint16(b>>16)&0x8000, b&0x7fffffff
	switch {
	case mag > 0x7f800000:
		return sign | 0x7e00 | uint16(mag>>13)&0x3ff
	case mag >= 0x477ff000: // at or above 65520 rounds to infinity
		return sign | 0x7c00
	case mag >= 0x38800000: // normal
		mag -= 112 << 23
		return sign | uint16((mag+0xfff+(mag>>13)&1)>>13)
	}
	return sign | uint16(math.RoundToEven(float64(math.Float32frombits(mag))*(1<<24)))
}
