package overlap

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// UnifiedDiff is what difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3) gives without the names of the files, joined by line
// feeds: the hunks that turn one text into the other, "" where none are needed.
func UnifiedDiff(ctx context.Context, old, new string) (string, error) {
	a, b := SplitLines(old), SplitLines(new)
	codes, err := opcodes(ctx, a, b)
	if err != nil {
		return "", err
	}
	var out []string
	for _, group := range hunks(codes, 3) {
		first, last := group[0], group[len(group)-1]
		out = append(out, fmt.Sprintf("@@ -%s +%s @@", lineRange(first.alo, last.ahi), lineRange(first.blo, last.bhi)))
		for _, o := range group {
			if o.equal {
				out = prefixed(out, " ", a[o.alo:o.ahi])
				continue
			}
			out = prefixed(out, "-", a[o.alo:o.ahi])
			out = prefixed(out, "+", b[o.blo:o.bhi])
		}
	}
	return strings.Join(out, "\n"), nil
}

func prefixed(out []string, sign string, lines []string) []string {
	for _, l := range lines {
		out = append(out, sign+l)
	}
	return out
}

func lineRange(from, to int) string {
	switch to - from {
	case 1:
		return fmt.Sprint(from + 1)
	case 0:
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

// SplitLines splits as Python's str.splitlines.
func SplitLines(text string) []string {
	var out []string
	start, skip := 0, false
	for i, r := range text {
		if skip {
			skip = false
			if r == '\n' {
				start = i + 1
				continue
			}
		}
		switch {
		case r == '\n' || r == '\v' || r == '\f' || r >= 0x1c && r <= 0x1e:
			out = append(out, text[start:i])
			start = i + 1
		case r == '\r':
			out = append(out, text[start:i])
			start, skip = i+1, true
		case r == 0x85:
			out = append(out, text[start:i])
			start = i + 2
		case r == 0x2028 || r == 0x2029:
			out = append(out, text[start:i])
			start = i + 3
		}
	}
	if start < len(text) {
		out = append(out, text[start:])
	}
	return out
}

// opcode says that a[alo:ahi] stands where b[blo:bhi] does; the lines are equal or replaced.
type opcode struct {
	equal              bool
	alo, ahi, blo, bhi int
}

// opcodes are those of difflib.SequenceMatcher(None, a, b), with its rule for long texts: a line that makes up more than 1% of at least 200 is no
// line to begin a block with.
func opcodes(ctx context.Context, a, b []string) ([]opcode, error) {
	at := map[string][]int{}
	for j, line := range b {
		at[line] = append(at[line], j)
	}
	if n := len(b); n >= 200 {
		for line, where := range at {
			if len(where) > n/100+1 {
				delete(at, line)
			}
		}
	}
	type span struct{ alo, ahi, blo, bhi int }
	todo := []span{{0, len(a), 0, len(b)}}
	var blocks []opcode
	for len(todo) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		i, j, size := longestBlock(a, b, at, s.alo, s.ahi, s.blo, s.bhi)
		if size == 0 {
			continue
		}
		blocks = append(blocks, opcode{true, i, i + size, j, j + size})
		if s.alo < i && s.blo < j {
			todo = append(todo, span{s.alo, i, s.blo, j})
		}
		if i+size < s.ahi && j+size < s.bhi {
			todo = append(todo, span{i + size, s.ahi, j + size, s.bhi})
		}
	}
	slices.SortFunc(blocks, func(x, y opcode) int { return x.alo - y.alo })
	var out []opcode
	i, j := 0, 0
	for _, block := range append(blocks, opcode{true, len(a), len(a), len(b), len(b)}) {
		if i < block.alo || j < block.blo {
			out = append(out, opcode{false, i, block.alo, j, block.blo})
		}
		i, j = block.ahi, block.bhi
		if n := len(out); n > 0 && out[n-1].equal && block.alo == out[n-1].ahi && block.blo == out[n-1].bhi {
			out[n-1].ahi, out[n-1].bhi = i, j
		} else if block.alo < block.ahi {
			out = append(out, block)
		}
	}
	return out, nil
}

// longestBlock is difflib's find_longest_match: at holds the places in b of the lines that a block may begin with.
func longestBlock(a, b []string, at map[string][]int, alo, ahi, blo, bhi int) (besti, bestj, size int) {
	besti, bestj = alo, blo
	length := map[int]int{}
	for i := alo; i < ahi; i++ {
		next := map[int]int{}
		for _, j := range at[a[i]] {
			if j < blo {
				continue
			}
			if j >= bhi {
				break
			}
			k := length[j-1] + 1
			next[j] = k
			if k > size {
				besti, bestj, size = i-k+1, j-k+1, k
			}
		}
		length = next
	}
	for besti > alo && bestj > blo && a[besti-1] == b[bestj-1] {
		besti, bestj, size = besti-1, bestj-1, size+1
	}
	for besti+size < ahi && bestj+size < bhi && a[besti+size] == b[bestj+size] {
		size++
	}
	return besti, bestj, size
}

// hunks groups the changes with up to n equal lines around them.
func hunks(codes []opcode, n int) [][]opcode {
	if len(codes) == 0 || len(codes) == 1 && codes[0].equal {
		return nil
	}
	codes = slices.Clone(codes)
	if c := &codes[0]; c.equal {
		c.alo, c.blo = max(c.alo, c.ahi-n), max(c.blo, c.bhi-n)
	}
	if c := &codes[len(codes)-1]; c.equal {
		c.ahi, c.bhi = min(c.ahi, c.alo+n), min(c.bhi, c.blo+n)
	}
	var out [][]opcode
	var group []opcode
	for _, c := range codes {
		if c.equal && c.ahi-c.alo > 2*n {
			out = append(out, append(group, opcode{true, c.alo, c.alo + n, c.blo, c.blo + n}))
			group = nil
			c.alo, c.blo = c.ahi-n, c.bhi-n
		}
		group = append(group, c)
	}
	if len(group) == 1 && group[0].equal {
		return out
	}
	return append(out, group)
}
