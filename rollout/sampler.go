// Package rollout draws many samples from one policy: it batches prompts into few compiled shapes, runs generation on the device and
// returns tokens with their log-probabilities. It may import device and lm; it knows nothing of rewards or training.
package rollout

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gomlx/gomlx/core/graph"

	"temper/device"
	"temper/lm"
	"temper/lm/hf"
)

// Options say how to sample.
type Options struct {
	MaxNew      int     // tokens to generate at most
	Batch       int     // sequences in one device program at most
	Temperature float64 // 0 is greedy
	TopP        float64 // 1 (or 0) keeps all
	TopK        int     // 0 keeps all
	Stops       []int32 // ids that end a sequence
	Seats       int     // see lm.GenerateShape
	Half        bool    // compute in bfloat16, see lm.GenerateShape
}

// Prompt is one sequence to continue. Key seeds its noise, see lm.SequenceKey: the same prompt with another key is another sample.
type Prompt struct {
	Tokens []int32
	Key    [2]uint32
}

// Sequence is what was sampled after a prompt.
type Sequence struct {
	Tokens   []int32   // with the stop id, if one came
	LogProbs []float32 // nats under softmax(logits/temperature), one a token
	Finished bool      // a stop id came before MaxNew
}

// promptBucket is the multiple that prompt lengths are padded to, so that few programs are compiled.
const promptBucket = 16

// Sampler compiles generation programs and keeps them. It is safe for concurrent use.
type Sampler struct {
	client   *device.Client
	mu       sync.Mutex
	programs map[string]*device.Program
}

// NewSampler makes a sampler for a device.
func NewSampler(c *device.Client) *Sampler {
	return &Sampler{client: c, programs: map[string]*device.Program{}}
}

// Sample continues every prompt. The batches are cut from the prompts in their order, so the plan (and with it each bit of the result)
// depends on the arguments alone. It stops between batches when ctx ends.
func (s *Sampler) Sample(ctx context.Context, c hf.Config, params []*device.Buffer, prompts []Prompt, o Options) ([]Sequence, error) {
	if err := check(c, prompts, o); err != nil {
		return nil, err
	}
	out := make([]Sequence, 0, len(prompts))
	for start := 0; start < len(prompts); start += o.Batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part, err := s.batch(c, params, prompts[start:min(start+o.Batch, len(prompts))], o)
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
	}
	return out, nil
}

func check(c hf.Config, prompts []Prompt, o Options) error {
	if o.MaxNew < 1 || o.Batch < 1 {
		return fmt.Errorf("sample: max new tokens %d and batch %d must be at least 1", o.MaxNew, o.Batch)
	}
	if len(o.Stops) == 0 {
		return errors.New("sample: no stop token: the tokenizer or generation_config.json must name an end-of-text token")
	}
	for i, p := range prompts {
		if len(p.Tokens) == 0 {
			return fmt.Errorf("sample: prompt %d is empty", i)
		}
		if c.MaxPositions > 0 && len(p.Tokens)+o.MaxNew > c.MaxPositions {
			return fmt.Errorf("sample: prompt %d has %d tokens; with %d new ones that is more than the model's %d positions", i, len(p.Tokens), o.MaxNew, c.MaxPositions)
		}
	}
	return nil
}

// batch samples one device batch; it is padded to a power of two with copies of its first row.
func (s *Sampler) batch(c hf.Config, params []*device.Buffer, prompts []Prompt, o Options) ([]Sequence, error) {
	rows, longest := 1, 0
	for rows < len(prompts) {
		rows *= 2
	}
	rows = min(rows, max(o.Batch, len(prompts)))
	for _, p := range prompts {
		longest = max(longest, len(p.Tokens))
	}
	width := (longest + promptBucket - 1) / promptBucket * promptBucket
	if c.MaxPositions > 0 {
		width = min(width, max(longest, c.MaxPositions-o.MaxNew))
	}
	tokens, padding, keys := make([]int32, rows*width), make([]int32, rows), make([]uint32, 2*rows)
	for r := range rows {
		p := prompts[0]
		if r < len(prompts) {
			p = prompts[r]
		}
		pad := width - len(p.Tokens)
		padding[r] = int32(pad)
		copy(tokens[r*width+pad:(r+1)*width], p.Tokens)
		keys[2*r], keys[2*r+1] = p.Key[0], p.Key[1]
	}
	shape := lm.GenerateShape{Batch: rows, Prompt: width, New: o.MaxNew, TopK: o.TopK, TopP: o.TopP > 0 && o.TopP < 1, Stops: len(o.Stops), Seats: o.Seats, Half: o.Half}
	program, err := s.program(c, shape)
	if err != nil {
		return nil, err
	}
	ids, logProbs, err := s.run(program, params, shape, tokens, padding, keys, o)
	if err != nil {
		return nil, err
	}
	stop := map[int32]bool{}
	for _, id := range o.Stops {
		stop[id] = true
	}
	out := make([]Sequence, len(prompts))
	for r := range prompts {
		row := ids[r*o.MaxNew : (r+1)*o.MaxNew]
		n, finished := len(row), false
		for i, id := range row {
			if stop[id] {
				n, finished = i+1, true
				break
			}
		}
		out[r] = Sequence{Tokens: append([]int32(nil), row[:n]...), LogProbs: append([]float32(nil), logProbs[r*o.MaxNew:r*o.MaxNew+n]...), Finished: finished}
	}
	return out, nil
}

func (s *Sampler) run(program *device.Program, params []*device.Buffer, shape lm.GenerateShape, tokens, padding []int32, keys []uint32, o Options) (ids []int32, logProbs []float32, err error) {
	var extra []*device.Buffer
	defer func() { device.FreeAll(extra...) }()
	add := func(b *device.Buffer, e error) {
		extra = append(extra, b)
		if err == nil {
			err = e
		}
	}
	add(device.Upload(s.client, tokens, shape.Batch, shape.Prompt))
	add(device.Upload(s.client, padding, shape.Batch))
	add(device.Upload(s.client, keys, shape.Batch, 2))
	add(device.Upload(s.client, []float32{float32(o.Temperature)}))
	add(device.Upload(s.client, []float32{float32(o.TopP)}))
	add(device.Upload(s.client, o.Stops, shape.Stops))
	if err != nil {
		return nil, nil, err
	}
	out, err := program.Run(append(append([]*device.Buffer{}, params...), extra...)...)
	if err != nil {
		return nil, nil, err
	}
	defer device.FreeAll(out...)
	if ids, err = device.Download[int32](out[0]); err != nil {
		return nil, nil, err
	}
	logProbs, err = device.Download[float32](out[1])
	return ids, logProbs, err
}

func (s *Sampler) program(c hf.Config, shape lm.GenerateShape) (*device.Program, error) {
	key := fmt.Sprintf("%s %+v", lm.ConfigKey(c), shape)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.programs[key]; ok {
		return p, nil
	}
	in := append(lm.Shapes(c), lm.GenerateInputs(shape)...)
	n := len(lm.Shapes(c))
	p, err := s.client.Compile(fmt.Sprintf("generate_b%d_p%d_n%d", shape.Batch, shape.Prompt, shape.New), in, nil, func(x []*graph.Node) []*graph.Node {
		return lm.Generate(c, shape, x[:n], x[n:])
	})
	if err != nil {
		return nil, err
	}
	s.programs[key] = p
	return p, nil
}
