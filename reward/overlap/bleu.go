package overlap

import (
	"math"
	"regexp"
	"strings"
)

// bleuOrder is the longest n-gram of BLEU.
const bleuOrder = 4

// BLEU is sacrebleu.sentence_bleu (Papineni 2002; Post 2018) of a response and one reference, in [0, 1]: tokeniser 13a, exponential smoothing,
// effective order.
func BLEU(response, gold string) float64 {
	have, want := tokens13a(response), tokens13a(gold)
	logs, order, smooth, any := 0.0, 0, 1.0, false
	for n := 1; n <= bleuOrder; n++ {
		matched, total := tallyOf(wordGrams(want, n)).matches(wordGrams(have, n))
		if total == 0 {
			break
		}
		order = n
		any = any || matched > 0
		precision := float64(matched) / float64(total)
		if matched == 0 {
			smooth *= 2
			precision = 1 / (smooth * float64(total))
		}
		logs += math.Log(precision)
	}
	if !any {
		return 0
	}
	penalty := 1.0
	if len(have) < len(want) {
		penalty = math.Exp(1 - float64(len(want))/float64(len(have)))
	}
	return penalty * math.Exp(logs/float64(order))
}

var (
	marks13a  = regexp.MustCompile("([\\{-\\~\\[-\\` -\\&\\(-\\+\\:-\\@\\/])")
	before13a = regexp.MustCompile(`([^0-9])([\.,])`)
	after13a  = regexp.MustCompile(`([\.,])([^0-9])`)
	dash13a   = regexp.MustCompile(`([0-9])(-)`)
)

// tokens13a is the tokeniser of mteval-v13a, as WMT uses it.
func tokens13a(text string) []string {
	text = strings.TrimRightFunc(text, isSpace)
	text = strings.ReplaceAll(text, "<skipped>", "")
	text = strings.ReplaceAll(text, "-\n", "")
	text = strings.ReplaceAll(text, "\n", " ")
	for _, e := range [][2]string{{"&quot;", `"`}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}} { // one after the other: &amp;lt; ends as <
		text = strings.ReplaceAll(text, e[0], e[1])
	}
	text = marks13a.ReplaceAllString(" "+text+" ", " $1 ")
	text = before13a.ReplaceAllString(text, "$1 $2 ")
	text = after13a.ReplaceAllString(text, " $1 $2")
	text = dash13a.ReplaceAllString(text, "$1 $2 ")
	return Words(text)
}
