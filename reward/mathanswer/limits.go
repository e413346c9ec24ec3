package mathanswer

import "errors"

// What an answer may be at most. A response that an answer is looked for in may have any length; it is read once from front to back.
const (
	maxAnswer   = 16 << 10 // bytes of one answer
	maxTokens   = 4096     // tokens of one answer
	maxDepth    = 100      // brackets, scripts and commands within each other
	maxDigits   = 2000     // digits of one number
	maxDecimal  = 5000     // the exponent of a number such as 1e100
	maxElements = 512      // members of a list, a set or a tuple, also after ± is written out
	maxCells    = 1024     // cells of a matrix
	maxWork     = 2 << 20  // steps for one side of a comparison
)

var (
	errLong  = errors.New("is longer than 16 KiB")
	errDeep  = errors.New("is nested more than 100 deep")
	errWork  = errors.New("takes more than 2097152 steps")
	errSize  = errors.New("has a number, a list or a matrix beyond the limits")
	errEmpty = errors.New("is empty")
)

// work counts the steps that one side of a comparison takes: bytes and tokens read, operations evaluated, pairs compared.
type work struct{ steps int }

// spend adds steps and says whether the limit is kept.
func (w *work) spend(n int) error {
	if w.steps += n; w.steps > maxWork {
		return errWork
	}
	return nil
}
