package tokenizer

// queue is a binary heap: take gives the item that comes before all others.
type queue[T any] struct {
	items  []T
	before func(a, b *T) bool
}

func (q *queue[T]) put(x T) {
	q.items = append(q.items, x)
	for i := len(q.items) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.before(&q.items[i], &q.items[up]) {
			return
		}
		q.items[i], q.items[up] = q.items[up], q.items[i]
		i = up
	}
}

func (q *queue[T]) take() (x T, ok bool) {
	n := len(q.items) - 1
	if n < 0 {
		return x, false
	}
	x = q.items[0]
	q.items[0] = q.items[n]
	q.items = q.items[:n]
	for i := 0; ; {
		least := i
		for down := 2*i + 1; down <= 2*i+2 && down < n; down++ {
			if q.before(&q.items[down], &q.items[least]) {
				least = down
			}
		}
		if least == i {
			return x, true
		}
		q.items[i], q.items[least] = q.items[least], q.items[i]
		i = least
	}
}
