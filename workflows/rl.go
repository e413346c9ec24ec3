package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"temper/activities/contract"
	"temper/artifact"
	"temper/pipelines"
)

// RL is reinforcement learning with verifiable rewards: in each round, sample a group of responses to each of some problems, score them,
// and update the policy (GRPO, Shao et al. 2024, arXiv 2402.03300, and its relatives: the recipe says which).
//
// With an interleaving recipe it is ReLIFT (Ma et al. 2025, arXiv 2506.07527): problems that no sample solved go to a buffer with their
// demonstrations; when it holds enough of them, the round's update is followed by an SFT step on exactly those.
func RL(ctx workflow.Context, in contract.StageInput) (contract.StageOut, error) {
	return memoised(ctx, in, func(in contract.StageInput, c *control) (contract.StageOut, error) {
		loop, err := newRLLoop(ctx, in, c)
		if err != nil {
			return contract.StageOut{}, err
		}
		for loop.count() < loop.total {
			end, err := c.border(ctx, loop.count(), loop.count()+1)
			if err != nil {
				return contract.StageOut{}, err
			}
			if end {
				break
			}
			loop.tuning = c.tuning
			if err := loop.round(ctx); err != nil {
				return contract.StageOut{}, err
			}
			if err := loop.broken(); err != nil {
				return contract.StageOut{}, err
			}
			if workflow.GetInfo(ctx).GetContinueAsNewSuggested() && loop.count() < loop.total {
				return contract.StageOut{}, loop.continueAsNew(ctx)
			}
		}
		return loop.finish(ctx)
	})
}

// rlLoop is the state of an RL stage between rounds.
type rlLoop struct {
	in       contract.StageInput
	settings *pipelines.RL
	monitor  *monitor
	control  *control
	tuning   pipelines.Tuning // in force in the round under way
	state    contract.State
	ahead    *sampled  // of the next round, where it is sampled ahead
	total    int       // rounds
	savedAt  time.Time // of the newest snapshot
	times    contract.Times
	earlier  *contract.Earlier // rounds that are in the newest checkpoint; nil: none
	rounds   []contract.Round  // the ones since
	buffer   relift
	demos    []int // ordinals of problems whose demonstration was trained on, in order of first use
}

func newRLLoop(ctx workflow.Context, in contract.StageInput, c *control) (*rlLoop, error) {
	s := in.Stage.Stage.Settings.(*pipelines.RL)
	problems := 0
	for _, name := range s.Tasks {
		problems += in.Counts[name]
	}
	l := &rlLoop{in: in, settings: s, control: c, total: s.RoundsFor(problems), state: initial(in, in.Stage.Models[s.Model])}
	l.buffer = relift{rule: s.RecipeSettings.Interleave}
	if l.publishes() {
		l.state.Policy = l.state.Snapshot
	}
	if r := in.Resume; r != nil {
		l.state, l.earlier, l.rounds, l.buffer.waiting, l.demos, l.times = r.State, r.Earlier, r.Rounds, r.Buffer, r.Demos, r.Times
		if r.Ahead != nil {
			l.ahead = &sampled{out: *r.Ahead, end: workflow.NewChannel(ctx)}
			l.ahead.end.Close()
		}
	}
	l.savedAt = workflow.Now(ctx)
	var err error
	if l.monitor, err = watch(ctx, in, c, l.total, "reward", "solved", "entropy"); err != nil {
		return nil, err
	}
	if e := l.earlier; e != nil {
		l.monitor.leaveOut(e.LeftOut)
	}
	known := l.known()
	for i, r := range known {
		l.monitor.leaveOut(r.LeftOut)
		l.monitor.add("reward", r.Reward)
		l.monitor.add("solved", r.Solved)
		l.monitor.add("entropy", r.Entropy)
		l.monitor.record(l.count() - len(known) + i + 1)
	}
	return l, nil
}

// count is how many rounds there were.
func (l *rlLoop) count() int { return contract.Resume{Rounds: l.rounds, Earlier: l.earlier}.Count() }

// known are the newest rounds, contract.KeepRounds of them where there were so many.
func (l *rlLoop) known() []contract.Round {
	if l.earlier == nil {
		return l.rounds
	}
	return slices.Concat(l.earlier.Last, l.rounds)
}

// round samples, updates, and saves a snapshot when one is due.
func (l *rlLoop) round(ctx workflow.Context) error {
	n, began := l.count(), workflow.Now(ctx)
	now := l.ahead
	if now == nil {
		now = l.begin(ctx, n, l.state)
	}
	samples, err := now.wait(ctx)
	if err != nil {
		return err
	}
	if l.ahead = nil; l.settings.Ahead > 0 && n+1 < l.total {
		l.ahead = l.begin(ctx, n+1, l.state)
	}
	demos := l.buffer.add(samples.Unsolved)
	step := contract.PolicyStep{Round: n, Rollouts: samples.Rollouts, Interleave: demos, Tuning: l.tuning}
	if l.settings.Ahead > 0 {
		step.Tuning = l.tuning.WithTemperatureOf(samples.Tuning)
	}
	summary := fmt.Sprintf("round %d: update, reward %.3f", n+1, samples.Reward)
	if len(demos) > 0 {
		summary += fmt.Sprintf(", and SFT on %d demonstrations", len(demos))
	}
	update, err := callAt[contract.PolicyOutput](ctx, l.state, contract.UpdatePolicy, summary,
		contract.PolicyInput{Stage: l.in.Stage, State: l.state, Step: step, Publish: l.publishes()})
	if err != nil {
		return err
	}
	l.state = update.State
	for _, d := range demos {
		if !slices.Contains(l.demos, d) {
			l.demos = append(l.demos, d)
		}
	}
	l.rounds = append(l.rounds, contract.Round{Rollouts: samples.Rollouts, Reward: samples.Reward, Solved: samples.Solved,
		Entropy: update.Metrics["entropy"], Norm: update.Norm, Gap: update.Metrics["sampler_log_prob_gap"], Interleave: demos,
		LeftOut: update.LeftOut, Tuning: step.Tuning})
	l.times.Add(contract.Times{Sampling: samples.Seconds, Training: update.Seconds, Rounds: workflow.Now(ctx).Sub(began).Seconds()})
	l.monitor.leaveOut(update.LeftOut)
	l.monitor.step(ctx, n+1, fmt.Sprintf("rounds, reward %.3f, solved %.1f%%, entropy %.3f, length %.1f, %d demonstrations",
		samples.Reward, 100*samples.Solved, update.Metrics["entropy"], samples.Length, len(l.demos)), samples.Reward, samples.Solved, update.Metrics["entropy"])
	return l.save(ctx)
}

// save writes a snapshot when one is due: after the last round, after save_every rounds, or after save_seconds.
func (l *rlLoop) save(ctx workflow.Context) (err error) {
	n := l.count()
	late := l.settings.SaveSeconds > 0 && workflow.Now(ctx).Sub(l.savedAt).Seconds() >= l.settings.SaveSeconds
	if n%l.settings.SaveEvery != 0 && n != l.total && !late {
		return nil
	}
	resume, err := l.resume(ctx)
	if err != nil {
		return err
	}
	l.state, err = callAt[contract.State](ctx, l.state, contract.SaveState, fmt.Sprintf("snapshot after round %d", n),
		contract.StateInput{Stage: l.in.Stage, State: l.state, Checkpoint: &contract.Checkpoint{Key: l.in.Key, Resume: resume}})
	l.savedAt = workflow.Now(ctx)
	if err == nil && !l.state.Progress.IsZero() { // zero in histories from before checkpoints were named
		l.earlier, l.rounds = l.earlier.Keep(l.state.Progress, l.rounds), nil
	}
	return err
}

// maxBroken is how many rounds in a row may leave updates out before the stage fails.
const maxBroken = 3

// broken ends a stage whose policy no longer gives finite gradients.
func (l *rlLoop) broken() error {
	rounds := l.known()
	if len(rounds) < maxBroken {
		return nil
	}
	for _, r := range rounds[len(rounds)-maxBroken:] {
		if len(r.LeftOut) == 0 {
			return nil
		}
	}
	last := rounds[len(rounds)-1].LeftOut[0]
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf("the gradients of %d rounds in a row are not finite (%s, loss %s): go on from an earlier snapshot with a lower lr", maxBroken, last.Update, last.Loss), "permanent", nil)
}

// resume is what a workflow that goes on from here must know. The next round's rollouts, where they are drawn ahead, are waited for: a policy that is
// gone by then has drawn them.
func (l *rlLoop) resume(ctx workflow.Context) (contract.Resume, error) {
	r := contract.Resume{State: l.state, Earlier: l.earlier, Rounds: l.rounds, Buffer: l.buffer.waiting, Demos: l.demos, Times: l.times, Control: l.control.state()}
	if l.ahead != nil {
		samples, err := l.ahead.wait(ctx)
		if err != nil {
			return r, err
		}
		r.Ahead = &samples
	}
	return r, nil
}

func (l *rlLoop) continueAsNew(ctx workflow.Context) error {
	if err := l.control.drain(ctx); err != nil {
		return err
	}
	resume, err := l.resume(ctx)
	if err != nil {
		return err
	}
	next := l.in
	next.Resume = &resume
	return workflow.NewContinueAsNewError(ctx, contract.StageWorkflows["rl"], next)
}

// finish exports the model and writes the log.
func (l *rlLoop) finish(ctx workflow.Context) (contract.StageOut, error) {
	known, n := l.known(), l.count()
	first, last := known[0], known[len(known)-1]
	if l.earlier != nil {
		first = l.earlier.First
	}
	out, err := export(ctx, l.in, l.control, l.state, fmt.Sprintf("%d rounds, reward %.3f → %.3f, %d demonstrations", n, first.Reward, last.Reward, len(l.demos))+l.monitor.leftOutText(),
		map[string]float64{"rounds": float64(n), "demonstrations": float64(len(l.demos)), "first_reward": first.Reward, "last_reward": last.Reward,
			"samples":          float64(n * l.settings.Prompts * l.settings.RecipeSettings.Group),
			"sampling_seconds": l.times.Sampling, "training_seconds": l.times.Training, "rounds_seconds": l.times.Rounds})
	if err != nil {
		return out, err
	}
	log, err := call[artifact.Ref](ctx, contract.QueueCPU, contract.WriteLog, "write the log of all rounds", contract.LogInput{Stage: l.in.Stage, Earlier: l.earlier, Rounds: l.rounds})
	out.Outputs[pipelines.LogOutput] = log
	return out, err
}

// relift is ReLIFT's buffer of problems that no sample solved.
type relift struct {
	rule    pipelines.Interleave
	waiting []int // ordinals, oldest first, each once
}

// add takes the unsolved problems of a round and returns those to train demonstrations of now: none until the buffer holds enough, then
// that many, the newest first if the rule says so, and the buffer starts anew.
func (b *relift) add(unsolved []int) []int {
	if b.rule.When == "never" {
		return nil
	}
	for _, u := range unsolved {
		if i := slices.Index(b.waiting, u); i >= 0 {
			b.waiting = slices.Delete(b.waiting, i, i+1)
		}
		b.waiting = append(b.waiting, u)
	}
	if len(b.waiting) < b.rule.Fill {
		return nil
	}
	taken := slices.Clone(b.waiting[:b.rule.Fill])
	if b.rule.Newest {
		taken = slices.Clone(b.waiting[len(b.waiting)-b.rule.Fill:])
		slices.Reverse(taken)
	}
	b.waiting = nil
	return taken
}
