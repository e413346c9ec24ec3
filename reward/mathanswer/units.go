package mathanswer

import (
	"math/big"
	"strings"
)

// unit is a unit of measure: its dimension and what one of it is in the dimension's first unit.
type unit struct {
	dimension string
	factor    *big.Rat
}

// units has the units that are told apart and converted. Any other word after a number ("apples", "ways") is left out.
var units = map[string]unit{}

// unitWords are the spellings that need no \text around them, having two letters or more.
var unitWords = map[string]bool{}

func init() {
	table := `length m=1 meter metre=1 km kilometer kilometre=1000 cm centimeter centimetre=1/100 mm millimeter millimetre=1/1000 ft foot feet=381/1250 in inch inches=127/5000 yd yard=1143/1250 mi mile=201168/125
area m^2 sqm=1 cm^2=1/10000 mm^2=1/1000000 km^2=1000000 ft^2=145161/1562500 in^2=16129/25000000
volume m^3=1 cm^3 ml milliliter millilitre=1/1000000 l liter litre=1/1000 mm^3=1/1000000000 in^3=2048383/125000000000 ft^3=55306341/1953125000
time s sec second=1 min minute=60 h hr hour=3600 day=86400 week=604800 ms millisecond=1/1000
mass g gram=1/1000 kg kilogram=1 mg milligram=1/1000000 ton tonne=1000 lb lbs pound=45359237/100000000 oz ounce=45359237/1600000000
money $ dollar usd buck=1 cent ¢=1/100
euros € euro=1
yuans yuan rmb=1
speed m/s=1 km/h km/hr kmh kph=5/18 mph mi/h=1397/3125
angle degree deg ° =1
radians rad radian=1
morning am=1
afternoon pm=1
temperature celsius ℃=1
force n newton=1 kn kilonewton=1000
energy j joule=1 kj kilojoule=1000
power w watt=1 kw kilowatt=1000
pressure pa pascal=1 kpa=1000
current a ampere amp=1
voltage v volt=1
frequency hz hertz=1 khz=1000 mhz=1000000`
	for _, line := range strings.Split(table, "\n") {
		fields := strings.Fields(line)
		var names []string
		for _, f := range fields[1:] {
			name, factor, last := strings.Cut(f, "=")
			if name != "" {
				names = append(names, name)
			}
			if !last {
				continue
			}
			r, ok := new(big.Rat).SetString(factor)
			if !ok {
				panic("mathanswer: factor of a unit: " + f)
			}
			for _, n := range names {
				units[n] = unit{fields[0], r}
				if len(n) > 1 && isLetters(n) && n != "in" && n != "min" && n != "am" && n != "pm" {
					unitWords[n], unitWords[n+"s"] = true, true
				}
			}
			names = nil
		}
	}
}

// unitOf finds the unit that a word names, singular or plural, square or cubic.
func unitOf(word string) (unit, bool) {
	w := strings.ToLower(strings.Trim(word, " .~()"))
	w = strings.NewReplacer(" per ", "/", "{", "", "}", "", " ", "").Replace(w)
	for _, p := range []struct{ word, power string }{{"square", "^2"}, {"sq", "^2"}, {"cubic", "^3"}, {"cu", "^3"}} {
		if rest, ok := strings.CutPrefix(strings.TrimPrefix(w, "."), p.word); ok && rest != "" {
			w = short(rest) + p.power
			break
		}
	}
	for _, n := range []string{w, strings.TrimSuffix(w, "s"), strings.TrimSuffix(w, "es")} {
		if u, ok := units[n]; ok {
			return u, true
		}
	}
	return unit{}, false
}

// short gives the symbol of a length, for its squares and cubes.
func short(w string) string {
	for _, s := range []struct{ symbol, words string }{{"m", "meter metre"}, {"cm", "centimeter centimetre"}, {"km", "kilometer kilometre"},
		{"mm", "millimeter millimetre"}, {"ft", "foot feet"}, {"in", "inch inche"}} {
		for _, name := range strings.Fields(s.words) {
			if w == name || w == name+"s" {
				return s.symbol
			}
		}
	}
	return w
}

func isLetters(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isLetter(s[i]) {
			return false
		}
	}
	return s != ""
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
