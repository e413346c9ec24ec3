package train

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPackRowsByHand(t *testing.T) {
	rows, tooLong := packRows([]int{3, 9, 5, 11, 2, 0, 5, 1}, 10)
	// 9 opens a row, 5+5 fill one, 3+2 share one, 1 goes to the fullest with room: behind the 9.
	require.Equal(t, [][]int{{0, 4}, {1, 7}, {2, 6}}, rows)
	require.Equal(t, []int{3}, tooLong)
	rows, tooLong = packRows(nil, 10)
	require.Empty(t, rows)
	require.Empty(t, tooLong)
	rows, tooLong = packRows([]int{1, 2}, 0)
	require.Empty(t, rows)
	require.Equal(t, []int{0, 1}, tooLong)
}

func TestPackRowsProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lengths := rapid.SliceOfN(rapid.IntRange(0, 40), 0, 60).Draw(rt, "lengths")
		rowLength := rapid.IntRange(1, 32).Draw(rt, "row")
		rows, tooLong := packRows(lengths, rowLength)
		seen, total := map[int]int{}, 0
		var used []int
		for r, row := range rows {
			sum := 0
			for _, i := range row {
				seen[i]++
				sum += lengths[i]
			}
			if sum > rowLength || sum == 0 || !slices.IsSorted(row) || r > 0 && rows[r-1][0] > row[0] {
				rt.Fatalf("row %d: %v holds %d of %d", r, row, sum, rowLength)
			}
			used, total = append(used, sum), total+sum
		}
		for _, i := range tooLong {
			seen[i]++
		}
		for i, n := range lengths {
			want := 1
			if n == 0 {
				want = 0
			}
			if seen[i] != want {
				rt.Fatalf("sequence %d of %d tokens is placed %d times", i, n, seen[i])
			}
		}
		// Two rows that fit into one would not be two rows: at most one row is half empty or less.
		slices.Sort(used)
		if len(used) > 1 && used[0]+used[1] <= rowLength {
			rt.Fatalf("rows of %v would fit into one of %d", used[:2], rowLength)
		}
		again, _ := packRows(slices.Clone(lengths), rowLength)
		for r := range rows {
			if !slices.Equal(rows[r], again[r]) {
				rt.Fatalf("row %d: %v, then %v", r, rows[r], again[r])
			}
		}
	})
}
