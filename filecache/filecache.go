// Package filecache keeps files in a folder within a limit: those used longest ago go first. Several processes may share a folder. It knows
// nothing of what is in the files: who reads one checks it. It may import the standard library only.
package filecache

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Folder is a folder with a limit in bytes. Only its user should be able to write to it.
type Folder struct {
	Dir   string
	Limit int64
}

// Path is where a file is, if it is there.
func (f Folder) Path(name string) string { return filepath.Join(f.Dir, name) }

// Use notes that a file was used now.
func (f Folder) Use(name string) {
	now := time.Now()
	_ = os.Chtimes(f.Path(name), now, now) // a file whose time stays old is only dropped earlier
}

// File is a file that is being written; nobody finds it before Keep.
type File struct {
	*os.File
	folder Folder
}

// New begins a file.
func (f Folder) New() (*File, error) {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(f.Dir, "new-*")
	if err != nil {
		return nil, err
	}
	return &File{File: file, folder: f}, nil
}

// Keep gives the file its name, and makes room for it.
func (x *File) Keep(name string) error {
	err := x.Close()
	if err == nil {
		err = os.Rename(x.Name(), x.folder.Path(name))
	}
	if err != nil {
		os.Remove(x.Name())
		return err
	}
	return x.folder.trim()
}

// Drop takes the file away.
func (x *File) Drop() {
	x.Close()
	os.Remove(x.Name())
}

// trim removes the files used longest ago until the rest are within the limit.
func (f Folder) trim() error {
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		return err
	}
	var files []fs.FileInfo
	var total int64
	for _, e := range entries {
		if i, err := e.Info(); err == nil && i.Mode().IsRegular() {
			files = append(files, i)
			total += i.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, i := range files {
		if total <= f.Limit {
			break
		}
		if err := os.Remove(f.Path(i.Name())); err == nil {
			total -= i.Size()
		}
	}
	return nil
}
