package reward

import "regexp"

var formatKind = kind{name: "format", gives: "1 if the pattern matches, else 0", hi: 1, blank: func() Options { return new(FormatOptions) }}

// FormatOptions are the options of `format`.
type FormatOptions struct {
	Pattern string `option:"pattern" about:"regular expression (RE2) that must match somewhere in the response"`
}

func (o *FormatOptions) check(bad report) {
	if o.Pattern == "" {
		bad("pattern", "must be given")
	} else if _, err := regexp.Compile(o.Pattern); err != nil {
		bad("pattern", "%v", err)
	}
}

func (o *FormatOptions) build() (judge, error) {
	re, err := regexp.Compile(o.Pattern)
	if err != nil {
		return judge{}, err
	}
	return pure(func(x Sample) float64 { return number(re.MatchString(x.Response)) }), nil
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
