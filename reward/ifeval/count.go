package ifeval

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func numberWords(a arguments) func(string) bool {
	enough := needRelation("relation", a.Relation, needCount("num_words", a.NumWords))
	return func(s string) bool {
		return enough(len(strings.FieldsFunc(s, func(r rune) bool { return !isWord(r) && !unicode.IsMark(r) })))
	}
}

func numberSentences(a arguments) func(string) bool {
	enough := needRelation("relation", a.Relation, needCount("num_sentences", a.NumSentences))
	return func(s string) bool { return enough(Sentences(s)) }
}

func keywordExistence(a arguments) func(string) bool {
	if len(a.Keywords) == 0 {
		panic(argumentError("keywords: must be given"))
	}
	return func(s string) bool {
		s = strings.ToLower(s)
		for _, k := range a.Keywords {
			if !strings.Contains(s, strings.ToLower(k)) {
				return false
			}
		}
		return true
	}
}

func keywordFrequency(a arguments) func(string) bool {
	keyword := strings.ToLower(needText("keyword", a.Keyword))
	enough := needRelation("relation", a.Relation, needCount("frequency", a.Frequency))
	return func(s string) bool { return enough(strings.Count(strings.ToLower(s), keyword)) }
}

func forbiddenWords(a arguments) func(string) bool {
	if len(a.ForbiddenWords) == 0 {
		panic(argumentError("forbidden_words: must be given"))
	}
	return func(s string) bool {
		s = strings.ToLower(s)
		for _, w := range a.ForbiddenWords {
			if hasWord(s, strings.ToLower(w)) {
				return false
			}
		}
		return true
	}
}

// hasWord says that a text holds a word with Python's \b on both sides.
func hasWord(s, word string) bool {
	if word == "" {
		return false
	}
	first, _ := utf8.DecodeRuneInString(word)
	last, _ := utf8.DecodeLastRuneInString(word)
	for at := 0; ; {
		i := strings.Index(s[at:], word)
		if i < 0 {
			return false
		}
		at += i
		before, _ := utf8.DecodeLastRuneInString(s[:at]) // U+FFFD at the edges, which is no word
		after, _ := utf8.DecodeRuneInString(s[at+len(word):])
		if isWord(before) != isWord(first) && isWord(after) != isWord(last) {
			return true
		}
		at++
	}
}

func letterFrequency(a arguments) func(string) bool {
	letter := strings.ToLower(needText("letter", a.Letter))
	if utf8.RuneCountInString(letter) != 1 {
		panic(argumentError("letter: must be one character"))
	}
	enough := needRelation("let_relation", a.LetRelation, needCount("let_frequency", a.LetFrequency))
	return func(s string) bool { return enough(strings.Count(strings.ToLower(s), letter)) }
}

func capitalWordFrequency(a arguments) func(string) bool {
	enough := needRelation("capital_relation", a.CapitalRelation, needCount("capital_frequency", a.CapitalFrequency))
	return func(s string) bool { return enough(capitalWords(s)) }
}

// capitalWords counts the tokens in capital letters, split as the Penn Treebank does: at punctuation, and before n't, 's, 'm, 'd, 'll, 're, 've.
func capitalWords(s string) (n int) {
	for _, word := range strings.FieldsFunc(s, func(r rune) bool {
		return isSpace(r) || strings.ContainsRune(";@#$%&*?!()[]{}<>\"`“”„‘’«»…", r)
	}) {
		for _, piece := range strings.Split(strings.ReplaceAll(strings.ReplaceAll(word, "...", "\x00"), "--", "\x00"), "\x00") {
			for _, token := range splitMarks(piece) {
				n += capitalTokens(token)
			}
		}
	}
	return n
}

// splitMarks splits a word at commas and colons that no digit follows.
func splitMarks(word string) (out []string) {
	start := 0
	for i := 0; i < len(word); i++ {
		if (word[i] == ',' || word[i] == ':') && (i+1 == len(word) || word[i+1] < '0' || word[i+1] > '9') {
			out = append(out, word[start:i])
			start = i + 1
		}
	}
	return append(out, word[start:])
}

func capitalTokens(word string) int {
	if word == "CANNOT" || word == "GONNA" || word == "GOTTA" || word == "GIMME" || word == "LEMME" || word == "WANNA" {
		return 2 // the Treebank has two tokens for these
	}
	if base, ok := strings.CutSuffix(strings.TrimRight(word, ".'"), "N'T"); ok && base != "" {
		return number(isUpper(base)) + 1
	}
	if i := strings.LastIndexByte(word, '\''); i > 0 {
		switch strings.ToUpper(strings.TrimRight(word[i+1:], ".")) {
		case "S", "M", "D", "LL", "RE", "VE":
			return number(isUpper(word[:i])) + number(isUpper(word[i:]))
		}
	}
	return number(isUpper(word))
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// isUpper is Python's str.isupper: some letter has a case, and each that has is a capital.
func isUpper(s string) bool {
	cased := false
	for _, r := range s {
		if unicode.IsLower(r) || unicode.IsTitle(r) {
			return false
		}
		cased = cased || unicode.IsUpper(r)
	}
	return cased
}

func isLower(s string) bool {
	cased := false
	for _, r := range s {
		if unicode.IsUpper(r) || unicode.IsTitle(r) {
			return false
		}
		cased = cased || unicode.IsLower(r)
	}
	return cased
}
