package pipelines

import "temper/tasks"

// At is the pipeline of one occurrence of a schedule. Its seed, and the task sets with vary, follow from the pipeline and the occurrence
// alone: the same occurrence again is the same run, and finds what it has done. Occurrence 0 is the pipeline itself.
func (p *Pipeline) At(occurrence uint64) *Pipeline {
	if occurrence == 0 {
		return p
	}
	out := *p
	out.Seed = tasks.Mix(p.Seed, occurrence)
	out.Tasks = make(map[string]tasks.Source, len(p.Tasks))
	for name, source := range p.Tasks {
		out.Tasks[name] = source.Turned(occurrence)
	}
	return &out
}
