package tasks

import "math/bits"

// Turned is the source at one occurrence of a schedule. With Vary, a procedural source makes other problems at each, and a file gives the
// next Limit rows, from the beginning again after the last; without, it is the same at all.
func (s Source) Turned(occurrence uint64) Source {
	switch {
	case !s.Vary || occurrence == 0:
	case s.File != "":
		s.Turn = occurrence
	default:
		s.Seed = Mix(s.Seed, occurrence)
	}
	return s
}

// Mix is a seed for the nth of several uses of a seed: the finalizer of SplitMix64 (Steele, Lea and Flood 2014) over both.
func Mix(seed, n uint64) uint64 {
	x := seed + bits.RotateLeft64(n*0x9e3779b97f4a7c15, 17)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// window takes the turn's Limit problems, in a circle that begins at Offset.
func (s Source) window(ps []Problem) []Problem {
	n := uint64(len(ps))
	first := (uint64(s.Offset) + s.Turn%n*uint64(s.Limit)) % n
	out := make([]Problem, min(s.Limit, len(ps)))
	for i := range out {
		out[i] = ps[(first+uint64(i))%n]
	}
	return out
}
