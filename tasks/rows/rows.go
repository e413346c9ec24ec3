// Package rows reads tables from files: JSON lines, JSON, CSV, TSV and Parquet, each plain or compressed with gzip or zstd, and folders that hold
// such files as Hugging Face data sets do. Its one responsibility is to turn a path into rows, in a fixed order; what a row means is the
// caller's matter.
//
// It may import the standard library and readers of formats; nothing of temper's.
package rows

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Row is one row of a table. Values are as encoding/json has them with UseNumber: string, json.Number, bool, nil, []any, map[string]any; all are
// strings in CSV.
type Row struct {
	File   string // that it is of
	Number int    // of the line, or of the row where the file has no lines; from 1
	Fields map[string]any
	JSON   json.RawMessage // the row as the file has it, or as JSON; valid during the call
}

// maxLine bounds a line, so that a file that is not what it says fails with a message instead of filling the memory.
const maxLine = 64 << 20

// Options say what a path does not.
type Options struct {
	Split   string   // of a folder (see folder.go)
	Columns []string // names of the columns of CSV and TSV that have no header
}

// Each calls f with every row at a path: a file, or a folder of files. What makes f stop, or cannot be read, is an error that names file and row.
func Each(ctx context.Context, path string, o Options, f func(Row) error) error {
	files, err := files(path, o.Split)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := each(ctx, file, o, f); err != nil {
			return err
		}
	}
	return nil
}

// reader reads the rows of one file; it calls emit with the number of a row, its fields, and its JSON where it has it.
type reader func(path string, r io.Reader, o Options, emit emit) error

type emit func(number int, fields map[string]any, raw []byte) error

// readers by the ending of a name that is not compressed.
var readers = map[string]reader{".jsonl": jsonLines, ".ndjson": jsonLines, ".json": jsonArray, ".csv": csvRows(','), ".tsv": csvRows('\t')}

func each(ctx context.Context, path string, o Options, f func(Row) error) error {
	count := 0
	emit := func(number int, fields map[string]any, raw []byte) error {
		if count++; count%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if raw == nil {
			var err error
			if raw, err = json.Marshal(fields); err != nil {
				return fmt.Errorf("%s:%d: %w", path, number, err)
			}
		}
		if err := f(Row{File: path, Number: number, Fields: fields, JSON: raw}); err != nil {
			return fmt.Errorf("%s:%d: %w", path, number, err)
		}
		return nil
	}
	if len(o.Columns) > 0 && ending(path) != ".csv" && ending(path) != ".tsv" {
		return fmt.Errorf("columns: do not apply to %s, which is no CSV or TSV", path)
	}
	if ending(path) == parquetEnding {
		return parquetRows(path, emit)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	plain, done, err := decompress(file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer done()
	read := readers[ending(path)]
	if read == nil {
		read = jsonLines // the form that needs no name
	}
	return read(path, plain, o, emit)
}

// ending is the ending of a file's name below that of its compression.
func ending(path string) string {
	name := strings.ToLower(filepath.Base(path))
	for _, compressed := range compressions {
		name = strings.TrimSuffix(name, compressed)
	}
	return filepath.Ext(name)
}

// Base is the name of a file without its folders and the ending of its compression.
func Base(path string) string {
	name := filepath.Base(path)
	for _, compressed := range compressions {
		name = strings.TrimSuffix(name, compressed)
	}
	return name
}

// jsonLines reads one object a line.
func jsonLines(path string, r io.Reader, _ Options, emit emit) error {
	var stop error // it names file and line already
	err := Lines(r, func(line int, text []byte) error {
		fields, err := object(text)
		if err != nil {
			stop = fmt.Errorf("%s:%d: %w", path, line, err)
		} else {
			stop = emit(line, fields, text)
		}
		return stop
	})
	switch {
	case stop != nil:
		return stop
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Lines calls f with each line that is not blank; lines count from 1. A byte-order mark and carriage returns are dropped. An error of f, or of
// reading, names the line.
func Lines(r io.Reader, f func(line int, text []byte) error) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 1<<16), maxLine)
	line := 0
	for sc.Scan() {
		line++
		text := sc.Bytes()
		if line == 1 {
			text = bytes.TrimPrefix(text, byteOrderMark)
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		if err := f(line, text); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("line %d: %w", line+1, err)
	}
	return nil
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// object reads one JSON object and keeps its numbers as they are written.
func object(text []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var row map[string]any
	if err := dec.Decode(&row); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value in the line")
	}
	if row == nil {
		return nil, errors.New("not a JSON object: null")
	}
	return row, nil
}
