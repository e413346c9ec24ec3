package science

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"

	"temper/tasks/procedural"
)

// Genetics asks for the probability of a child's traits.
var Genetics = procedural.Generator{
	Name: "genetics", Domain: domain, What: "the probability that a child of two plants has given traits and genes",
	Dial: "genes, from 1 to 6", Measure: "genes", Make: makeGenetics,
}

func makeGenetics(rng *rand.Rand, difficulty int) procedural.Problem {
	for {
		var parents [2]string
		var wanted, steps []string
		total := big.NewRat(1, 1)
		for _, letter := range procedural.Some(rng, strings.Split("ABDEFGHJKLMNPQRT", ""), 1+difficulty/2) {
			small := strings.ToLower(letter)
			var genes [2]string
			for i := range genes {
				genes[i] = procedural.Pick(rng, []string{letter + letter, letter + small, letter + small, small + small})
				parents[i] += genes[i]
			}
			want, has := trait(rng, letter, small)
			chance := big.NewRat(0, 4)
			for _, x := range genes[0] {
				for _, y := range genes[1] {
					if has(string(x) + string(y)) {
						chance.Add(chance, big.NewRat(1, 4))
					}
				}
			}
			total.Mul(total, chance)
			wanted = append(wanted, want)
			steps = append(steps, fmt.Sprintf("%s and %s: the child %s with probability %s.", genes[0], genes[1], want, chance.RatString()))
		}
		if total.Sign() == 0 || total.IsInt() {
			continue
		}
		steps = append(steps, fmt.Sprintf("The product is %s.", total.RatString()))
		p := procedural.Ask(fmt.Sprintf("Two plants have the genes %s and %s. Genes are passed on independently, and a capital letter is dominant: one of it is enough to show its trait. What is the probability that a child %s?",
			parents[0], parents[1], strings.Join(wanted, ", and ")), "a fraction", total.RatString(), steps, "number")
		p.Concepts, p.Size = []string{"inheritance", "probability"}, len(wanted)
		return p
	}
}

// trait draws what the child should have of a gene.
func trait(rng *rand.Rand, letter, small string) (text string, has func(genes string) bool) {
	switch rng.IntN(3) {
	case 0:
		return fmt.Sprintf("shows trait %s", letter), func(genes string) bool { return strings.Contains(genes, letter) }
	case 1:
		return fmt.Sprintf("does not show trait %s", letter), func(genes string) bool { return !strings.Contains(genes, letter) }
	}
	return fmt.Sprintf("has one %s and one %s", letter, small), func(genes string) bool { return strings.Contains(genes, letter) && strings.Contains(genes, small) }
}
