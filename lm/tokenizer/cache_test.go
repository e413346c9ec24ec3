package tokenizer

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMarked(t *testing.T) {
	for text, want := range map[string][]string{"": nil, "a": {"a"}, "▁a▁b": {"▁a", "▁b"}, "a▁▁b▁": {"a", "▁▁b", "▁"}, "▁▁": {"▁▁"}} {
		if got := slices.Collect(marked(text)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// A text cut into words has the ids of the text as a whole.
func TestWordsAreIndependent(t *testing.T) {
	tok := spmModel(t, readSPMReference(t).Models[0].Model)
	spm := tok.model.(*spmBPE)
	order := slices.Clone(spm.pieces)
	slices.SortStableFunc(order, func(x, y spmPiece) int { return cmp.Compare(y.score, x.score) })
	var merges [][2]string
	for _, p := range order {
		for i := range p.text {
			_, left := spm.matched[p.text[:i]]
			_, right := spm.matched[p.text[i:]]
			if left && right && spm.pieces[spm.ids[p.text]].kind == spmNormal {
				merges = append(merges, [2]string{p.text[:i], p.text[i:]})
			}
		}
	}
	b, err := newBPE(spm.ids, merges, &bpe{unk: -1, byteFallback: true})
	if err != nil {
		t.Fatal(err)
	}
	if !spm.words || !b.words {
		t.Fatalf("cut into words: %t, %t", spm.words, b.words)
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"▁", "▁", "a", "b", "▁there", "▁was", "th", "er", "e", "你", "😀", "1", "\n"}), 0, 60).Draw(t, "parts")
		text := strings.Join(parts, "")
		if got, want := spm.encode(text, nil), spm.merge(text); !slices.Equal(got, want) {
			t.Fatalf("SentencePiece, %q: %v, want %v", text, got, want)
		}
		want := b.mergeWord(text)
		if got := b.encode(text, nil); !slices.Equal(got, want) {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
		if got := spm.merge(text); !slices.Equal(got, want) {
			t.Fatalf("%q: SentencePiece has %v, its merges as a list %v", text, got, want)
		}
	})
}
