package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// edges reads "a-b:3 b-c:1", in which a number may be left out and is 1 then; both directions are in the result.
func edges(text string) (map[[2]string]int, error) {
	out := map[[2]string]int{}
	for _, e := range strings.Fields(text) {
		ends, length, weighted := strings.Cut(strings.ToLower(e), ":")
		a, b, ok := strings.Cut(ends, "-")
		n := 1
		if weighted {
			var err error
			if n, err = strconv.Atoi(length); err != nil {
				return nil, fmt.Errorf("edges: %q: %q is not a length", e, length)
			}
		}
		if !ok || a == "" || b == "" || n <= 0 {
			return nil, fmt.Errorf("edges: %q is not an edge such as a-b:3", e)
		}
		out[[2]string{a, b}], out[[2]string{b, a}] = n, n
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("edges: there are none")
	}
	return out, nil
}

// length is that of a path between the ends, or false where the nodes are no such path.
func length(nodes []string, between map[[2]string]int, from, to string) (int, bool) {
	if len(nodes) < 2 || nodes[0] != from || nodes[len(nodes)-1] != to {
		return 0, false
	}
	total := 0
	for i := range len(nodes) - 1 {
		n, ok := between[[2]string{nodes[i], nodes[i+1]}]
		if !ok {
			return 0, false
		}
		total += n
	}
	return total, true
}

// route cuts "a-b-c", "a -> b -> c" or "a, b, c" into nodes.
func route(s string) []string {
	s = strings.NewReplacer("->", " ", "-", " ", ",", " ").Replace(unwrap(s))
	return strings.Fields(strings.ToLower(s))
}

// path accepts every path along meta "edges" from meta "from" to meta "to" that is as short as the gold one, which is a shortest.
func path(answer, gold string, meta map[string]string) (bool, error) {
	between, err := edges(meta["edges"])
	if err != nil {
		return false, err
	}
	from, to := strings.ToLower(meta["from"]), strings.ToLower(meta["to"])
	want, ok := length(route(gold), between, from, to)
	if !ok {
		return false, fmt.Errorf("the gold answer %q is no path from %q to %q", gold, from, to)
	}
	got, ok := length(route(answer), between, from, to)
	return ok && got == want, nil
}

// colouring accepts every assignment of meta "colours" to the nodes of meta "edges", each node named once, in which neighbours differ.
func colouring(answer, _ string, meta map[string]string) (bool, error) {
	between, err := edges(meta["edges"])
	if err != nil {
		return false, err
	}
	colours := strings.Fields(strings.ToLower(meta["colours"]))
	if len(colours) == 0 {
		return false, fmt.Errorf("colours: there are none")
	}
	got, ok := pairs(answer)
	if !ok {
		return false, nil
	}
	nodes := map[string]bool{}
	for e := range between {
		nodes[e[0]] = true
		if got[e[0]] == got[e[1]] {
			return false, nil
		}
	}
	for node, colour := range got {
		if !nodes[node] || !slices.Contains(colours, colour) {
			return false, nil
		}
	}
	return len(got) == len(nodes), nil
}
