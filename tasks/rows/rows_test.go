package rows_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"temper/tasks/rows"
)

// question is a row with all that tables hold.
type question struct {
	ID       int64             `parquet:"id" json:"id"`
	Text     string            `parquet:"text" json:"text"`
	Score    float64           `parquet:"score" json:"score"`
	Hard     bool              `parquet:"hard" json:"hard"`
	Tags     []string          `parquet:"tags,list" json:"tags"`
	Messages []message         `parquet:"messages,list" json:"messages"`
	Note     *string           `parquet:"note,optional" json:"note"`
	Inner    map[string]string `parquet:"-" json:"-"`
}

type message struct {
	Role    string `parquet:"role" json:"role"`
	Content string `parquet:"content" json:"content"`
}

func questions(n int) []question {
	out := make([]question, n)
	for i := range out {
		out[i] = question{ID: int64(i), Text: fmt.Sprintf("how, \"much\"\nis %d?", i), Score: float64(i) / 4, Hard: i%2 == 1, Tags: []string{"a", "b"},
			Messages: []message{{"user", "hi"}, {"assistant", "ho"}}}
	}
	return out
}

func write(t *testing.T, path string, body []byte) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, body, 0o600))
	return path
}

func read(path, split string) (out []rows.Row, err error) {
	return out, rows.Each(context.Background(), path, rows.Options{Split: split}, func(r rows.Row) error {
		r.JSON = bytes.Clone(r.JSON)
		out = append(out, r)
		return nil
	})
}

// bodies are the same rows in every form.
func bodies(t *testing.T, qs []question) map[string][]byte {
	t.Helper()
	var lines, table, list bytes.Buffer
	for _, q := range qs {
		require.NoError(t, json.NewEncoder(&lines).Encode(q))
	}
	require.NoError(t, json.NewEncoder(&list).Encode(qs))
	require.NoError(t, parquet.Write(&table, qs))
	var zipped, packed bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write(lines.Bytes())
	require.NoError(t, err)
	require.NoError(t, z.Close())
	p, err := zstd.NewWriter(&packed)
	require.NoError(t, err)
	_, err = p.Write(lines.Bytes())
	require.NoError(t, err)
	require.NoError(t, p.Close())
	return map[string][]byte{"x.jsonl": lines.Bytes(), "x.json": list.Bytes(), "x.parquet": table.Bytes(), "x.jsonl.gz": zipped.Bytes(), "x.jsonl.zst": packed.Bytes(),
		"lines.json": lines.Bytes(), "x": lines.Bytes(), "wrapped.json": []byte(`{"version": 1, "data": ` + list.String() + `}`)}
}

func TestAllFormsGiveTheSameRows(t *testing.T) {
	qs := questions(300)
	for name, body := range bodies(t, qs) {
		t.Run(name, func(t *testing.T) {
			got, err := read(write(t, filepath.Join(t.TempDir(), name), body), "")
			require.NoError(t, err)
			require.Len(t, got, len(qs))
			for i, r := range got {
				require.Equal(t, i+1, r.Number)
				want, err := json.Marshal(qs[i])
				require.NoError(t, err)
				require.JSONEq(t, string(want), string(r.JSON))
				require.Equal(t, json.Number(fmt.Sprint(i)), r.Fields["id"])
				require.Equal(t, []any{"a", "b"}, r.Fields["tags"])
				require.Equal(t, "ho", r.Fields["messages"].([]any)[1].(map[string]any)["content"])
			}
		})
	}
}

func TestCSV(t *testing.T) {
	got, err := read(write(t, filepath.Join(t.TempDir(), "x.csv"), []byte("\xef\xbb\xbf,text,label\n0,\"a, \"\"b\"\"\nc\",1\n1,d,2\n")), "")
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, map[string]any{"0": "0", "text": "a, \"b\"\nc", "label": "1"}, got[0].Fields)
	require.Equal(t, 2, got[0].Number)
	require.Equal(t, 4, got[1].Number, "the line, not the row")
	got, err = read(write(t, filepath.Join(t.TempDir(), "x.tsv"), []byte("a\tb\r\n1\tx,y\r\n")), "")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"a": "1", "b": "x,y"}, got[0].Fields)
}

func TestCSVWithoutAHeader(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "x.csv"), []byte("3,a\n4,b\n"))
	var got []any
	err := rows.Each(t.Context(), path, rows.Options{Columns: []string{"label", "text"}}, func(r rows.Row) error {
		got = append(got, r.Fields["label"], r.Fields["text"])
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []any{"3", "a", "4", "b"}, got)
	none := func(rows.Row) error { return nil }
	require.ErrorContains(t, rows.Each(t.Context(), path, rows.Options{Columns: []string{"one"}}, none), "wrong number of fields")
	lines := write(t, filepath.Join(t.TempDir(), "x.jsonl"), []byte("{}\n"))
	require.ErrorContains(t, rows.Each(t.Context(), lines, rows.Options{Columns: []string{"one"}}, none), "columns: do not apply to")
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	row := func(s string) []byte { return []byte(`{"of": "` + s + `"}` + "\n") }
	write(t, filepath.Join(dir, "data", "train-00000-of-00002.jsonl"), row("t0"))
	write(t, filepath.Join(dir, "data", "train-00001-of-00002.jsonl"), row("t1"))
	write(t, filepath.Join(dir, "data", "test-00000-of-00001-0123456789abcdef.jsonl"), row("e"))
	write(t, filepath.Join(dir, "validation", "part.jsonl.zst"), bodies(t, questions(1))["x.jsonl.zst"])
	write(t, filepath.Join(dir, "dataset_info.json"), []byte("{}"))
	write(t, filepath.Join(dir, "README.md"), []byte("no rows"))
	write(t, filepath.Join(dir, ".cache", "train.jsonl"), row("hidden"))
	for split, want := range map[string][]any{"train": {"t0", "t1"}, "test": {"e"}, "validation": {nil}} {
		got, err := read(dir, split)
		require.NoError(t, err)
		var of []any
		for _, r := range got {
			of = append(of, r.Fields["of"])
		}
		require.Equal(t, want, of, split)
	}
	_, err := read(dir, "")
	require.ErrorContains(t, err, "has several, say which: test, train, validation")
	_, err = read(dir, "dev")
	require.ErrorContains(t, err, `has no "dev"; it has test, train, validation`)
	_, err = read(filepath.Join(dir, "data", "train-00000-of-00002.jsonl"), "train")
	require.ErrorContains(t, err, "which is a file")
	_, err = read(t.TempDir(), "")
	require.ErrorContains(t, err, "has no file of JSON lines")

	one := t.TempDir()
	write(t, filepath.Join(one, "questions.jsonl"), row("q"))
	got, err := read(one, "")
	require.NoError(t, err)
	require.Len(t, got, 1, "a folder without splits is all of it")
}

func TestWhatCannotBeRead(t *testing.T) {
	table := bodies(t, questions(300))["x.parquet"]
	flipped := bytes.Clone(table)
	for i := range 400 {
		flipped[40+i] ^= 0x5a
	}
	for name, c := range map[string]struct {
		body []byte
		says string
	}{
		"a.jsonl":    {[]byte("{\"x\": 1}\n\n[1]\n"), "a.jsonl:3: not a JSON object"},
		"two.jsonl":  {[]byte("{} {}\n"), "two.jsonl:1: more than one JSON value"},
		"null.jsonl": {[]byte("null\n"), "null.jsonl:1: not a JSON object: null"},
		"a.json":     {[]byte(`[{"x": 1}, 2]`), "a.json:2: not a JSON object"},
		"cut.json":   {[]byte(`[{"x": 1}`), "cut.json: "},
		"two.json":   {[]byte(`{"a": [{}], "b": [{}]}`), "has 2 lists of objects"},
		"a.csv":      {[]byte("a,b\n1\n"), "a.csv: record on line 2: wrong number of fields"},
		"none.csv":   {nil, "none.csv: has no header"},
		"twice.csv":  {[]byte("a,a\n"), `the column "a" is there twice`},
		"a.parquet":  {[]byte("PAR1 no"), "a.parquet: not a Parquet file"},
		"b.parquet":  {flipped, "b.parquet"},
		"c.parquet":  {table[:len(table)/2], "c.parquet"},
		"a.jsonl.gz": {[]byte{0x1f, 0x8b, 1, 2, 3}, "a.jsonl.gz: "},
		"b.jsonl.gz": {bodies(t, questions(300))["x.jsonl.gz"][:200], "b.jsonl.gz:"},
		"c.zst":      {bodies(t, questions(300))["x.jsonl.zst"][:60], "c.zst: "},
	} {
		_, err := read(write(t, filepath.Join(t.TempDir(), name), c.body), "")
		require.ErrorContains(t, err, c.says, name)
	}
	_, err := read(filepath.Join(t.TempDir(), "nothing"), "")
	require.ErrorIs(t, err, os.ErrNotExist)

	path := write(t, filepath.Join(t.TempDir(), "stop.jsonl"), []byte("{}\n{}\n"))
	err = rows.Each(context.Background(), path, rows.Options{}, func(r rows.Row) error { return fmt.Errorf("no") })
	require.EqualError(t, err, path+":1: no")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	long := write(t, filepath.Join(t.TempDir(), "long.jsonl"), []byte(strings.Repeat("{}\n", 5000)))
	require.ErrorIs(t, rows.Each(ctx, long, rows.Options{}, func(rows.Row) error { return nil }), context.Canceled)
}

// FuzzFiles: no file makes the readers panic.
func FuzzFiles(f *testing.F) {
	f.Add([]byte(`{"a": [{}]}`))
	f.Add([]byte("a,b\n1,2"))
	f.Add([]byte("PAR1"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, ending := range []string{".json", ".jsonl", ".csv", ".tsv", ".parquet", ".jsonl.gz", ".jsonl.zst"} {
			_, _ = read(write(t, filepath.Join(t.TempDir(), "x"+ending), body), "")
		}
	})
}
