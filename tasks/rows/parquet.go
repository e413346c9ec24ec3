package rows

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

const parquetEnding = ".parquet"

// parquetRows reads a Parquet file; its rows count from 1. Lists and groups become lists and objects.
func parquetRows(path string, emit emit) (err error) {
	defer func() {
		if r := recover(); r != nil { // the library's answer to some damaged files
			err = fmt.Errorf("%s: damaged Parquet file: %v", path, r)
		}
	}()
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	table, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		return fmt.Errorf("%s: not a Parquet file: %w", path, err)
	}
	in := parquet.NewGenericReader[any](table, table.Schema())
	defer func() { _ = in.Close() }() // it is read, not written
	number := 0
	for buffer := make([]any, 128); ; {
		clear(buffer)
		n, readErr := in.Read(buffer)
		for _, v := range buffer[:n] {
			number++
			fields, err := values(v)
			if err != nil {
				return fmt.Errorf("%s:%d: %w", path, number, err)
			}
			if err := emit(number, fields, nil); err != nil {
				return err
			}
		}
		if errors.Is(readErr, io.EOF) {
			return nil
		}
		if readErr != nil {
			return fmt.Errorf("%s:%d: %w", path, number+1, readErr)
		}
	}
}

// values brings a row into the form that JSON gives.
func values(v any) (map[string]any, error) {
	row, ok := plain(v).(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a row is a %T", v)
	}
	return row, nil
}

func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if inner, ok := listOf(v); ok {
			return inner
		}
		out := make(map[string]any, len(v))
		for name, x := range v {
			out[name] = plain(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = plain(x)
		}
		return out
	case []byte:
		return string(v)
	case int32:
		return json.Number(strconv.FormatInt(int64(v), 10))
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	case uint32:
		return json.Number(strconv.FormatUint(uint64(v), 10))
	case uint64:
		return json.Number(strconv.FormatUint(v, 10))
	case float32:
		return json.Number(strconv.FormatFloat(float64(v), 'g', -1, 32))
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	case nil, string, bool:
		return v
	}
	return fmt.Sprint(v)
}

// listOf is the list in the group by which Parquet writes one: {"list": [{"element": x}, …]}, or with item for element.
func listOf(group map[string]any) ([]any, bool) {
	inner, ok := group["list"].([]any)
	if !ok || len(group) != 1 {
		return nil, false
	}
	out := make([]any, len(inner))
	for i, x := range inner {
		m, ok := x.(map[string]any)
		if !ok || len(m) != 1 {
			return nil, false
		}
		for name, e := range m {
			if name != "element" && name != "item" {
				return nil, false
			}
			out[i] = plain(e)
		}
	}
	return out, true
}
