package overlap

import "context"

// Ratio is difflib.SequenceMatcher(None, a, b, autojunk=False).ratio(): twice the characters in matching blocks over the characters of both texts.
// The blocks are the longest common substring (the first in a, then in b), and so on left and right of it. A suffix automaton finds each in linear
// time, where difflib takes the product of the lengths. Bytes that are no UTF-8 count as U+FFFD.
func Ratio(ctx context.Context, a, b string) (float64, error) {
	x, y := []rune(a), []rune(b)
	if len(x)+len(y) == 0 {
		return 1, nil
	}
	type span struct{ alo, ahi, blo, bhi int }
	todo := []span{{0, len(x), 0, len(y)}}
	matched := 0
	var m automaton
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if s.alo == s.ahi || s.blo == s.bhi {
			continue
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		i, j, size := m.longest(x[s.alo:s.ahi], y[s.blo:s.bhi])
		if size == 0 {
			continue
		}
		matched += size
		todo = append(todo, span{s.alo, s.alo + i, s.blo, s.blo + j}, span{s.alo + i + size, s.ahi, s.blo + j + size, s.bhi})
	}
	return 2 * float64(matched) / float64(len(x)+len(y)), nil
}

// automaton is the suffix automaton of a text: a state stands for the substrings that end at the same places.
type automaton struct {
	states []state
	edges  []edge // of all states, as linked lists: most states have one
}

type state struct {
	length int // of the longest substring
	link   int // state of the longest suffix that ends at more places; -1 at the root
	first  int // where the substrings end first
	edges  int // head of the list, -1 without
}

type edge struct {
	char     rune
	to, next int
}

func (m *automaton) find(s int, c rune) int {
	for e := m.states[s].edges; e >= 0; e = m.edges[e].next {
		if m.edges[e].char == c {
			return e
		}
	}
	return -1
}

func (m *automaton) connect(s int, c rune, to int) {
	m.edges = append(m.edges, edge{c, to, m.states[s].edges})
	m.states[s].edges = len(m.edges) - 1
}

func (m *automaton) build(text []rune) {
	m.states = append(m.states[:0], state{link: -1, edges: -1})
	m.edges = m.edges[:0]
	last := 0
	for at, c := range text {
		cur := len(m.states)
		m.states = append(m.states, state{length: m.states[last].length + 1, first: at, edges: -1})
		p := last
		for ; p >= 0 && m.find(p, c) < 0; p = m.states[p].link {
			m.connect(p, c, cur)
		}
		last = cur
		if p < 0 {
			continue // the link is the root
		}
		q := m.edges[m.find(p, c)].to
		if m.states[p].length+1 == m.states[q].length {
			m.states[cur].link = q
			continue
		}
		clone := len(m.states)
		m.states = append(m.states, state{length: m.states[p].length + 1, link: m.states[q].link, first: m.states[q].first, edges: -1})
		for e := m.states[q].edges; e >= 0; e = m.edges[e].next {
			m.connect(clone, m.edges[e].char, m.edges[e].to)
		}
		for ; p >= 0; p = m.states[p].link {
			e := m.find(p, c)
			if e < 0 || m.edges[e].to != q {
				break
			}
			m.edges[e].to = clone
		}
		m.states[q].link, m.states[cur].link = clone, clone
	}
}

// longest finds the longest common substring x[i:i+size] = y[j:j+size]; of several the one that begins first in x, then in y.
func (m *automaton) longest(x, y []rune) (i, j, size int) {
	long, short, swapped := x, y, false
	if len(y) > len(x) {
		long, short, swapped = y, x, true
	}
	m.build(short)
	s, length := 0, 0
	for at, c := range long {
		e := m.find(s, c)
		for e < 0 && s > 0 {
			s = m.states[s].link
			length = m.states[s].length
			e = m.find(s, c)
		}
		if e < 0 {
			continue
		}
		s = m.edges[e].to
		length++
		in, of := at-length+1, m.states[s].first-length+1 // where it begins in long and in short
		switch {
		case !swapped && length > size:
			i, j, size = in, of, length
		case swapped && (length > size || length == size && of < i):
			i, j, size = of, in, length
		}
	}
	return i, j, size
}
