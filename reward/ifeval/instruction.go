package ifeval

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"unicode"
)

// Instruction is one instruction that can be checked.
type Instruction struct {
	ID      string
	follows func(response string) bool
}

// arguments are those of all kinds, named as in the published data.
type arguments struct {
	Relation         *string  `json:"relation"`
	NumSentences     *int     `json:"num_sentences"`
	NumPlaceholders  *int     `json:"num_placeholders"`
	NumBullets       *int     `json:"num_bullets"`
	NumHighlights    *int     `json:"num_highlights"`
	SectionSplitter  *string  `json:"section_spliter"`
	NumSections      *int     `json:"num_sections"`
	NumParagraphs    *int     `json:"num_paragraphs"`
	PostscriptMarker *string  `json:"postscript_marker"`
	Keywords         []string `json:"keywords"`
	Keyword          *string  `json:"keyword"`
	Frequency        *int     `json:"frequency"`
	NumWords         *int     `json:"num_words"`
	NthParagraph     *int     `json:"nth_paragraph"`
	FirstWord        *string  `json:"first_word"`
	ForbiddenWords   []string `json:"forbidden_words"`
	PromptToRepeat   *string  `json:"prompt_to_repeat"`
	EndPhrase        *string  `json:"end_phrase"`
	Letter           *string  `json:"letter"`
	LetFrequency     *int     `json:"let_frequency"`
	LetRelation      *string  `json:"let_relation"`
	CapitalFrequency *int     `json:"capital_frequency"`
	CapitalRelation  *string  `json:"capital_relation"`
	Language         *string  `json:"language"`
}

// builder makes the check of a kind; it panics with argumentError, which build recovers, where an argument is missing or out of range.
type builder func(a arguments) func(response string) bool

type argumentError string

// need gives an argument that must be there.
func need[T any](name string, value *T) T {
	if value == nil {
		panic(argumentError(name + ": must be given"))
	}
	return *value
}

func needText(name string, value *string) string {
	text := strip(need(name, value))
	if text == "" {
		panic(argumentError(name + ": must not be empty"))
	}
	return text
}

func needCount(name string, value *int) int {
	n := need(name, value)
	if n < 0 {
		panic(argumentError(fmt.Sprintf("%s: must not be negative, is %d", name, n)))
	}
	return n
}

// needRelation gives the comparison of a count with a threshold.
func needRelation(name string, value *string, threshold int) func(count int) bool {
	switch r := need(name, value); r {
	case "less than":
		return func(count int) bool { return count < threshold }
	case "at least":
		return func(count int) bool { return count >= threshold }
	default:
		panic(argumentError(fmt.Sprintf("%s: unknown %q; known: at least, less than", name, r)))
	}
}

// kinds are all kinds of instructions by id.
var kinds = map[string]builder{
	"change_case:capital_word_frequency":            capitalWordFrequency,
	"change_case:english_capital":                   englishCapital,
	"change_case:english_lowercase":                 englishLowercase,
	"combination:repeat_prompt":                     repeatPrompt,
	"combination:two_responses":                     always(twoResponses),
	"detectable_content:number_placeholders":        numberPlaceholders,
	"detectable_content:postscript":                 postscript,
	"detectable_format:constrained_response":        always(constrainedResponse),
	"detectable_format:json_format":                 always(jsonFormat),
	"detectable_format:multiple_sections":           multipleSections,
	"detectable_format:number_bullet_lists":         numberBulletLists,
	"detectable_format:number_highlighted_sections": numberHighlightedSections,
	"detectable_format:title":                       always(title),
	"keywords:existence":                            keywordExistence,
	"keywords:forbidden_words":                      forbiddenWords,
	"keywords:frequency":                            keywordFrequency,
	"keywords:letter_frequency":                     letterFrequency,
	"language:response_language":                    responseLanguage,
	"length_constraints:nth_paragraph_first_word":   nthParagraphFirstWord,
	"length_constraints:number_paragraphs":          numberParagraphs,
	"length_constraints:number_sentences":           numberSentences,
	"length_constraints:number_words":               numberWords,
	"punctuation:no_comma":                          always(noComma),
	"startend:end_checker":                          endChecker,
	"startend:quotation":                            always(quotation),
}

// Kinds lists the ids of all kinds, sorted.
func Kinds() []string {
	out := make([]string, 0, len(kinds))
	for id := range kinds {
		out = append(out, id)
	}
	sort.Strings(out)
	return out
}

func always(check func(response string) bool) builder {
	return func(arguments) func(string) bool { return check }
}

// Parse reads the fields instruction_id_list and kwargs of the published data: a JSON list of ids and a JSON list of as many objects. Errors name the
// instruction and the argument.
func Parse(ids, kwargs string) ([]Instruction, error) {
	var names []string
	if err := json.Unmarshal([]byte(ids), &names); err != nil {
		return nil, fmt.Errorf("instruction_id_list is no JSON list of ids: %w", err)
	}
	var args []json.RawMessage
	if err := json.Unmarshal([]byte(kwargs), &args); err != nil {
		return nil, fmt.Errorf("kwargs is no JSON list of objects: %w", err)
	}
	if len(names) == 0 {
		return nil, errors.New("instruction_id_list is empty")
	}
	if len(names) != len(args) {
		return nil, fmt.Errorf("instruction_id_list has %d ids, kwargs has %d objects", len(names), len(args))
	}
	out := make([]Instruction, len(names))
	for i, id := range names {
		var a arguments
		if err := json.Unmarshal(args[i], &a); err != nil {
			return nil, fmt.Errorf("instruction %s: %w", id, err)
		}
		check, err := build(id, a)
		if err != nil {
			return nil, fmt.Errorf("instruction %s: %w", id, err)
		}
		out[i] = Instruction{ID: id, follows: check}
	}
	return out, nil
}

func build(id string, a arguments) (check func(string) bool, err error) {
	make, ok := kinds[id]
	if !ok {
		return nil, fmt.Errorf("unknown; known: %s", strings.Join(Kinds(), ", "))
	}
	defer func() {
		if r := recover(); r != nil {
			said, ok := r.(argumentError)
			if !ok {
				panic(r)
			}
			err = errors.New(string(said))
		}
	}()
	return make(a), nil
}

// Follows says whether the response as it is follows the instruction; an empty one follows none.
func (i Instruction) Follows(response string) bool {
	return strip(response) != "" && i.follows(response)
}

// FollowsLoosely says whether the response follows the instruction, as it is or without its first line, its last line, both, and each of these
// without asterisks.
func (i Instruction) FollowsLoosely(response string) bool {
	first, last := strings.IndexByte(response, '\n'), strings.LastIndexByte(response, '\n')
	variants := []string{response, "", "", ""}
	if first >= 0 {
		variants[1], variants[2] = strip(response[first+1:]), strip(response[:last])
		if first < last {
			variants[3] = strip(response[first+1 : last])
		}
	}
	for _, v := range variants {
		if i.Follows(v) || i.Follows(strings.ReplaceAll(v, "*", "")) {
			return true
		}
	}
	return false
}

// strip is Python's str.strip.
func strip(s string) string { return strings.TrimFunc(s, isSpace) }

func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// isWord says that a character is one of Python's \w.
func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }
