package artifact

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"
)

// File is one file of an artifact.
type File struct {
	// Path is slash-separated and relative, as fs.ValidPath has it.
	Path string `json:"path"`
	// Digest is the SHA-256 of the bytes, in hex.
	Digest string `json:"digest"`
	// Size in bytes.
	Size int64 `json:"size"`
}

// MadeBy says which piece of work made an artifact.
type MadeBy struct {
	Workflow string `json:"workflow,omitempty"`
	Run      string `json:"run,omitempty"`
	Stage    string `json:"stage,omitempty"`
	Activity string `json:"activity,omitempty"`
	Attempt  int    `json:"attempt,omitempty"`
}

// Parent is an artifact that another was made from, and the part it played there
// ("base", "teacher", "data", …).
type Parent struct {
	Role string `json:"role"`
	Ref  Ref    `json:"ref"`
}

// Manifest says what an artifact is. Its JSON is hashed to name the artifact, so
// equal manifests are one artifact, and a maker that wants its retries to arrive at
// the same one leaves out what differs between attempts.
type Manifest struct {
	Kind  string `json:"kind"`
	Files []File `json:"files,omitempty"` // sorted by path
	// Parents keep the order that their maker gave.
	Parents []Parent `json:"parents,omitempty"`
	MadeBy  MadeBy   `json:"made_by,omitzero"`
	// Settings that were in force, as JSON.
	Settings json.RawMessage `json:"settings,omitempty"`
	Device   string          `json:"device,omitempty"` // device kind and plugin version
	Code     string          `json:"code,omitempty"`   // version of the program
	// Metrics are finite numbers; JSON has no other.
	Metrics map[string]float64 `json:"metrics,omitempty"`
	Summary string             `json:"summary,omitempty"` // one line for people
	// Created may be left zero: it then stays out of the digest, and Load answers with
	// the time at which the bucket stored the manifest.
	Created time.Time `json:"created,omitzero"`
}

// Content is the SHA-256 over the kind and the files: what Ref.Content holds.
func (m Manifest) Content() string {
	files := sortedFiles(m.Files)
	h := sha256.New()
	// Kinds and digests hold no newline and paths are quoted, so no two lists of files
	// give the same text.
	fmt.Fprintf(h, "%s\n", m.Kind)
	for _, f := range files {
		fmt.Fprintf(h, "%q %s\n", f.Path, f.Digest)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// File finds a file by its path.
func (m Manifest) File(path string) (File, bool) {
	for _, f := range m.Files {
		if f.Path == path {
			return f, true
		}
	}
	return File{}, false
}

// Size is the sum of the files' sizes, in bytes.
func (m Manifest) Size() int64 {
	var total int64
	for _, f := range m.Files {
		total += f.Size
	}
	return total
}

// encode checks m and returns its stored form and the ref that this form has.
func (m Manifest) encode() ([]byte, Ref, error) {
	m.Files = sortedFiles(m.Files)
	if err := m.check(); err != nil {
		return nil, Ref{}, err
	}
	if len(m.Settings) > 0 && !json.Valid(m.Settings) {
		return nil, Ref{}, fmt.Errorf("manifest of kind %s: settings are not JSON", m.Kind)
	}
	m.Created = m.Created.UTC().Round(0)
	body, err := json.Marshal(m)
	if err != nil {
		return nil, Ref{}, fmt.Errorf("encode manifest of kind %s: %w", m.Kind, err)
	}
	body = append(body, '\n')
	return body, Ref{Kind: m.Kind, Digest: digestOf(body), Content: m.Content()}, nil
}

// decodeManifest reads the stored form that ref names, and trusts none of it.
func decodeManifest(ref Ref, body []byte) (Manifest, error) {
	if got := digestOf(body); got != ref.Digest {
		return Manifest{}, fmt.Errorf("artifact %s: %w: its manifest %s has digest %s", ref, ErrCorrupt, ref.manifestKey(), got)
	}
	var m Manifest
	if err := json.Unmarshal(body, &m); err != nil {
		return Manifest{}, fmt.Errorf("artifact %s: %w: manifest %s: %w", ref, ErrCorrupt, ref.manifestKey(), err)
	}
	if err := m.check(); err != nil {
		return Manifest{}, fmt.Errorf("artifact %s: %w: manifest %s: %w", ref, ErrCorrupt, ref.manifestKey(), err)
	}
	if m.Kind != ref.Kind {
		return Manifest{}, fmt.Errorf("artifact %s: %w: its manifest says kind %s", ref, ErrCorrupt, m.Kind)
	}
	if got := m.Content(); ref.Content != "" && got != ref.Content {
		return Manifest{}, fmt.Errorf("artifact %s: %w: its files have content %s, the ref says %s", ref, ErrCorrupt, got, ref.Content)
	}
	return m, nil
}

func (m Manifest) check() error {
	if !kindPattern.MatchString(m.Kind) {
		return fmt.Errorf("manifest: kind %q: want a lower-case word (%s)", m.Kind, kindPattern)
	}
	if err := checkFiles(m.Files); err != nil {
		return fmt.Errorf("manifest of kind %s: %w", m.Kind, err)
	}
	for _, p := range m.Parents {
		if err := p.Ref.check(); err != nil {
			return fmt.Errorf("manifest of kind %s: parent %q: %w", m.Kind, p.Role, err)
		}
	}
	for name, value := range m.Metrics {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return fmt.Errorf("manifest of kind %s: metric %q is %v: only finite numbers can be stored", m.Kind, name, value)
		}
	}
	return nil
}

// checkFiles wants a set of files that can be laid out in a folder on any system.
func checkFiles(files []File) error {
	seen := make(map[string]bool, len(files))
	for _, f := range files {
		switch {
		case !fs.ValidPath(f.Path) || f.Path == "." || strings.ContainsAny(f.Path, "\\\x00"):
			return fmt.Errorf("file path %q: want a relative, slash-separated path without . or ..", f.Path)
		case !isDigest(f.Digest):
			return fmt.Errorf("file %s: digest %q: want %d hex digits", f.Path, f.Digest, digestLength)
		case f.Size < 0:
			return fmt.Errorf("file %s: size %d is negative", f.Path, f.Size)
		case seen[f.Path]:
			return fmt.Errorf("file %s is named twice", f.Path)
		}
		seen[f.Path] = true
	}
	for path := range seen {
		for i := range path {
			if path[i] == '/' && seen[path[:i]] {
				return fmt.Errorf("file %s is also the folder of %s", path[:i], path)
			}
		}
	}
	return nil
}

func sortedFiles(files []File) []File {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return files
}

func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// decodeJSON reads a small stored object strictly enough to notice rubbish.
func decodeJSON(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one JSON value")
	}
	return nil
}
