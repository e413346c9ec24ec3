package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// Copied is what a copy did.
type Copied struct {
	Artifacts int // now in the other store, the lineage among them
	Files     int // sent; what was there is not sent again
	Bytes     int64
	Gone      []Ref // of the lineage, and not in this store either
}

// CopyTo brings an artifact into another store, under the same ref, with the manifests of
// all that it was made from; with all, these come with their files too. What is there is
// not sent again, so a copy that was cut off goes on when it is repeated. Everything is
// checked against its digest on the way. Parents come before their children: what is in
// the other store has its lineage there, wherever the copy ends.
func (s *Store) CopyTo(ctx context.Context, to *Store, ref Ref, all bool) (Copied, error) {
	var out Copied
	root, err := s.Lineage(ctx, ref)
	if err != nil {
		return out, fmt.Errorf("copy: %w", err)
	}
	var files, bytes atomic.Int64
	for _, n := range parentsFirst(root) {
		if n.Note == "gone" {
			out.Gone = append(out.Gone, n.Ref)
			continue
		}
		body, _, err := s.getAll(ctx, n.Ref.manifestKey())
		if err == nil {
			_, err = decodeManifest(n.Ref, body)
		}
		var blobs []upload
		if n == root || all {
			for _, f := range n.Manifest.Files {
				blobs = append(blobs, upload{file: f, from: func(ctx context.Context) (upload, func(), error) {
					u, release, err := s.localCopy(ctx, n.Ref, f)
					if err == nil {
						files.Add(1)
						bytes.Add(f.Size)
					}
					return u, release, err
				}})
			}
		}
		if err == nil {
			err = to.store(ctx, n.Ref, body, blobs)
		}
		if err != nil {
			return out, fmt.Errorf("copy %s: %w", n.Ref.Short(), err)
		}
		out.Artifacts++
	}
	out.Files, out.Bytes = int(files.Load()), bytes.Load()
	return out, nil
}

// parentsFirst lists a lineage so that each node comes after its parents.
func parentsFirst(root *Node) []*Node {
	var order []*Node
	seen := map[*Node]bool{}
	var visit func(*Node)
	visit = func(n *Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, e := range n.Parents {
			visit(e.Node)
		}
		order = append(order, n)
	}
	visit(root)
	return order
}

// localCopy brings a file here, checked, in memory or in a temporary file.
func (s *Store) localCopy(ctx context.Context, ref Ref, f File) (upload, func(), error) {
	nothing := func() {}
	r, err := s.openFile(ctx, ref, f)
	if err != nil {
		return upload{}, nothing, err
	}
	defer r.Close()
	if f.Size <= wholeFileBytes {
		body, err := io.ReadAll(r)
		return upload{file: f, body: body}, nothing, err
	}
	file, err := os.CreateTemp("", "temper-copy-")
	if err != nil {
		return upload{}, nothing, err
	}
	release := func() { os.Remove(file.Name()) }
	_, err = io.Copy(file, r)
	stat, statErr := file.Stat()
	if err := errors.Join(err, statErr, file.Close()); err != nil {
		release()
		return upload{}, nothing, err
	}
	return upload{file: f, path: file.Name(), stat: stat}, release, nil
}
