package tabular

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"temper/tasks/procedural"
)

// Join asks for a total over two tables.
var Join = procedural.Generator{
	Name: "join", Domain: domain, What: "a total over two or three tables that name each other's rows",
	Dial: "orders, from 4 to 22; prices stand in a table of their own from 5 on", Measure: "orders", Make: makeJoin,
}

func makeJoin(rng *rand.Rand, difficulty int) procedural.Problem {
	n := 2 + 2*difficulty
	for {
		customers := table{columns: []string{"customer", "name", "city"}}
		for i, name := range procedural.Some(rng, procedural.Persons, 3+difficulty/2) {
			customers.rows = append(customers.rows, []string{fmt.Sprintf("c%d", i+1), name, procedural.Pick(rng, cities[:3])})
		}
		price := map[string]int{}
		prices := table{columns: []string{"product", "price"}}
		for _, product := range products[:3+difficulty/4] {
			price[product] = 5 * procedural.Between(rng, 1, 20)
			prices.rows = append(prices.rows, []string{product, strconv.Itoa(price[product])})
		}
		apart := difficulty >= 5
		orders := table{columns: []string{"order", "customer", "product", "pieces"}}
		if !apart {
			orders.columns = append(orders.columns, "price")
		}
		city := procedural.Pick(rng, cities[:3])
		total, steps, kept := 0, []string{}, 0
		for i := range n {
			buyer := rng.IntN(len(customers.rows))
			product := procedural.Pick(rng, products[:3+difficulty/4])
			pieces := procedural.Between(rng, 1, 9)
			row := []string{fmt.Sprintf("o%d", i+1), customers.cell(buyer, "customer"), product, strconv.Itoa(pieces)}
			if !apart {
				row = append(row, strconv.Itoa(price[product]))
			}
			orders.rows = append(orders.rows, row)
			if customers.cell(buyer, "city") == city {
				kept, total = kept+1, total+pieces*price[product]
				steps = append(steps, fmt.Sprintf("Order o%d is of %s in %s: %d * %d = %d, so far %d.", i+1, customers.cell(buyer, "name"), city, pieces, price[product], pieces*price[product], total))
			}
		}
		if kept == 0 || kept == n {
			continue
		}
		rng.Shuffle(len(prices.rows), func(i, j int) { prices.rows[i], prices.rows[j] = prices.rows[j], prices.rows[i] })
		texts := []string{customers.text(), orders.text()}
		if apart {
			texts = slices.Insert(texts, 1, prices.text())
		}
		p := procedural.Ask(fmt.Sprintf("%s\n\nPrices are for one piece. What do the orders of all customers in %s cost together?", procedural.Join(texts, "\n\n"), city), "a whole number", strconv.Itoa(total), steps, "number")
		p.Concepts, p.Size = []string{"joins", "sums"}, n
		return p
	}
}
