package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// A SentencePiece model (tokenizer.model) is the protobuf message ModelProto of
// https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto. What it
// says of training is left out here; of the rest a field that changes ids is read or refused.
type spmFile struct {
	pieces []spmPiece

	modelType    uint64 // of TrainerSpec: 1 Unigram, 2 BPE, 3 words, 4 characters
	byteFallback bool
	spaceAtEnd   bool // treat_whitespace_as_suffix

	charsmap    []byte // of NormalizerSpec
	dummyPrefix bool
	trimSpaces  bool // remove_extra_whitespaces
	escape      bool // escape_whitespaces

	denormalizer []byte // its charsmap
}

type spmPiece struct {
	text  string
	score float32
	kind  uint64
}

// Kinds of a piece.
const (
	spmNormal      = 1
	spmUnknown     = 2
	spmControl     = 3
	spmUserDefined = 4
	spmUnused      = 5
	spmByte        = 6
)

func parseSPM(data []byte) (*spmFile, error) {
	f := &spmFile{modelType: 1, dummyPrefix: true, trimSpaces: true, escape: true}
	err := eachField(data, func(field protowire.Number, number uint64, body []byte) error {
		switch field {
		case 1:
			p := spmPiece{kind: spmNormal}
			if err := eachField(body, func(field protowire.Number, number uint64, body []byte) error {
				switch field {
				case 1:
					p.text = string(body)
				case 2:
					p.score = math.Float32frombits(uint32(number))
				case 3:
					p.kind = number
				}
				return nil
			}); err != nil {
				return fmt.Errorf("pieces[%d]: %w", len(f.pieces), err)
			}
			f.pieces = append(f.pieces, p)
		case 2:
			return wrap("trainer_spec", eachField(body, func(field protowire.Number, number uint64, _ []byte) error {
				switch field {
				case 3:
					f.modelType = number
				case 24:
					f.spaceAtEnd = number != 0
				case 35:
					f.byteFallback = number != 0
				}
				return nil
			}))
		case 3:
			return wrap("normalizer_spec", eachField(body, func(field protowire.Number, number uint64, body []byte) error {
				switch field {
				case 2:
					f.charsmap = slices.Clone(body)
				case 3:
					f.dummyPrefix = number != 0
				case 4:
					f.trimSpaces = number != 0
				case 5:
					f.escape = number != 0
				}
				return nil
			}))
		case 5:
			return wrap("denormalizer_spec", eachField(body, func(field protowire.Number, _ uint64, body []byte) error {
				if field == 2 {
					f.denormalizer = slices.Clone(body)
				}
				return nil
			}))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, f.check()
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// eachField gives the fields of a protobuf message in order: numbers as such, the rest as bytes.
func eachField(data []byte, f func(field protowire.Number, number uint64, body []byte) error) error {
	for len(data) > 0 {
		field, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		var number uint64
		var body []byte
		switch kind {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(data)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(data)
			number = uint64(v)
		case protowire.BytesType:
			body, n = protowire.ConsumeBytes(data)
		default:
			n = protowire.ConsumeFieldValue(field, kind, data)
		}
		if n < 0 {
			return fmt.Errorf("field %d: %w", field, protowire.ParseError(n))
		}
		if err := f(field, number, body); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

func (f *spmFile) check() error {
	if len(f.pieces) == 0 {
		return errors.New("pieces: none, so this is no SentencePiece model")
	}
	if f.modelType != 1 && f.modelType != 2 {
		return fmt.Errorf("trainer_spec.model_type %d is not supported (supported: 1 Unigram, 2 BPE)", f.modelType)
	}
	if f.spaceAtEnd {
		return errors.New("trainer_spec.treat_whitespace_as_suffix is not supported")
	}
	if len(f.denormalizer) > 0 {
		return errors.New("denormalizer_spec.precompiled_charsmap is not supported")
	}
	unknown, bytes := -1, 0
	seen := make(map[string]int, len(f.pieces))
	for i, p := range f.pieces {
		if before, ok := seen[p.text]; ok || p.text == "" {
			return fmt.Errorf("pieces[%d]: %q is empty or the same as pieces[%d]", i, p.text, before)
		}
		seen[p.text] = i
		switch p.kind {
		case spmUnknown:
			if unknown >= 0 {
				return fmt.Errorf("pieces[%d]: %q is a second unknown piece", i, p.text)
			}
			unknown = i
		case spmByte:
			if _, ok := fallbackByte(p.text); !ok {
				return fmt.Errorf("pieces[%d]: %q is not a byte", i, p.text)
			}
			bytes++
		case spmNormal, spmControl, spmUserDefined, spmUnused:
		default:
			return fmt.Errorf("pieces[%d]: %q has the type %d, which is not known", i, p.text, p.kind)
		}
	}
	if unknown < 0 {
		return errors.New("pieces: none is of type unknown")
	}
	if f.byteFallback && bytes != 256 {
		return fmt.Errorf("pieces: %d bytes of 256, which trainer_spec.byte_fallback needs", bytes)
	}
	return nil
}

// spmTokenizer builds the tokenizer of tokenizer.model, which cuts text as SentencePiece itself does.
// What stands around a text is a matter of tokenizer_config.json: add_bos_token (default true, as
// in Llama's own code) and add_eos_token (default false).
func spmTokenizer(data []byte, cfg *config) (*Tokenizer, error) {
	f, err := parseSPM(data)
	if err != nil {
		return nil, err
	}
	around, err := cfg.around()
	if err != nil {
		return nil, err
	}
	n, err := newSPMNormalizer(f)
	if err != nil {
		return nil, fmt.Errorf("normalizer_spec.precompiled_charsmap: %w", err)
	}
	t := cfg.tokenizer()
	t.split, t.decoder = n.spans(around.Legacy), inOrder([]decoder{n.decode, byteFallback, fuse})
	v := newSPMVocab(f)
	if f.modelType == 1 {
		t.model = newSPMUnigram(v)
	} else {
		t.model = newSPMBPE(v)
	}
	control := func(name string) string { // the name under which the files know a control piece
		if i, ok := v.ids[name]; ok && f.pieces[i].kind == spmControl {
			return name
		}
		return ""
	}
	if t.bos == "" {
		t.bos = control("<s>")
	}
	if t.eos == "" {
		t.eos = control("</s>")
	}
	var added []addedFile
	for i, p := range f.pieces {
		if p.kind == spmControl || p.kind == spmUnknown {
			added = append(added, addedFile{ID: int32(i), Content: p.text, Special: true})
		}
	}
	if err := t.complete(added, cfg); err != nil {
		return nil, err
	}
	return t, t.surround(around)
}

// surroundings are the settings of tokenizer_config.json for a tokenizer.model.
type surroundings struct {
	BOS    *bool `json:"add_bos_token"` // default true
	EOS    bool  `json:"add_eos_token"`
	Legacy bool  `json:"legacy"` // each stretch between special tokens gets a space in front
}

func (c *config) around() (s surroundings, err error) {
	raw, err := json.Marshal(c.raw)
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	return s, wrap("tokenizer_config.json", err)
}

// surround sets what Encode adds around a text. A model without a BOS adds none.
func (t *Tokenizer) surround(s surroundings) error {
	if id, ok := t.BOS(); ok && (s.BOS == nil || *s.BOS) {
		t.template = append(t.template, templateItem{ids: []int32{id}})
	}
	t.template = append(t.template, templateItem{text: true})
	if s.EOS {
		id, ok := t.EOS()
		if !ok {
			return errors.New("tokenizer_config.json: add_eos_token: there is no eos_token")
		}
		t.template = append(t.template, templateItem{ids: []int32{id}})
	}
	return nil
}
