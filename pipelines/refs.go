package pipelines

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Names is a list of names that may be written as one name.
type Names []string

// UnmarshalYAML takes a name or a list of names.
func (n *Names) UnmarshalYAML(node *yaml.Node) error {
	var one string
	if node.Kind == yaml.ScalarNode {
		if err := node.Decode(&one); err != nil {
			return err
		}
		*n = Names{one}
		return nil
	}
	var many []string
	if err := node.Decode(&many); err != nil {
		return fmt.Errorf("expected a name or a list of names")
	}
	*n = many
	return nil
}

// list makes one ref a name. Each may name a task set, or a stage with the output unless that is empty.
func (n Names) list(field, output string, set bool) []ref {
	refs := make([]ref, len(n))
	for i, name := range n {
		refs[i] = ref{role: fmt.Sprintf("%s[%d]", field, i), name: name, output: output, set: set}
	}
	return refs
}

func stageRef(role, name, output string) ref { return ref{role: role, name: name, output: output} }
func setRef(role, name string) ref           { return ref{role: role, name: name, set: true} }

func (s *Import) refs() []ref   { return nil }
func (s *Pretrain) refs() []ref { return []ref{setRef("data", s.Data)} }

func (s *SFT) refs() []ref {
	return append([]ref{stageRef("model", s.Model, ModelOutput)}, s.Data.list("data", ProblemsOutput, true)...)
}

func (s *RL) refs() []ref {
	refs := append([]ref{stageRef("model", s.Model, ModelOutput)}, s.Tasks.list("tasks", ProblemsOutput, true)...)
	return append(refs, setRef("demos", s.Demos))
}

func (s *Curate) refs() []ref {
	return []ref{stageRef("log", s.Log, LogOutput), setRef("tasks", s.Tasks), stageRef("like", s.Like, ProblemsOutput)}
}

func (s *Synthesize) refs() []ref {
	refs := []ref{stageRef("model", s.Model, ModelOutput), stageRef("log", s.Log, LogOutput)}
	return append(refs, s.Tasks.list("tasks", ProblemsOutput, true)...)
}

func (s *Distill) refs() []ref {
	return append([]ref{stageRef("teacher", s.Teacher, ModelOutput)}, s.Tasks.list("tasks", ProblemsOutput, true)...)
}

func (s *Evaluate) refs() []ref {
	return append(s.Models.list("models", ModelOutput, false), setRef("tasks", s.Tasks))
}
