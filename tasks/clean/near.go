package clean

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// Near finds texts that are nearly the same as one before: MinHash signatures (A. Z. Broder, 1997) of runs of shingleWords words, candidates by
// locality-sensitive hashing, each candidate measured exactly. What it finds depends on the texts and their order alone.
type Near struct {
	threshold float64
	bands     int
	rows      int
	shingles  []map[uint64]bool
	buckets   []map[uint64][]int // by band
}

const (
	shingleWords = 3
	hashes       = 128
)

// NewNear finds texts whose shingles agree with an earlier one's in a share (Jaccard) of at least threshold, in (0, 1]. Candidates are missed with a
// chance of about 1% at the threshold, and less above it.
func NewNear(threshold float64) *Near {
	n := &Near{threshold: threshold}
	// The most rows a band can have so that a pair at the threshold shares one with a chance of 99%.
	for n.rows = hashes; n.rows > 1; n.rows-- {
		if bands := hashes / n.rows; 1-math.Pow(1-math.Pow(threshold, float64(n.rows)), float64(bands)) >= 0.99 {
			break
		}
	}
	n.bands = hashes / n.rows
	for range n.bands {
		n.buckets = append(n.buckets, map[uint64][]int{})
	}
	return n
}

// Add says which of the texts kept so far, from 0, a text is nearly, and how much it agrees with it. Where there is none, the text is kept itself.
func (n *Near) Add(text string) (of int, share float64, found bool) {
	shingles := map[uint64]bool{}
	grams(Words(text), shingleWords, func(gram string) { shingles[digest(gram)] = true })
	signature := minHash(shingles)
	keys := make([]uint64, n.bands)
	seen := map[int]bool{}
	of = -1
	for b := range keys {
		keys[b] = bandKey(signature[b*n.rows : (b+1)*n.rows])
		for _, i := range n.buckets[b][keys[b]] {
			if seen[i] {
				continue
			}
			seen[i] = true
			if s := jaccard(shingles, n.shingles[i]); s >= n.threshold && (s > share || s == share && i < of) {
				of, share = i, s
			}
		}
	}
	if of >= 0 {
		return of, share, true
	}
	for b, key := range keys {
		n.buckets[b][key] = append(n.buckets[b][key], len(n.shingles))
	}
	n.shingles = append(n.shingles, shingles)
	return 0, 0, false
}

func digest(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // it has no errors
	return mix(h.Sum64())
}

// mix spreads the bits of x (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// seeds make one hash function into many.
var seeds = func() (out [hashes]uint64) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range out {
		out[i] = r.Uint64()
	}
	return out
}()

func minHash(shingles map[uint64]bool) []uint64 {
	out := make([]uint64, hashes)
	for i := range out {
		out[i] = math.MaxUint64
	}
	for s := range shingles {
		for i, seed := range seeds {
			out[i] = min(out[i], mix(s^seed))
		}
	}
	return out
}

func bandKey(rows []uint64) uint64 {
	key := uint64(len(rows))
	for _, r := range rows {
		key = mix(key ^ r)
	}
	return key
}

func jaccard(a, b map[uint64]bool) float64 {
	both := 0
	for s := range a {
		if b[s] {
			both++
		}
	}
	if all := len(a) + len(b) - both; all > 0 {
		return float64(both) / float64(all)
	}
	return 1
}
