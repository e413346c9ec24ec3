package workflows

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"temper/pipelines"
)

func TestReliftBuffer(t *testing.T) {
	for _, c := range []struct {
		name     string
		rule     pipelines.Interleave
		unsolved [][]int // a round each
		taken    [][]int
		waiting  []int
	}{
		{"never", pipelines.Interleave{When: "never", Fill: 1}, [][]int{{1, 2}}, [][]int{nil}, nil},
		{"waits for enough", pipelines.Interleave{When: "unsolved", Fill: 3}, [][]int{{5, 1}, nil, {4}}, [][]int{nil, nil, {5, 1, 4}}, nil},
		{"the newest first", pipelines.Interleave{When: "unsolved", Fill: 3, Newest: true}, [][]int{{5, 1}, {4, 9}}, [][]int{nil, {9, 4, 1}}, nil},
		{"the oldest first", pipelines.Interleave{When: "unsolved", Fill: 3}, [][]int{{5, 1}, {4, 9}}, [][]int{nil, {5, 1, 4}}, nil},
		{"a problem that fails again counts once and is new again", pipelines.Interleave{When: "unsolved", Fill: 3, Newest: true},
			[][]int{{1, 2}, {1}, {3}}, [][]int{nil, nil, {3, 1, 2}}, nil},
		{"what is left over is forgotten", pipelines.Interleave{When: "unsolved", Fill: 2, Newest: true}, [][]int{{1, 2, 3}, {1}}, [][]int{{3, 2}, nil}, []int{1}},
		{"one is enough", pipelines.Interleave{When: "unsolved", Fill: 1}, [][]int{nil, {7}, {7}}, [][]int{nil, {7}, {7}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := relift{rule: c.rule}
			for i, u := range c.unsolved {
				require.Equal(t, c.taken[i], b.add(u), "round %d", i)
			}
			require.Equal(t, c.waiting, b.waiting)
		})
	}
}

func TestReliftBufferProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rule := pipelines.Interleave{When: "unsolved", Fill: rapid.IntRange(1, 6).Draw(rt, "fill"), Newest: rapid.Bool().Draw(rt, "newest")}
		b := relift{rule: rule}
		var seen []int // since the buffer was last empty, each at its last place, oldest first
		for range rapid.IntRange(1, 20).Draw(rt, "rounds") {
			unsolved := rapid.SliceOfNDistinct(rapid.IntRange(0, 9), 0, 5, rapid.ID[int]).Draw(rt, "unsolved")
			for _, u := range unsolved {
				seen = append(slices.DeleteFunc(seen, func(x int) bool { return x == u }), u)
			}
			taken := b.add(slices.Clone(unsolved))
			if len(seen) < rule.Fill {
				require.Empty(rt, taken, "never before the buffer is full")
				require.Equal(rt, len(seen), len(b.waiting))
				continue
			}
			want := slices.Clone(seen[:rule.Fill])
			if rule.Newest {
				want = slices.Clone(seen[len(seen)-rule.Fill:])
				slices.Reverse(want)
			}
			require.Equal(rt, want, taken)
			require.Empty(rt, b.waiting, "the buffer starts anew")
			seen = nil
		}
	})
}
