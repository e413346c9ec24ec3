package code

import (
	"slices"
	"strings"
)

// tags are what fences of a language are marked with.
var tags = map[string][]string{"python": {"python", "python3", "py"}, "go": {"go", "golang"}}

// Extract finds the program in an answer: the last Markdown fence marked with the language, else the last unmarked one, else the whole text. A fence
// that is not closed, as of an answer cut at its limit, goes to the end. What stands before </think> is left out.
func Extract(language, text string) string {
	if _, after, ok := cutLast(text, "</think>"); ok {
		text = after
	}
	var marked, unmarked string
	var foundMarked, foundUnmarked bool
	var fence, tag string
	var block []string
	end := func() {
		body := strings.Join(block, "")
		switch {
		case slices.Contains(tags[language], tag):
			marked, foundMarked = body, true
		case tag == "":
			unmarked, foundUnmarked = body, true
		}
		fence, block = "", nil
	}
	for line := range strings.Lines(text) {
		bare := strings.TrimSpace(line)
		switch {
		case fence == "" && (strings.HasPrefix(bare, "```") || strings.HasPrefix(bare, "~~~")):
			fence = bare[:len(bare)-len(strings.TrimLeft(bare, bare[:1]))]
			tag = ""
			if f := strings.Fields(bare[len(fence):]); len(f) > 0 {
				tag = strings.ToLower(strings.Trim(f[0], "{}."))
			}
		case fence != "" && strings.HasPrefix(bare, fence) && strings.Trim(bare, fence[:1]) == "":
			end()
		case fence != "":
			block = append(block, line)
		}
	}
	if fence != "" {
		end()
	}
	switch {
	case foundMarked:
		return marked
	case foundUnmarked:
		return unmarked
	}
	return text
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// source is the whole program: the prompt, if there is one, and the answer that goes on from it.
func source(p Program) string {
	text := Extract(p.Language, p.Completion)
	if p.Prompt != "" && !strings.HasSuffix(p.Prompt, "\n") && !strings.HasPrefix(text, "\n") && startsStatement(text) {
		return p.Prompt + "\n" + text
	}
	return p.Prompt + text
}

// startsStatement reports whether a text begins on a line of its own: indented, or with a definition.
func startsStatement(text string) bool {
	for _, begin := range []string{"    ", "\t", "def ", "class ", "import ", "from ", "func ", "package ", "@"} {
		if strings.HasPrefix(text, begin) {
			return true
		}
	}
	return false
}
