package devstack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
)

const (
	// concurrentActions bounds the threads that wait for the disk.
	concurrentActions = 1024
	// copyThreshold in bytes is the largest object that the store copies by itself.
	copyThreshold = 5 << 30
)

// openFolder opens the folder dir/data as an S3 store. Where objects' metadata is kept
// (in extended attributes, or in files beside them where the file system has none) is
// settled when the store is made, and recorded: metadata would be lost by changing.
func openFolder(dir string) (*durable, error) {
	data, record := filepath.Join(dir, "data"), filepath.Join(dir, "metadata")
	kind, err := metadataKind(record, func() error { return testAttributes(data) })
	if err != nil {
		return nil, err
	}
	options := posix.PosixOpts{Concurrency: concurrentActions, CopyObjectThreshold: copyThreshold}
	options.SetNewDirPerm(0o700)
	options.SetNewFilePerm(0o600)
	var storer meta.MetadataStorer = meta.XattrMeta{}
	if kind == besides {
		beside := filepath.Join(dir, "metadata.d")
		if err := os.MkdirAll(beside, 0o700); err != nil {
			return nil, err
		}
		if storer, err = meta.NewSideCar(beside); err != nil {
			return nil, err
		}
	}
	folder, err := posix.New(data, storer, options)
	if err != nil {
		return nil, err
	}
	return newDurable(folder, data), nil
}

// The two places for objects' metadata, as they are recorded.
const (
	attributes = "extended attributes"
	besides    = "files"
)

func metadataKind(record string, test func() error) (string, error) {
	text, err := os.ReadFile(record)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	lacks := test()
	switch kind := strings.TrimSpace(string(text)); {
	case err != nil:
		kind = attributes
		if lacks != nil {
			kind = besides
		}
		return kind, writeFile(record, []byte(kind+"\n"), 0o600)
	case kind == attributes && lacks != nil:
		return "", fmt.Errorf("the store was made on a file system with extended attributes, and this one has none: move it back, or copy it through S3 (%w)", lacks)
	case kind != attributes && kind != besides:
		return "", fmt.Errorf("%s says %q: want %q or %q", record, kind, attributes, besides)
	default:
		return kind, nil
	}
}

// testAttributes writes an attribute, for some file systems only claim to have them.
func testAttributes(dir string) error {
	if err := (meta.XattrMeta{}).Test(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".attributes-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	return errors.Join((meta.XattrMeta{}).StoreAttribute(f, "", "", "test", []byte("x")), f.Close())
}
