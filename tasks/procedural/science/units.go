package science

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"

	"temper/tasks/procedural"
)

// Units asks for a quantity in other units.
var Units = procedural.Generator{
	Name: "units", Domain: domain, What: "a quantity in other units, such as km/h in m/s",
	Dial: "units in the quantity, from 1 to 4, and its value, up to 100 and 1000", Measure: "units", Make: makeUnits,
}

// unit is so many of the smallest unit of its kind.
type unit struct {
	name string
	of   int64
}

var kinds = []struct {
	name  string
	units []unit
}{
	{"length", []unit{{"mm", 1}, {"cm", 10}, {"m", 1000}, {"km", 1_000_000}}},
	{"mass", []unit{{"mg", 1}, {"g", 1000}, {"kg", 1_000_000}}},
	{"time", []unit{{"s", 1}, {"min", 60}, {"h", 3600}, {"day", 86400}}},
	{"volume", []unit{{"mL", 1}, {"cL", 10}, {"L", 1000}}},
}

// factor is one unit of the quantity, before and after.
type factor struct {
	from, to unit
	below    bool // it is divided by
}

// value is what the number is multiplied by.
func (f factor) value() *big.Rat {
	if f.below {
		return big.NewRat(f.to.of, f.from.of)
	}
	return big.NewRat(f.from.of, f.to.of)
}

func makeUnits(rng *rand.Rand, difficulty int) procedural.Problem {
	for {
		var factors []factor
		var concepts []string
		for i, k := range procedural.Some(rng, kinds, 1+difficulty/3) {
			u := procedural.Some(rng, k.units, 2)
			factors = append(factors, factor{u[0], u[1], i > 0 && rng.IntN(3) > 0})
			concepts = append(concepts, k.name)
		}
		value := big.NewRat(int64(procedural.Between(rng, 2, 100*difficulty)), 1)
		from, to := unitText(factors, false), unitText(factors, true)
		result := new(big.Rat).Set(value)
		var steps []string
		for _, f := range factors {
			result.Mul(result, f.value())
			steps = append(steps, fmt.Sprintf("1 %s = %s %s, and %s stands %s the line: times %s is %s.", f.from.name, big.NewRat(f.from.of, f.to.of).RatString(), f.to.name, f.from.name,
				map[bool]string{true: "below", false: "above"}[f.below], f.value().RatString(), result.RatString()))
		}
		answer := procedural.Number(result)
		if strings.Contains(answer, "/") || len(answer) > 10 {
			continue
		}
		p := procedural.Ask(fmt.Sprintf("How much is %s %s in %s?", value.RatString(), from, to), fmt.Sprintf("the exact number of %s", to), answer, steps, "number", "unit", to)
		slices.Sort(concepts)
		p.Concepts, p.Size = concepts, len(factors)
		return p
	}
}

// unitText writes the units before or after: kg*m/(s*L).
func unitText(factors []factor, after bool) string {
	var above, below []string
	for _, f := range factors {
		name := f.from.name
		if after {
			name = f.to.name
		}
		if f.below {
			below = append(below, name)
		} else {
			above = append(above, name)
		}
	}
	text := strings.Join(above, "*")
	switch len(below) {
	case 0:
		return text
	case 1:
		return text + "/" + below[0]
	}
	return text + "/(" + strings.Join(below, "*") + ")"
}
