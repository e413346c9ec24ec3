package tabular

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"temper/tasks/procedural"
)

// table has named columns and rows of cells.
type table struct {
	columns []string
	rows    [][]string
}

// text writes the table with bars between its cells.
func (t table) text() string {
	lines := []string{strings.Join(t.columns, " | ")}
	for _, row := range t.rows {
		lines = append(lines, strings.Join(row, " | "))
	}
	return strings.Join(lines, "\n")
}

// column is the place of a column; the name is one that the table has.
func (t table) column(name string) int { return slices.Index(t.columns, name) }

func (t table) cell(row int, column string) string { return t.rows[row][t.column(column)] }

// number is a cell of a column of numbers.
func (t table) number(row int, column string) int {
	n, err := strconv.Atoi(t.cell(row, column))
	if err != nil {
		panic(fmt.Sprintf("column %s: %v", column, err)) // a generator asks for a column of words as numbers
	}
	return n
}

var (
	cities   = []string{"Rome", "Oslo", "Lima", "Cairo", "Delhi", "Paris"}
	jobs     = []string{"cook", "pilot", "nurse", "clerk", "baker"}
	products = []string{"lamp", "chair", "desk", "vase", "rug", "clock"}
)

// people draws persons with a city, a job, an age and a salary. The people stand in no order.
func people(rng *rand.Rand, n int) table {
	t := table{columns: []string{"name", "city", "job", "age", "salary"}}
	ages := procedural.Some(rng, numbers(20, 69), n)
	for i, name := range procedural.Some(rng, procedural.Persons, n) {
		t.rows = append(t.rows, []string{name, procedural.Pick(rng, cities[:4]), procedural.Pick(rng, jobs), ages[i], strconv.Itoa(50 * procedural.Between(rng, 30, 120))})
	}
	return t
}

// numbers lists the whole numbers from lo to hi.
func numbers(lo, hi int) []string {
	var out []string
	for n := lo; n <= hi; n++ {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// condition is what a row must satisfy.
type condition struct {
	text  string
	holds func(t table, row int) bool
}

// conditions draws some about different columns of people.
func conditions(rng *rand.Rand, count int) []condition {
	city, job := procedural.Pick(rng, cities[:4]), procedural.Pick(rng, jobs)
	age, salary := procedural.Between(rng, 30, 60), 50*procedural.Between(rng, 45, 105)
	possible := []condition{
		{fmt.Sprintf("the city is %s", city), func(t table, r int) bool { return t.cell(r, "city") == city }},
		{fmt.Sprintf("the job is not %s", job), func(t table, r int) bool { return t.cell(r, "job") != job }},
		{fmt.Sprintf("the age is below %d", age), func(t table, r int) bool { return t.number(r, "age") < age }},
		{fmt.Sprintf("the salary is at least %d", salary), func(t table, r int) bool { return t.number(r, "salary") >= salary }},
	}
	return procedural.Some(rng, possible, count)
}

// where lists the rows that satisfy all conditions.
func (t table) where(cs []condition) []int {
	var out []int
	for r := range t.rows {
		if !slices.ContainsFunc(cs, func(c condition) bool { return !c.holds(t, r) }) {
			out = append(out, r)
		}
	}
	return out
}

// all joins the conditions.
func all(cs []condition) string {
	var out []string
	for _, c := range cs {
		out = append(out, c.text)
	}
	return strings.Join(out, " and ")
}
