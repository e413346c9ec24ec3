package side

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"temper/lm/tokenizer"
)

// Tokenized are the seconds of each repetition with how much text it was; both sides must have the same tokens.
type Tokenized struct {
	Seconds []float64 `json:"seconds"`
	Bytes   int       `json:"bytes"`
	Tokens  int       `json:"tokens"`
}

// mathTexts are the files of data whose questions and solutions are tokenized.
var mathTexts = []string{"gsm8k/train.jsonl.gz", "gsm8k/test.jsonl", "math/math_test.jsonl.gz"}

// Tokenize times encoding GSM8K and MATH with Qwen2's vocabulary, text by text on one thread. The first repetition is left out.
func Tokenize(data string, times int) (Tokenized, error) {
	var out Tokenized
	files := map[string][]byte{}
	for name, path := range map[string]string{"vocab.json": "vocab.json.gz", "merges.txt": "merges.txt.gz", "tokenizer_config.json": "tokenizer_config.json"} {
		body, err := read(filepath.Join(data, "tokenizers", "qwen2", path))
		if err != nil {
			return out, err
		}
		files[name] = body
	}
	tok, err := tokenizer.Parse(files)
	if err != nil {
		return out, err
	}
	var texts []string
	for _, path := range mathTexts {
		body, err := read(filepath.Join(data, filepath.FromSlash(path)))
		if err != nil {
			return out, err
		}
		scanner := bufio.NewScanner(bytes.NewReader(body))
		scanner.Buffer(nil, 1<<24)
		for line := 1; scanner.Scan(); line++ {
			var row struct{ Question, Answer, Problem, Solution string }
			if err := json.Unmarshal(scanner.Bytes(), &row); err != nil {
				return out, fmt.Errorf("%s:%d: %w", path, line, err)
			}
			texts = append(texts, row.Question+row.Problem, row.Answer+row.Solution)
		}
		if err := scanner.Err(); err != nil {
			return out, fmt.Errorf("%s: %w", path, err)
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for i := range times + 1 {
		out.Bytes, out.Tokens = 0, 0
		start := time.Now()
		for _, text := range texts {
			out.Bytes += len(text)
			out.Tokens += len(tok.Encode(text, tokenizer.Options{}))
		}
		if i > 0 {
			out.Seconds = append(out.Seconds, time.Since(start).Seconds())
		}
	}
	return out, nil
}

// read unpacks a file whose name ends with .gz.
func read(path string) ([]byte, error) {
	body, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return body, err
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if body, err = io.ReadAll(z); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return body, nil
}
