// Package artifact is a content-addressed store with lineage: models, data sets,
// rollouts and reports become immutable artifacts that name their files, their
// parents and the run that made them. It may import filecache and the standard library; what
// it asks of a bucket is Backend, and implementations live in sub-packages (of
// these, artifact/s3 alone may import minio-go).
//
// Layout of a bucket:
//
//	blobs/sha256/ab/cdef…          immutable bytes, named by their SHA-256
//	manifests/<kind>/<digest>.json what an artifact is; written last, named by its own SHA-256
//	stages/<key>.json              memo of a stage: hash of its inputs -> its outputs
//	aliases/<name>.json            a mutable name; changed by compare-and-set
//	alias-history/<name>/_<n>.json its earlier values
//	index/                         the manifests once more, for listings
//	gc/                            what garbage collections and commits say to each other
//
// An artifact exists once its manifest does. A process that dies earlier leaves blobs
// that nothing names, and the next attempt finds them there.
package artifact

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Ref names an artifact. It is small, comparable and safe to put in a workflow history.
type Ref struct {
	// Kind is the sort of thing: model, dataset, rollouts, report, …
	Kind string `json:"kind"`
	// Digest is the SHA-256 of the manifest, in hex: it differs when lineage differs.
	Digest string `json:"digest"`
	// Content is the SHA-256 over the kind and the sorted files: equal bytes have equal
	// Content, whoever made them. Empty when the ref was parsed from text.
	Content string `json:"content,omitempty"`
}

// digestLength is the length of a SHA-256 in hex.
const digestLength = 64

var kindPattern = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// isDigest says whether a text is a SHA-256 in lower-case hex. Listings ask it often.
func isDigest(text string) bool {
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(text) == digestLength
}

// String is "kind/digest" with the full digest; ParseRef reads it back.
func (r Ref) String() string {
	if r.IsZero() {
		return "(no artifact)"
	}
	return r.Kind + "/" + r.Digest
}

// Short is "kind/" and the first 12 digits: for people, and accepted by Resolve.
func (r Ref) Short() string {
	if len(r.Digest) <= 12 {
		return r.String()
	}
	return r.Kind + "/" + r.Digest[:12]
}

// IsZero says whether r names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// Same says whether two refs name the same artifact; Content, which one of them may
// lack, is not compared.
func (r Ref) Same(other Ref) bool { return r.Kind == other.Kind && r.Digest == other.Digest }

// ParseRef reads the text of Ref.String. Content stays empty; Resolve fills it.
func ParseRef(text string) (Ref, error) {
	kind, digest, found := strings.Cut(text, "/")
	if !found {
		return Ref{}, fmt.Errorf("artifact ref %q: want kind/digest", text)
	}
	r := Ref{Kind: kind, Digest: digest}
	if err := r.check(); err != nil {
		return Ref{}, fmt.Errorf("artifact ref %q: %w", text, err)
	}
	return r, nil
}

func (r Ref) check() error {
	if r.IsZero() {
		return errors.New("empty artifact ref")
	}
	if !kindPattern.MatchString(r.Kind) {
		return fmt.Errorf("kind %q: want a lower-case word (%s)", r.Kind, kindPattern)
	}
	if !isDigest(r.Digest) {
		return fmt.Errorf("digest %q: want %d hex digits", r.Digest, digestLength)
	}
	if r.Content != "" && !isDigest(r.Content) {
		return fmt.Errorf("content %q: want %d hex digits", r.Content, digestLength)
	}
	return nil
}

func (r Ref) manifestKey() string { return "manifests/" + r.Kind + "/" + r.Digest + ".json" }

// blobKey is where bytes with this SHA-256 live; the folder of two digits keeps
// listings and file systems comfortable.
func blobKey(digest string) string { return "blobs/sha256/" + digest[:2] + "/" + digest[2:] }
