package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"temper/artifact"
	"temper/eval"
	"temper/pipelines"
)

// Input is everything that a report is made from. Nothing is required but Run and Pipeline; a comparison that the pipeline's report
// asks for and that lacks its inputs is an error of Build.
type Input struct {
	Run      string
	Pipeline *pipelines.Pipeline
	Stages   map[string]StageInfo                  // by stage id
	Results  map[string][]eval.Result              // by evaluate stage
	Details  map[string]map[string][]ProblemDetail // by evaluate stage and model: one a problem, in the order of the task set
	Logs     map[string]Log                        // by rl stage
}

// StageInfo is what a finished stage left.
type StageInfo struct {
	Kind    string
	Summary string
	Numbers map[string]float64
	Skipped bool    // its outputs were those of an earlier run
	Seconds float64 // of wall time
	Outputs map[string]artifact.Ref
}

// ProblemDetail is one model's samples of one problem: a JSON line of an evaluation artifact.
type ProblemDetail struct {
	ID         string   `json:"id"`
	Prompt     string   `json:"prompt"`
	Concepts   []string `json:"concepts,omitempty"`
	Difficulty int      `json:"difficulty,omitempty"`
	Correct    int      `json:"correct"`             // samples judged correct
	Judged     int      `json:"judged"`              // samples with a verdict, correct or wrong
	Scored     int      `json:"scored,omitempty"`    // samples that could be scored
	Reward     float64  `json:"reward"`              // mean over these
	Responses  []string `json:"responses,omitempty"` // texts of the samples
}

// DetailsFile is the file of an evaluation artifact that has a ProblemDetail in each line.
const DetailsFile = "problems.jsonl"

// ReadDetails reads what stands in such a file.
func ReadDetails(body []byte) ([]ProblemDetail, error) {
	var out []ProblemDetail
	for dec := json.NewDecoder(bytes.NewReader(body)); ; {
		var d ProblemDetail
		switch err := dec.Decode(&d); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("%s:%d: %w", DetailsFile, len(out)+1, err)
		}
		out = append(out, d)
	}
}

// Log is the log of an rl stage: the JSON file of its log artifact.
type Log struct {
	Rounds   []LogRound   `json:"rounds"`
	Problems []LogProblem `json:"problems"`
	Alarms   []Alarm      `json:"alarms,omitempty"`
}

// Alarm says that the rewards of rounds look as they do when training has gone wrong (reward.Alarms).
type Alarm struct {
	Name   string `json:"name"`
	Round  int    `json:"round"`  // the last round that it is about, from 0
	Detail string `json:"detail"` // the numbers behind it
}

// LogRound is one round of training.
type LogRound struct {
	Round      int      `json:"round"`
	Reward     float64  `json:"reward"`               // mean over samples
	Solved     float64  `json:"solved"`               // share of samples with the verdict correct
	Entropy    float64  `json:"entropy"`              // nats a token
	Norm       float64  `json:"norm"`                 // of the gradient before clipping
	Gap        float64  `json:"gap"`                  // mean |sampler's − trainer's log-probability|, nats
	Interleave int      `json:"interleave,omitempty"` // demonstrations trained on
	Demos      []string `json:"demos,omitempty"`      // ids of their problems
}

// LogProblem is what happened to one problem of the stage.
type LogProblem struct {
	ID          string   `json:"id"` // unique in the log; LogRound.Demos names problems by it
	Concepts    []string `json:"concepts,omitempty"`
	Source      string   `json:"source,omitempty"`      // task set or stage that it came from
	Mislabelled bool     `json:"mislabelled,omitempty"` // its gold answer is known to be wrong
	Visits      []Visit  `json:"visits,omitempty"`      // in order of rounds
}

// Visit is one round's samples of a problem.
type Visit struct {
	Round int     `json:"round"`
	Rate  float64 `json:"rate"` // share of samples that solved it
}
