package ifeval

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

// space is Python's \s in a character class.
const space = `\s\v\x{1c}-\x{1f}\x{85}\p{Z}`

var (
	placeholder = regexp.MustCompile(`\[.*?\]`)
	starBullet  = regexp.MustCompile(`(?m)^[` + space + `]*\*[^*].*$`)
	dashBullet  = regexp.MustCompile(`(?m)^[` + space + `]*-.*$`)
	highlight   = regexp.MustCompile(`\*[^\n*]*\*`)
	highlight2  = regexp.MustCompile(`\*\*[^\n*]*\*\*`)
	divider     = regexp.MustCompile(`[` + space + `]?\*\*\*[` + space + `]?`)
	titleMark   = regexp.MustCompile(`<<[^\n]+>>`)
)

func numberPlaceholders(a arguments) func(string) bool {
	n := needCount("num_placeholders", a.NumPlaceholders)
	return func(s string) bool { return len(placeholder.FindAllStringIndex(s, -1)) >= n }
}

func numberBulletLists(a arguments) func(string) bool {
	n := needCount("num_bullets", a.NumBullets)
	return func(s string) bool {
		return len(starBullet.FindAllStringIndex(s, -1))+len(dashBullet.FindAllStringIndex(s, -1)) == n
	}
}

func numberHighlightedSections(a arguments) func(string) bool {
	n := needCount("num_highlights", a.NumHighlights)
	return func(s string) bool {
		have := 0
		for _, h := range append(highlight.FindAllString(s, -1), highlight2.FindAllString(s, -1)...) {
			if strip(strings.Trim(h, "*")) != "" {
				have++
			}
		}
		return have >= n
	}
}

func multipleSections(a arguments) func(string) bool {
	n := needCount("num_sections", a.NumSections)
	mark := regexp.MustCompile(regexp.QuoteMeta(needText("section_spliter", a.SectionSplitter)) + `[` + space + `]?\p{Nd}+`)
	return func(s string) bool { return len(mark.FindAllStringIndex(s, -1)) >= n }
}

func numberParagraphs(a arguments) func(string) bool {
	n := needCount("num_paragraphs", a.NumParagraphs)
	return func(s string) bool {
		all := divider.Split(s, -1)
		have := len(all)
		for i, p := range all {
			switch {
			case strip(p) != "":
			case i == 0 || i == len(all)-1:
				have--
			default:
				return false
			}
		}
		return have == n
	}
}

func nthParagraphFirstWord(a arguments) func(string) bool {
	n, nth := needCount("num_paragraphs", a.NumParagraphs), needCount("nth_paragraph", a.NthParagraph)
	if nth < 1 || nth > n {
		panic(argumentError("nth_paragraph: must be from 1 to num_paragraphs"))
	}
	first := strings.ToLower(needText("first_word", a.FirstWord))
	return func(s string) bool {
		all := strings.Split(s, "\n\n")
		have := 0
		for _, p := range all {
			if strip(p) != "" {
				have++
			}
		}
		if nth > have || have != n {
			return false
		}
		words := strings.FieldsFunc(all[nth-1], isSpace)
		if len(words) == 0 {
			return false
		}
		word := strings.TrimLeft(strings.TrimLeft(words[0], "'"), `"`)
		if end := strings.IndexAny(word, `.,?!'"`); end >= 0 {
			word = word[:end]
		}
		return strings.ToLower(word) == first
	}
}

func postscript(a arguments) func(string) bool {
	var mark *regexp.Regexp
	switch marker := needText("postscript_marker", a.PostscriptMarker); marker {
	case "P.P.S":
		mark = regexp.MustCompile(`p\.[` + space + `]?p\.[` + space + `]?s`)
	case "P.S.":
		mark = regexp.MustCompile(`p\.[` + space + `]?s\.`)
	default:
		mark = regexp.MustCompile(regexp.QuoteMeta(strings.ToLower(marker)))
	}
	return func(s string) bool { return mark.MatchString(strings.ToLower(s)) }
}

func constrainedResponse(s string) bool {
	for _, option := range []string{"My answer is yes.", "My answer is no.", "My answer is maybe."} {
		if strings.Contains(s, option) {
			return true
		}
	}
	return false
}

func jsonFormat(s string) bool {
	s = strip(s)
	for _, fence := range []string{"```json", "```Json", "```JSON", "```"} {
		s = strings.TrimPrefix(s, fence)
	}
	return json.Valid([]byte(strip(strings.TrimSuffix(s, "```"))))
}

func title(s string) bool {
	for _, t := range titleMark.FindAllString(s, -1) {
		if strip(strings.TrimRight(strings.TrimLeft(t, "<"), ">")) != "" {
			return true
		}
	}
	return false
}

func twoResponses(s string) bool {
	all := strings.Split(s, "******")
	var found []string
	for i, r := range all {
		if r = strip(r); r != "" {
			found = append(found, r)
		} else if i != 0 && i != len(all)-1 {
			return false
		}
	}
	return len(found) == 2 && found[0] != found[1]
}

func repeatPrompt(a arguments) func(string) bool {
	prompt := strings.ToLower(needText("prompt_to_repeat", a.PromptToRepeat))
	return func(s string) bool { return strings.HasPrefix(strings.ToLower(strip(s)), prompt) }
}

func endChecker(a arguments) func(string) bool {
	phrase := strings.ToLower(needText("end_phrase", a.EndPhrase))
	return func(s string) bool { return strings.HasSuffix(strings.ToLower(strings.Trim(strip(s), `"`)), phrase) }
}

func quotation(s string) bool {
	s = strip(s)
	return utf8.RuneCountInString(s) > 1 && s[0] == '"' && s[len(s)-1] == '"'
}

func noComma(s string) bool { return !strings.Contains(s, ",") }
