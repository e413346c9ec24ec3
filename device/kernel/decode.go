package kernel

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Decoder is what decoding reads beside the layers.
type Decoder struct {
	Embedding, Norm, Head *graph.Node // [vocab, hidden], [hidden], [vocab, hidden]
	Cos, Sin              *graph.Node // [prompt+new, head/2], the rotary tables
	Logits                *graph.Node // [batch, vocab] after the prompts
	Padding               *graph.Node // [batch] int32: how many pads each row starts with
	Keys                  *graph.Node // [batch, 2] uint32: the sequences' noise
	Temperature, TopP     *graph.Node // scalars
	Stops                 *graph.Node // [stops] int32
	Layers                []DecoderLayer

	New                int // tokens to generate at most
	Seats              int // sequences that run at a time, the others after them; 0: as many as the processor's cache holds
	Heads              int
	Window, WindowFrom int // sliding window (0: none) from that layer on
	TopK               int
	Nucleus            bool
	Epsilon            float64
}

// DecoderLayer are one layer's weights in the Hugging Face layout [out, in], biases and norms that the architecture lacks left nil, and the
// rotated keys and the values of the prompts [batch, prompt, kv, head].
type DecoderLayer struct {
	AttentionNorm                              *graph.Node
	Q, QBias, K, KBias, V, VBias, QNorm, KNorm *graph.Node
	Out, OutBias, FeedNorm                     *graph.Node
	Gate, GateBias, Up, UpBias, Down, DownBias *graph.Node
	PromptKeys, PromptValues                   *graph.Node
}

// Decode generates until every sequence has stopped: tokens [batch, new] int32 (after a stop id: the first stop id), logProb [batch, new] nats,
// steps taken int32.
func Decode(d Decoder) (tokens, logProb, steps *graph.Node) {
	batch := d.Logits.Shape().Dimensions[0]
	attributes := d.attributes()
	attributes["top_k"], attributes["seats"] = int64(d.TopK), int64(d.Seats)
	out := call("decode", attributes,
		[]shapes.Shape{shapes.Make(dtypes.Int32, batch, d.New), shapes.Make(dtypes.Float32, batch, d.New), shapes.Make(dtypes.Int32)}, d.inputs(d.Padding)...)
	return out[0], out[1], out[2]
}

func (d Decoder) attributes() map[string]int64 {
	nucleus := int64(0)
	if d.Nucleus {
		nucleus = 1
	}
	return map[string]int64{"heads": int64(d.Heads), "window": int64(d.Window), "window_from": int64(d.WindowFrom), "nucleus": nucleus,
		"epsilon_bits": int64(math.Float64bits(d.Epsilon))}
}

// inputs are the arguments in the order of decode_call.h; place says where the sequences stand.
func (d Decoder) inputs(place *graph.Node) []*graph.Node {
	in := []*graph.Node{d.Embedding, d.Norm, d.Head, d.Cos, d.Sin, d.Logits, place, d.Keys, d.Temperature, d.TopP, d.Stops}
	none := graph.Const(d.Embedding.Graph(), float32(0))
	for _, l := range d.Layers {
		for _, n := range []*graph.Node{l.AttentionNorm, l.Q, l.QBias, l.K, l.KBias, l.V, l.VBias, l.QNorm, l.KNorm, l.Out, l.OutBias, l.FeedNorm,
			l.Gate, l.GateBias, l.Up, l.UpBias, l.Down, l.DownBias, l.PromptKeys, l.PromptValues} {
			if n == nil {
				n = none
			}
			in = append(in, n)
		}
	}
	return in
}
