package main

import (
	"github.com/spf13/pflag"
	"go.temporal.io/sdk/temporal"
)

// share is how a run competes with others for workers: its stages and their activities have it from the run.
type share struct {
	level int
	team  string
}

const (
	highestPriority = 1
	lowestPriority  = 5
	maxTeam         = 64 // bytes, of Temporal's fairness keys
)

func (s *share) flags(f *pflag.FlagSet) {
	f.IntVar(&s.level, "priority", 0, "`N` from 1 (before all others) to 5; default 3")
	f.StringVar(&s.team, "team", "", "the `NAME` of who runs it: teams get equal shares of the workers, however much each has waiting")
}

func (s share) check() error {
	if s.level != 0 && (s.level < highestPriority || s.level > lowestPriority) {
		return usagef("--priority %d: want %d (first) to %d", s.level, highestPriority, lowestPriority)
	}
	if len(s.team) > maxTeam {
		return usagef("--team: must have at most %d bytes, has %d", maxTeam, len(s.team))
	}
	return nil
}

func (s share) priority() temporal.Priority {
	return temporal.Priority{PriorityKey: s.level, FairnessKey: s.team}
}
