package lm

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas

	"temper/device/kernel"
	"temper/device/workaround"
	"temper/lm/hf"
)

// GenerateShape fixes the shapes of one generation program.
type GenerateShape struct {
	Batch  int // sequences
	Prompt int // prompt tokens, padded on the left
	New    int // tokens to generate at most
	TopK   int // keep the k likeliest tokens; 0 keeps all
	TopP   bool
	Stops  int  // number of stop ids
	Seats  int  // sequences that a processor's kernel runs at a time; 0: as many as its cache holds
	Half   bool // compute in bfloat16: the parameters are rounded once, and the cache holds half as many bytes
}

// GenerateInputs are the shapes that follow the parameters in a generation program's inputs: prompts [batch, prompt] int32 padded on
// the left, padding [batch] int32 (how many pads each row starts with), keys [batch, 2] uint32, temperature (0 is greedy), top-p,
// stop ids [stops] int32.
func GenerateInputs(s GenerateShape) []shapes.Shape {
	return []shapes.Shape{
		shapes.Make(dtypes.Int32, s.Batch, s.Prompt), shapes.Make(dtypes.Int32, s.Batch), shapes.Make(dtypes.Uint32, s.Batch, 2),
		shapes.Make(dtypes.Float32), shapes.Make(dtypes.Float32), shapes.Make(dtypes.Int32, s.Stops),
	}
}

// Generate builds the whole generation as one program: prefill, then a loop that samples a token for each sequence, records its
// log-probability under softmax(logits/temperature), and feeds it back through the key-value cache until all have stopped.
//
// It returns tokens [batch, new] int32 (after a stop id: that id repeated), logProb [batch, new] nats (0 after the stop), and the number
// of steps taken. At temperature 0 the log-probability is that of temperature 1.
func Generate(c hf.Config, s GenerateShape, params []*Node, in []*Node) []*Node {
	prompts, padding, keys, temperature, topP, stops := in[0], in[1], in[2], in[3], in[4], in[5]
	g := prompts.Graph()
	w := Bind(c, params)
	if s.Half {
		w = w.In(dtypes.BFloat16)
		params = w.nodes()
	}
	keyValues, logits := prefill(c, s, w, prompts, padding)
	if kernel.Allowed(g) && !s.Half {
		return decode(c, s, w, keyValues, logits, in)
	}
	cache := keyValues.cache(s)

	zero := func(dt dtypes.DType, dims ...int) *Node { return Zeros(g, shapes.Make(dt, dims...)) }
	state := append([]*Node{Const(g, int32(0)), logits, zero(dtypes.Int32, s.Batch, s.New), zero(dtypes.Float32, s.Batch, s.New),
		zero(dtypes.Bool, s.Batch)}, cache...)
	constants := append(append([]*Node{}, params...), padding, keys, temperature, topP, stops)
	result := workaround.Loop(g, "generate", state, constants,
		func(st, _ []*Node) *Node {
			return LogicalAnd(LessThan(st[0], Const(g, int32(s.New))), LogicalNot(LogicalAll(st[4])))
		},
		func(st, cs []*Node) []*Node {
			w := Bind(c, cs[:len(params)])
			rest := cs[len(params):]
			padding, keys, temperature, topP, stops := rest[0], rest[1], rest[2], rest[3], rest[4]
			step, logits, tokens, logProbs, done := st[0], st[1], st[2], st[3], st[4]

			token, logProb := sample(truncation{s.TopK, s.TopP}, logits, keys, step, temperature, topP)
			first := BroadcastToDims(SliceAxis(stops, 0, AxisElem(0)), s.Batch)
			token = Where(done, first, token)
			logProb = Where(done, ZerosLike(logProb), logProb)
			z := Const(g, int32(0))
			tokens = DynamicUpdateSlice(tokens, InsertAxes(token, -1), []*Node{z, step})
			logProbs = DynamicUpdateSlice(logProbs, InsertAxes(logProb, -1), []*Node{z, step})
			stopped := LogicalAny(Equal(BroadcastToDims(InsertAxes(token, -1), s.Batch, s.Stops),
				BroadcastToDims(InsertAxes(stops, 0), s.Batch, s.Stops)), -1)
			done = LogicalOr(done, stopped)

			logits, cache := extend(c, s, w, token, AddScalar(step, s.Prompt), padding, st[5:])
			return append([]*Node{AddScalar(step, 1), logits, tokens, logProbs, done}, cache...)
		})
	return []*Node{result[2], result[3], result[0]}
}

// keyValues are the rotated keys and the values of each layer, keys first: [batch, prompt, kv, head].
type keyValues []*Node

// cache makes room for the tokens to come: [batch, kv, prompt+new, head].
func (kv keyValues) cache(s GenerateShape) []*Node {
	var out []*Node
	for _, x := range kv {
		zero := Scalar(x.Graph(), x.DType(), 0.0)
		out = append(out, Pad(TransposeAllDims(x, 0, 2, 1, 3), zero, PadAxis{}, PadAxis{}, PadAxis{End: s.New}, PadAxis{}))
	}
	return out
}

// decode is the loop of Generate as one call of the kernel.
func decode(c hf.Config, s GenerateShape, w *Weights, kv keyValues, logits *Node, in []*Node) []*Node {
	d := kernelDecoder(c, w, s.Prompt+s.New, kv, logits)
	d.Padding, d.Keys, d.Temperature, d.TopP, d.Stops = in[1], in[2], in[3], in[4], in[5]
	d.New, d.TopK, d.Nucleus, d.Seats = s.New, s.TopK, s.TopP, s.Seats
	tokens, logProb, steps := kernel.Decode(d)
	return []*Node{tokens, logProb, steps}
}

// kernelDecoder names the model for the kernels: positions are below limit, kv are the keys and values before the tokens to decode.
func kernelDecoder(c hf.Config, w *Weights, limit int, kv []*Node, logits *Node) kernel.Decoder {
	cos, sin := rotaryTables(c, limit)
	g := logits.Graph()
	d := kernel.Decoder{Embedding: w.get("model.embed_tokens.weight"), Norm: w.get("model.norm.weight"), Head: Head(w), Cos: Const(g, cos), Sin: Const(g, sin),
		Logits: logits, Heads: c.Heads, Window: c.SlidingWindow, WindowFrom: c.WindowFrom, Epsilon: c.NormEps}
	for l := range c.Layers {
		layer := kernelLayer(w.layer(l))
		layer.PromptKeys, layer.PromptValues = kv[2*l], kv[2*l+1]
		d.Layers = append(d.Layers, layer)
	}
	return d
}

func kernelLayer(w layerWeights) kernel.DecoderLayer {
	return kernel.DecoderLayer{
		AttentionNorm: w.get("input_layernorm.weight"),
		Q:             w.get("self_attn.q_proj.weight"), QBias: w.optional("self_attn.q_proj.bias"), QNorm: w.optional("self_attn.q_norm.weight"),
		K: w.get("self_attn.k_proj.weight"), KBias: w.optional("self_attn.k_proj.bias"), KNorm: w.optional("self_attn.k_norm.weight"),
		V: w.get("self_attn.v_proj.weight"), VBias: w.optional("self_attn.v_proj.bias"),
		Out: w.get("self_attn.o_proj.weight"), OutBias: w.optional("self_attn.o_proj.bias"),
		FeedNorm: w.get("post_attention_layernorm.weight"),
		Gate:     w.get("mlp.gate_proj.weight"), GateBias: w.optional("mlp.gate_proj.bias"),
		Up: w.get("mlp.up_proj.weight"), UpBias: w.optional("mlp.up_proj.bias"),
		Down: w.get("mlp.down_proj.weight"), DownBias: w.optional("mlp.down_proj.bias"),
	}
}

// prefill reads the prompts and returns what attention needs of them and the next logits.
func prefill(c hf.Config, s GenerateShape, w *Weights, prompts, padding *Node) (kv keyValues, logits *Node) {
	g := prompts.Graph()
	rows := shapes.Make(dtypes.Int32, s.Batch, s.Prompt)
	index := Iota(g, rows, 1)
	pad := BroadcastToShape(InsertAxes(padding, -1), rows)
	real := GreaterOrEqual(index, pad)
	positions := Where(real, Sub(index, pad), ZerosLike(index))
	segments := ConvertDType(real, dtypes.Int32)
	kv, x := read(c, w, prompts, positions, segments)
	last := SliceAxis(x, 1, AxisElem(s.Prompt-1))
	logits = Logits(w, rmsNorm(last, w.get("model.norm.weight"), c.NormEps))
	return kv, Reshape(logits, s.Batch, c.VocabSize)
}

// read runs prompts [batch, time] through the layers and keeps each layer's keys and values; x [batch, time, hidden] is before the last norm.
func read(c hf.Config, w *Weights, tokens, positions, segments *Node) (kv keyValues, x *Node) {
	r := newRotary(c, positions, tokens.Shape().Dimensions[1])
	masks := newCausal(c, segments)
	x = embed(w, tokens)
	for l := range c.Layers {
		lw := w.layer(l)
		q, k, v := projections(c, lw, x, r)
		x = feedForward(c, lw, output(lw, x, masks.attend(c, l, q, k, v)))
		kv = append(kv, k, v)
	}
	return kv, x
}

// extend feeds one token a sequence through the decoder at the given slot of the cache.
func extend(c hf.Config, s GenerateShape, w *Weights, token, slot, padding *Node, cache []*Node) (logits *Node, next []*Node) {
	g := token.Graph()
	keys := s.Prompt + s.New
	positions := InsertAxes(Sub(BroadcastToDims(slot, s.Batch), padding), -1) // [batch, 1]
	r := newRotary(c, positions, s.Prompt+s.New)
	shape := shapes.Make(dtypes.Int32, s.Batch, 1, 1, 1, keys)
	index := Iota(g, shape, 4)
	here := BroadcastToShape(Reshape(slot, 1, 1, 1, 1, 1), shape)
	allowed := LogicalAnd(LessOrEqual(index, here),
		GreaterOrEqual(index, BroadcastToShape(Reshape(padding, s.Batch, 1, 1, 1, 1), shape)))
	masks := biases{full: bias(allowed)}
	if c.SlidingWindow > 0 {
		near := LessThan(Sub(here, index), BroadcastToShape(Const(g, int32(c.SlidingWindow)), shape))
		masks.windowed = bias(LogicalAnd(allowed, near))
	}
	z := Const(g, int32(0))
	return feedToken(c, w, token, r, masks, cache, func(cache, x *Node) *Node { return DynamicUpdateSlice(cache, x, []*Node{z, z, slot, z}) })
}

// feedToken runs one token a sequence through the layers; put adds its keys and values [batch, kv, 1, head] to a layer's cache.
func feedToken(c hf.Config, w *Weights, token *Node, r rotary, masks biases, cache []*Node, put func(cache, x *Node) *Node) (logits *Node, next []*Node) {
	batch := token.Shape().Dimensions[0]
	x := InsertAxes(embed(w, token), 1)
	for l := range c.Layers {
		lw := w.layer(l)
		q, k, v := projections(c, lw, x, r)
		k = put(cache[2*l], Reshape(k, batch, c.KVHeads, 1, c.HeadDim))
		v = put(cache[2*l+1], Reshape(v, batch, c.KVHeads, 1, c.HeadDim))
		next = append(next, k, v)
		x = feedForward(c, lw, output(lw, x, attend(c, q, k, v, masks.layer(c, l))))
	}
	logits = Logits(w, rmsNorm(x, w.get("model.norm.weight"), c.NormEps))
	return Reshape(logits, batch, c.VocabSize), next
}
