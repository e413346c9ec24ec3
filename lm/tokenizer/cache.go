package tokenizer

import (
	"iter"
	"strings"
	"sync"
)

const (
	cacheWords   = 1 << 16 // the cache is emptied when it holds as many
	cacheWordLen = 64      // bytes; longer words are not kept
)

// wordCache keeps the ids of short words.
type wordCache struct {
	mu  sync.RWMutex
	ids map[string][]int32
}

// encode appends a word's ids; merge finds out those of a word that is not kept.
func (c *wordCache) encode(word string, out []int32, merge func(word string) []int32) []int32 {
	if len(word) > cacheWordLen {
		return append(out, merge(word)...)
	}
	c.mu.RLock()
	ids, ok := c.ids[word]
	c.mu.RUnlock()
	if !ok {
		ids = merge(word)
		c.mu.Lock()
		if len(c.ids) >= cacheWords || c.ids == nil {
			c.ids = map[string][]int32{}
		}
		c.ids[strings.Clone(word)] = ids // the word may be part of a long text
		c.mu.Unlock()
	}
	return append(out, ids...)
}

// joinsWords reports a piece that holds a space's mark behind something else. Where no piece does, merging never joins what
// is before such a mark with what follows.
func joinsWords(piece string) bool {
	return strings.Contains(strings.TrimLeft(piece, spmSpace), spmSpace)
}

// marked cuts a text before each mark that does not follow a mark.
func marked(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text != "" {
			end := len(text) - len(strings.TrimLeft(text, spmSpace))
			if i := strings.Index(text[end:], spmSpace); i >= 0 {
				end += i
			} else {
				end = len(text)
			}
			if !yield(text[:end]) {
				return
			}
			text = text[end:]
		}
	}
}
