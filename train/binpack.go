package train

import "slices"

// packRows places sequences of the given lengths, in tokens, into rows of rowLength: longest first, each into the fullest row that
// still has room (best-fit decreasing). rows[r] holds indices of sequences, ascending, and rows are ordered by their first
// sequence, so equal lengths always give equal rows. Sequences longer than a row are in tooLong and in no row; those that
// are empty (or of negative length) are in neither.
func packRows(lengths []int, rowLength int) (rows [][]int, tooLong []int) {
	order := make([]int, 0, len(lengths))
	for i, n := range lengths {
		if n > rowLength {
			tooLong = append(tooLong, i)
		} else if n > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return lengths[b] - lengths[a] })
	room := make([][]int, max(rowLength, 0)+1) // room[n]: rows with n free tokens, used last in, first out
	for _, i := range order {
		free := lengths[i]
		for free < rowLength && len(room[free]) == 0 {
			free++
		}
		row := len(rows)
		if n := len(room[free]); n > 0 {
			row, room[free] = room[free][n-1], room[free][:n-1]
		} else {
			rows = append(rows, nil)
		}
		rows[row] = append(rows[row], i)
		room[free-lengths[i]] = append(room[free-lengths[i]], row)
	}
	for _, r := range rows {
		slices.Sort(r)
	}
	slices.SortFunc(rows, func(a, b []int) int { return a[0] - b[0] })
	return rows, tooLong
}
