package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/artifact"
)

// sampled is a round's rollouts on their way.
type sampled struct {
	out contract.RolloutOutput
	err error
	end workflow.Channel // closed when both are known
}

// begin starts the rollouts of a round with the policy of a state.
func (l *rlLoop) begin(ctx workflow.Context, round int, state contract.State) *sampled {
	s := &sampled{end: workflow.NewChannel(ctx)}
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer s.end.Close()
		s.out, s.err = l.sample(ctx, round, state)
	})
	return s
}

// wait gives the rollouts once they are there.
func (s *sampled) wait(ctx workflow.Context) (contract.RolloutOutput, error) {
	s.end.Receive(ctx, nil)
	return s.out, s.err
}

// sample has a round sampled and scored: by one worker where the state is, or in shards by any workers. Which prompts are in which shard follows
// from the settings, so it does not matter who does what.
func (l *rlLoop) sample(ctx workflow.Context, round int, state contract.State) (contract.RolloutOutput, error) {
	prompts, group := l.settings.Prompts, l.settings.RecipeSettings.Group
	in := contract.RolloutInput{Stage: l.in.Stage, State: state, Round: round, Tuning: l.tuning}
	if l.settings.Shards <= 1 {
		return callAt[contract.RolloutOutput](ctx, state, contract.Rollout, fmt.Sprintf("round %d of %d: %d samples of %d problems", round+1, l.total, prompts*group, prompts), in)
	}
	shards := make([]artifact.Ref, l.settings.Shards)
	var failure error
	all := workflow.NewWaitGroup(ctx)
	for i := range shards {
		all.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer all.Done()
			part := contract.Span{From: i * prompts / len(shards), To: (i + 1) * prompts / len(shards)}
			in := in
			in.Shard = &part
			ref, err := call[artifact.Ref](ctx, contract.QueueGPU, contract.SampleShard,
				fmt.Sprintf("round %d of %d, shard %d of %d: %d samples of %d problems", round+1, l.total, i+1, len(shards), (part.To-part.From)*group, part.To-part.From), in)
			if err == nil {
				shards[i], err = call[artifact.Ref](ctx, contract.QueueCPU, contract.ScoreShard, fmt.Sprintf("round %d, shard %d: score", round+1, i+1),
					contract.ScoreInput{Stage: l.in.Stage, Samples: ref, Tuning: in.Tuning})
			}
			if err != nil && failure == nil {
				failure = err
			}
		})
	}
	all.Wait(ctx)
	if failure != nil {
		return contract.RolloutOutput{}, failure
	}
	return call[contract.RolloutOutput](ctx, contract.QueueCPU, contract.GatherRollouts, fmt.Sprintf("round %d: gather %d shards", round+1, len(shards)),
		contract.GatherInput{Stage: l.in.Stage, State: state, Round: round, Shards: shards, Tuning: in.Tuning})
}

// publishes says whether workers that do not hold the state sample with it.
func (l *rlLoop) publishes() bool { return l.settings.Shards > 1 || l.settings.Ahead > 0 }
