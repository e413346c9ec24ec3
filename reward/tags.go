package reward

import (
	"regexp"
	"strings"
)

var tagsKind = kind{name: "tags", gives: "1 if the response is the wanted elements in their order, each once, else 0; graded: the share of tags that stand exactly once", hi: 1,
	source: "DeepSeek-R1 (arXiv 2501.12948), format reward; graded: open-rs (arXiv 2503.16219), tag count", blank: func() Options { return new(TagsOptions) }}

// TagsOptions are the options of `tags`.
type TagsOptions struct {
	Names  []string `option:"names" about:"the elements in their order, [think, answer] by default: <think>…</think><answer>…</answer>"`
	Around bool     `option:"around" about:"other text may stand before, between and after the elements; else only white space"`
	Graded bool     `option:"graded" about:"the share of the opening and closing tags that stand exactly once, in any order"`
}

var tagName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

func (o *TagsOptions) check(bad report) {
	seen := map[string]bool{}
	for _, name := range o.Names {
		checkTag(bad, "names", name)
		if seen[name] {
			bad("names", "%q is given twice", name)
		}
		seen[name] = true
	}
	if o.Graded && o.Around {
		bad("around", "is what graded allows already")
	}
}

func checkTag(bad report, option, name string) {
	if !tagName.MatchString(name) {
		bad(option, "%q is no name of an element such as think", name)
	}
}

func (o *TagsOptions) build() (judge, error) {
	names := o.Names
	if len(names) == 0 {
		names = []string{"think", "answer"}
	}
	if o.Graded {
		return pure(func(x Sample) float64 { return countedTags(x.Response, names) }), nil
	}
	return pure(func(x Sample) float64 { return number(inOrder(x.Response, names, o.Around)) }), nil
}

func countedTags(text string, names []string) float64 {
	once := 0
	for _, name := range names {
		for _, tag := range []string{"<" + name + ">", "</" + name + ">"} {
			if strings.Count(text, tag) == 1 {
				once++
			}
		}
	}
	return float64(once) / float64(2*len(names))
}

// inOrder says that each element stands once, after the one before it.
func inOrder(text string, names []string, around bool) bool {
	for _, name := range names {
		if strings.Count(text, "<"+name+">") != 1 || strings.Count(text, "</"+name+">") != 1 {
			return false
		}
	}
	for _, name := range names {
		before, after, found := strings.Cut(text, "<"+name+">")
		if !found || !around && strings.TrimSpace(before) != "" {
			return false
		}
		if _, text, found = strings.Cut(after, "</"+name+">"); !found {
			return false
		}
	}
	return around || strings.TrimSpace(text) == ""
}

// judgedText is what a part compares of a response: what the last element named tag holds, without a tag what follows the last </think>.
func judgedText(response, tag string) (text string, found bool) {
	if tag == "" {
		const end = "</think>"
		if i := strings.LastIndex(response, end); i >= 0 {
			response = response[i+len(end):]
		}
		return response, true
	}
	open := strings.LastIndex(response, "<"+tag+">")
	if open < 0 {
		return "", false
	}
	text, _, found = strings.Cut(response[open+len(tag)+2:], "</"+tag+">")
	return text, found
}
