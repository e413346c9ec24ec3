package activities

import (
	"slices"
	"sync"
)

// cache keeps the values of the last few keys.
type cache[T any] struct {
	mu    sync.Mutex
	keys  []string // oldest use first
	items map[string]T
}

const cacheSize = 64

// get returns the value of a key, made by load where it is not there.
func (c *cache[T]) get(key string, load func() (T, error)) (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.items[key]; ok {
		c.touch(key)
		return v, nil
	}
	v, err := load()
	if err != nil {
		return v, err
	}
	if c.items == nil {
		c.items = map[string]T{}
	}
	if len(c.keys) == cacheSize {
		delete(c.items, c.keys[0])
		c.keys = c.keys[1:]
	}
	c.items[key] = v
	c.keys = append(c.keys, key)
	return v, nil
}

func (c *cache[T]) touch(key string) {
	i := slices.Index(c.keys, key)
	c.keys = append(slices.Delete(c.keys, i, i+1), key)
}
