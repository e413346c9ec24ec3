package tasks

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// spoilt makes wrong answers of a right one, by what the problem's checker looks at. None of them is right.
func spoilt(p Problem) []string {
	out := []string{"I do not know", "?"}
	add := func(s string) { out = append(out, s) }
	items := strings.Split(p.Answer, ", ")
	switch p.Meta["check"] {
	case "number":
		n, _ := new(big.Rat).SetString(p.Answer)
		one := big.NewRat(1, 1)
		add(new(big.Rat).Add(n, one).RatString())
		add(new(big.Rat).Sub(n, one).RatString())
		add(p.Answer + " or 3")
		add(p.Answer + "+0")
		if n.Sign() != 0 {
			add(new(big.Rat).Neg(n).RatString())
		}
	case "word":
		add(p.Answer + "s")
		add(p.Answer + ", " + p.Answer)
	case "list", "set":
		inner := strings.Trim(p.Answer, "[]()")
		items = strings.Split(inner, ", ")
		add(inner + ", " + items[0])
		add(strings.Join(append([]string{"elsewhere"}, items[1:]...), ", "))
		if len(items) > 1 {
			add(strings.Join(items[1:], ", "))
		}
		if back := slices.Clone(items); p.Meta["check"] == "list" {
			slices.Reverse(back)
			if !slices.Equal(back, items) {
				add(strings.Join(back, ", "))
			}
		}
	case "automaton":
		add(string('0'+'1'-p.Answer[0]) + p.Answer[1:])
		add(p.Answer[1:])
		add(p.Answer + "0")
	case "assignment":
		add(strings.Join(items[1:], ", "))
		add(p.Answer + ", Somebody=knight")
		add(swapped(items))
	case "colouring":
		add(strings.Join(items[1:], ", "))
		add(strings.Replace(p.Answer, "A=", "A=no ", 1))
		ends := strings.Split(strings.Fields(p.Meta["edges"])[0], "-")
		values := map[string]string{}
		for _, item := range items {
			name, value, _ := strings.Cut(item, "=")
			values[name] = value
		}
		add(strings.Replace(p.Answer, ends[0]+"="+values[ends[0]], ends[0]+"="+values[ends[1]], 1))
	case "countdown":
		add(p.Meta["target"])
		add(p.Answer + "+1")
		add("(" + p.Answer + ")*1*1*1*1*1*1*1*1*1")
	case "bezout":
		x, _ := strconv.Atoi(items[0])
		y, _ := strconv.Atoi(items[1])
		add(fmt.Sprintf("%d, %d", x+1, y))
		add(fmt.Sprintf("%d, %d", x, y-1))
		add(items[0])
	case "balance":
		first, _ := strconv.Atoi(items[0])
		add(strings.Join(append([]string{strconv.Itoa(first + 1)}, items[1:]...), ", "))
		add(strings.Join(items[1:], ", "))
		var twice []string
		for _, item := range items {
			n, _ := strconv.Atoi(item)
			twice = append(twice, strconv.Itoa(2*n))
		}
		add(strings.Join(twice, ", "))
	case "path":
		nodes := strings.Split(p.Answer, "-")
		add(strings.Join(nodes[:len(nodes)-1], "-"))
		add(nodes[0] + "-" + nodes[1] + "-" + p.Answer)
		slices.Reverse(nodes)
		add(strings.Join(nodes, "-"))
	case "maze":
		add(p.Answer[1:])
		add(p.Answer + "UD")
		add(strings.Repeat("U", len(p.Answer)+1))
	case "sudoku":
		rows := strings.Fields(p.Answer)
		add(strings.Join(rows[1:], " "))
		add(strings.Join(append([]string{rows[1], rows[1]}, rows[2:]...), " "))
		add(strings.Replace(p.Answer, "1", "2", 1))
	}
	return out
}

// swapped exchanges the first two values that differ.
func swapped(items []string) string {
	for i := range items {
		for j := range i {
			a, x, _ := strings.Cut(items[i], "=")
			b, y, _ := strings.Cut(items[j], "=")
			if x != y {
				out := slices.Clone(items)
				out[i], out[j] = a+"="+y, b+"="+x
				return strings.Join(out, ", ")
			}
		}
	}
	return strings.ReplaceAll(strings.Join(items, ", "), "=kn", "=no kn") // all the same
}
