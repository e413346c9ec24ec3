package artifact

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// Errors by which callers decide. Backends and Store wrap them with the key and
// what was being done, so test with errors.Is.
var (
	// ErrNotFound says that a key, artifact, alias or file is not in the store.
	ErrNotFound = errors.New("not found")
	// ErrPrecondition says that a conditional put, or a compare-and-set, lost.
	ErrPrecondition = errors.New("precondition failed")
	// ErrCorrupt says that bytes in the store are not those that their name promises.
	ErrCorrupt = errors.New("corrupt")
	// ErrUnreachable says that the store did not answer; trying again later may help.
	ErrUnreachable = errors.New("store unreachable")
	// ErrDenied says that the store answered and refused the credentials.
	ErrDenied = errors.New("access denied")
	// ErrAmbiguous says that a digest prefix fits more than one artifact.
	ErrAmbiguous = errors.New("ambiguous")
)

// Backend is what a bucket must do. All methods are safe for concurrent use, and
// keys are slash-separated paths that never begin or end with a slash.
//
// Retry: an implementation retries what is transient (a dropped connection, a busy
// server) for some seconds by itself. An error that comes back is either permanent
// (ErrNotFound, ErrPrecondition, ErrDenied) or says that the store stayed away
// (ErrUnreachable), and then calling again later is right.
//
// Permanence: when Put or PutFile returns nil, every later Get, Stat and List, by any
// process, sees the whole object. A put that fails, or whose process dies, leaves the
// earlier object or none: a reader never sees half of one.
//
// Idempotence: putting equal bytes at the same key again is harmless, and so is Delete
// of what is gone.
type Backend interface {
	// Put stores body at key, and returns the ETag that a later IfMatch takes. When
	// cond does not hold, nothing is stored and the error wraps ErrPrecondition. After
	// an inner retry ErrPrecondition may also mean that an earlier attempt of this very
	// call had won, so a caller that must know reads the object and compares.
	Put(ctx context.Context, key string, body []byte, cond Condition) (etag string, err error)
	// PutFile stores the file at path without holding it in memory. The file must
	// not change meanwhile.
	PutFile(ctx context.Context, key, path string) error
	// Get opens an object; the caller closes the reader. ErrNotFound comes from Get
	// itself, never from the first Read.
	Get(ctx context.Context, key string) (io.ReadCloser, ObjectInfo, error)
	// GetRange opens length bytes of an object from offset on, all of which must be there.
	GetRange(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error)
	// Stat returns what Get would, without the bytes.
	Stat(ctx context.Context, key string) (ObjectInfo, error)
	// List yields the objects whose keys begin with prefix (a plain string prefix,
	// not a folder), in key order. An error ends the sequence.
	List(ctx context.Context, prefix string) iter.Seq2[ObjectInfo, error]
	// Delete removes an object; removing what is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Condition restricts a Put. The zero value always holds; at most one field is set.
type Condition struct {
	// IfAbsent lets the put succeed only when nothing is at the key.
	IfAbsent bool
	// IfMatch lets the put succeed only when the object there has this ETag.
	IfMatch string
}

// ObjectInfo describes a stored object.
type ObjectInfo struct {
	Key      string
	Size     int64 // bytes
	ETag     string
	Modified time.Time
}
