package rows

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// files lists the files at a path. Of a folder, those whose format is known, by name; where split is given, those that belong to it as on the
// Hugging Face Hub: train.jsonl, train-00000-of-00002.parquet, data/train/part.csv, my_train.json. Hidden files and folders are left out.
func files(path, split string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if split != "" {
			return nil, fmt.Errorf("split: does not apply to %s, which is a file", path)
		}
		return []string{path}, nil
	}
	var all, chosen []string
	splits := map[string]bool{}
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") && name != path {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || !known(name) {
			return nil
		}
		within, err := filepath.Rel(path, name)
		if err != nil {
			return err
		}
		all = append(all, name)
		for _, s := range splitsOf(within) {
			splits[s] = true
			if s == split {
				chosen = append(chosen, name)
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: has no file of JSON lines, JSON, CSV, TSV or Parquet", path)
	}
	if split == "" {
		if len(splits) > 1 {
			return nil, fmt.Errorf("split: %s has several, say which: %s", path, strings.Join(sorted(splits), ", "))
		}
		return all, nil
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("split: %s has no %q; it has %s", path, split, strings.Join(sorted(splits), ", "))
	}
	return chosen, nil
}

// notData are files that data sets have beside their rows.
var notData = []string{"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "metadata.json"}

func known(path string) bool {
	_, ok := readers[ending(path)]
	return (ok || ending(path) == parquetEnding) && !slices.Contains(notData, strings.ToLower(filepath.Base(path)))
}

// word is a part of a file's name between what separates words there.
var word = regexp.MustCompile(`[A-Za-z0-9]+`)

// splitNames are what splits are usually called; others can be asked for by the name of their folder or file.
var splitNames = []string{"train", "test", "validation", "valid", "val", "dev", "eval"}

// splitsOf are the splits that a file could be of, by its path within a data set.
func splitsOf(path string) []string {
	var out []string
	parts := strings.Split(filepath.ToSlash(path), "/")
	for i, part := range parts {
		stem := part
		if i == len(parts)-1 {
			stem, _, _ = strings.Cut(part, ".")
			if at := shard.FindStringIndex(stem); at != nil {
				stem = stem[:at[0]]
			}
			if !slices.Contains(out, stem) {
				for _, w := range word.FindAllString(stem, -1) {
					if slices.Contains(splitNames, strings.ToLower(w)) {
						out = append(out, strings.ToLower(w))
					}
				}
			}
		} else if slices.Contains(splitNames, strings.ToLower(part)) {
			out = append(out, strings.ToLower(part))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// shard is the end of a name such as train-00000-of-00002.
var shard = regexp.MustCompile(`-[0-9]{5}-of-[0-9]{5}(?:-[0-9a-f]+)?$`)

func sorted(set map[string]bool) []string {
	var out []string
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	if len(out) == 0 {
		return []string{"none"}
	}
	return out
}
