package tabular

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/tasks/procedural"
)

// each calls f with problems of every difficulty, and the tables and the question of the prompt.
func each(t *testing.T, g procedural.Generator, f func(p procedural.Problem, tables [][]map[string]string, question string)) {
	for d := procedural.Easiest; d <= procedural.Hardest; d++ {
		for i := range 40 {
			p := g.Generate(rand.New(rand.NewPCG(uint64(i), uint64(d))), d)
			parts := strings.Split(p.Prompt, "\n\n")
			var tables [][]map[string]string
			for _, part := range parts[:len(parts)-2] {
				lines := strings.Split(part, "\n")
				columns := strings.Split(lines[0], " | ")
				var rows []map[string]string
				for _, line := range lines[1:] {
					cells := strings.Split(line, " | ")
					require.Len(t, cells, len(columns))
					row := map[string]string{}
					for i, c := range columns {
						row[c] = cells[i]
					}
					rows = append(rows, row)
				}
				tables = append(tables, rows)
			}
			f(p, tables, parts[len(parts)-2])
		}
	}
}

func accepts(t *testing.T, g procedural.Generator, p procedural.Problem, answer string) bool {
	right, err := g.Check(p, answer)
	require.NoError(t, err)
	return right
}

func number(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}

// satisfies reads conditions from words.
func satisfies(t *testing.T, row map[string]string, conditions string) bool {
	for _, c := range strings.Split(conditions, " and ") {
		m := regexp.MustCompile(`^the (\w+) is (not |below |at least |)(\w+)$`).FindStringSubmatch(c)
		require.NotNil(t, m, c)
		cell, ok := row[m[1]]
		require.True(t, ok)
		holds := false
		switch m[2] {
		case "":
			holds = cell == m[3]
		case "not ":
			holds = cell != m[3]
		case "below ":
			holds = number(t, cell) < number(t, m[3])
		case "at least ":
			holds = number(t, cell) >= number(t, m[3])
		}
		if !holds {
			return false
		}
	}
	return true
}

func TestSelectBySecondReading(t *testing.T) {
	each(t, Select, func(p procedural.Problem, tables [][]map[string]string, question string) {
		conditions := strings.TrimSuffix(strings.TrimPrefix(question, "For which names does it hold that "), "?")
		var names []string
		for _, row := range tables[0] {
			if satisfies(t, row, conditions) {
				names = append(names, row["name"])
			}
		}
		require.Equal(t, strings.Join(names, ", "), p.Answer, p.Prompt)
		slices.Reverse(names)
		require.True(t, accepts(t, Select, p, strings.Join(names, " and ")) || len(names) > 2)
		require.True(t, accepts(t, Select, p, "{"+strings.ToLower(strings.Join(names, ","))+"}"))
	})
}

func TestAggregateBySecondReading(t *testing.T) {
	kinds := map[string]int{}
	asked := regexp.MustCompile(`^What is the (sum of the column|mean of the column|smallest|largest|number of rows)(?: (\w+))?, over (?:all rows|the rows where (.*))\?$`)
	each(t, Aggregate, func(p procedural.Problem, tables [][]map[string]string, question string) {
		m := asked.FindStringSubmatch(question)
		require.NotNil(t, m, question)
		kinds[m[1]]++
		var xs []int64
		for _, row := range tables[0] {
			if m[3] == "" || satisfies(t, row, m[3]) {
				x := int64(0)
				if m[2] != "" {
					x = int64(number(t, row[m[2]]))
				}
				xs = append(xs, x)
			}
		}
		slices.Sort(xs)
		total := int64(0)
		for _, x := range xs {
			total += x
		}
		n := int64(len(xs))
		want := map[string]*big.Rat{"sum of the column": big.NewRat(total, 1), "mean of the column": big.NewRat(total, n), "smallest": big.NewRat(xs[0], 1),
			"largest": big.NewRat(xs[n-1], 1), "number of rows": big.NewRat(n, 1)}[m[1]]
		require.Equal(t, want.RatString(), p.Answer, p.Prompt)
	})
	require.Len(t, kinds, len(aggregates))
}

func TestGroupsBySecondReading(t *testing.T) {
	each(t, Groups, func(p procedural.Problem, tables [][]map[string]string, _ string) {
		totals := map[string]int{}
		for _, row := range tables[0] {
			totals[row["city"]] += number(t, row["salary"])
		}
		order := strings.Split(p.Answer, ", ")
		require.Len(t, order, len(totals))
		for i := 1; i < len(order); i++ {
			require.Greater(t, totals[order[i-1]], totals[order[i]], "no two are the same, so the order is the only one")
		}
	})
}

func TestJoinBySecondReading(t *testing.T) {
	each(t, Join, func(p procedural.Problem, tables [][]map[string]string, question string) {
		city := regexp.MustCompile(`in (\w+) cost together\?$`).FindStringSubmatch(question)[1]
		cities, prices := map[string]string{}, map[string]string{}
		for _, row := range tables[0] {
			cities[row["customer"]] = row["city"]
		}
		if len(tables) == 3 {
			for _, row := range tables[1] {
				prices[row["product"]] = row["price"]
			}
		}
		orders, total := tables[len(tables)-1], 0
		require.Len(t, orders, p.Size)
		for _, row := range orders {
			price := row["price"]
			if price == "" {
				price = prices[row["product"]]
			}
			if cities[row["customer"]] == city {
				total += number(t, row["pieces"]) * number(t, price)
			}
		}
		require.Equal(t, strconv.Itoa(total), p.Answer, p.Prompt)
	})
}

func TestLookupBySecondReading(t *testing.T) {
	named := regexp.MustCompile(`^What is the (\w+) of (\w+)\?$`)
	described := regexp.MustCompile(`^What is the (\w+) of the (\w+) in (\w+)\?$`)
	placed := regexp.MustCompile(`^What is the (\w+) of the (?:(second|third|fourth) )?oldest person\?$`)
	each(t, Lookup, func(p procedural.Problem, tables [][]map[string]string, question string) {
		var column string
		rows := slices.Clone(tables[0])
		if m := placed.FindStringSubmatch(question); m != nil {
			column = m[1]
			slices.SortFunc(rows, func(a, b map[string]string) int { return number(t, b["age"]) - number(t, a["age"]) })
			rows = rows[map[string]int{"": 0, "second": 1, "third": 2, "fourth": 3}[m[2]]:][:1]
		} else if m := described.FindStringSubmatch(question); m != nil {
			column = m[1]
			rows = slices.DeleteFunc(rows, func(r map[string]string) bool { return r["job"] != m[2] || r["city"] != m[3] })
		} else {
			m := named.FindStringSubmatch(question)
			require.NotNil(t, m, question)
			column = m[1]
			rows = slices.DeleteFunc(rows, func(r map[string]string) bool { return r["name"] != m[2] })
		}
		require.Len(t, rows, 1, fmt.Sprint(question, " has one answer"))
		require.Equal(t, rows[0][column], p.Answer)
	})
}
