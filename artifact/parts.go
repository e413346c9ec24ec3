package artifact

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// partBytes is how much of a large blob one request asks for.
	partBytes = 16 << 20
	// partsAhead is how many such requests go on at once.
	partsAhead = 4
	// partAttempts is how often a part is asked for whose connection breaks.
	partAttempts = 3
)

// openBlob opens a blob. A large one is read in parts, several at a time: one connection
// to a store far away is slower than the way to it.
func (s *Store) openBlob(ctx context.Context, f File) (io.ReadCloser, error) {
	key := blobKey(f.Digest)
	if f.Size > partBytes {
		info, err := s.backend.Stat(ctx, key)
		if err != nil {
			return nil, err
		}
		if info.Size == f.Size {
			return s.openParts(ctx, key, f.Size), nil
		} // a damaged one is read as it is, and found out
	}
	r, _, err := s.backend.Get(ctx, key)
	return r, err
}

// partsReader reads an object in order while its next parts come in.
type partsReader struct {
	store  *Store
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup
	key    string
	size   int64

	started int64             // offset of the next part to ask for
	coming  []chan partResult // asked for, in order
	now     bytes.Reader      // what is being read
	err     error             // once something has failed
}

type partResult struct {
	body []byte
	err  error
}

func (s *Store) openParts(ctx context.Context, key string, size int64) io.ReadCloser {
	r := &partsReader{store: s, key: key, size: size}
	r.ctx, r.cancel = context.WithCancel(ctx)
	for range partsAhead {
		r.ask()
	}
	return r
}

// ask starts to read the next part, if there is one.
func (r *partsReader) ask() {
	length := min(partBytes, r.size-r.started)
	if length <= 0 {
		return
	}
	offset, result := r.started, make(chan partResult, 1)
	r.started += length
	r.coming = append(r.coming, result)
	r.wait.Go(func() {
		body, err := r.part(offset, length)
		result <- partResult{body, err}
	})
}

func (r *partsReader) part(offset, length int64) (body []byte, err error) {
	for attempt := 1; ; attempt++ {
		if body, err = r.store.readRange(r.ctx, r.key, offset, length); err == nil || attempt == partAttempts || !errors.Is(err, ErrUnreachable) {
			return body, err
		}
		select {
		case <-r.ctx.Done():
			return nil, r.ctx.Err()
		case <-time.After(time.Duration(attempt) * 100 * time.Millisecond):
		}
	}
}

// readRange reads a part of an object, all of it.
func (s *Store) readRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	body, err := s.backend.GetRange(ctx, key, offset, length)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	buffer := make([]byte, length)
	if n, err := io.ReadFull(body, buffer); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("%w: %d of %d bytes at %d of %s came", ErrUnreachable, n, length, offset, key)
		}
		return nil, err
	}
	return buffer, nil
}

func (r *partsReader) Read(p []byte) (int, error) {
	for r.err == nil && r.now.Len() == 0 {
		if len(r.coming) == 0 {
			r.err = io.EOF
			break
		}
		result := <-r.coming[0]
		r.coming = r.coming[1:]
		r.now.Reset(result.body)
		r.err = result.err
		r.ask()
	}
	if r.err != nil {
		return 0, r.err
	}
	return r.now.Read(p)
}

// Close ends the requests that go on.
func (r *partsReader) Close() error {
	r.cancel()
	r.wait.Wait()
	return nil
}
