package pipelines

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"temper/configs"
	"temper/reward"
	"temper/tasks"
)

// namePattern is what names of pipelines, stages and task sets look like: they become parts of workflow ids and object names.
var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

const nameRule = "must be lower-case letters, digits, - and _, begin with a letter and have at most 63"

// Validate checks everything that can be known before a run: names, references, kinds of outputs, ranges, rewards. All errors come
// joined, each with the place where the value was written, as far as that is known.
func (p *Pipeline) Validate() error {
	var all collect
	fail := func(path, format string, args ...any) {
		all.add(p.src.errorAt(path, fmt.Sprintf(format, args...)))
	}
	if !namePattern.MatchString(p.Name) {
		fail("name", "%s, is %q", nameRule, p.Name)
	}
	if p.Concurrency < 1 || p.Concurrency > 64 {
		fail("concurrency", "must be from 1 to 64, is %d", p.Concurrency)
	}
	if len(p.Stages) == 0 {
		fail("stages", "a pipeline needs at least one stage")
	}
	p.validateTasks(fail)
	earlier := map[string]*Stage{}
	for i := range p.Stages {
		st := &p.Stages[i]
		path := "stages." + st.ID
		if !namePattern.MatchString(st.ID) {
			fail(path, "id %s", nameRule)
		}
		if earlier[st.ID] != nil {
			fail(path, "two stages have this id")
		}
		if _, ok := p.Tasks[st.ID]; ok {
			fail(path, "a task set has the same name; rename one, for stages and task sets are named in the same places")
		}
		p.validateKind(st, earlier, fail)
		p.validatePromotion(i, earlier, func(at, format string, args ...any) { fail(path+"."+at, format, args...) })
		p.validateGate(st, fail)
		earlier[st.ID] = st
	}
	p.validateReport(fail)
	return all.err()
}

func (p *Pipeline) validateTasks(fail func(path, format string, args ...any)) {
	sound := true
	for _, name := range slices.Sorted(maps.Keys(p.Tasks)) {
		if !namePattern.MatchString(name) {
			fail("tasks."+name, "a name %s", nameRule)
		}
		for _, line := range errorLines(p.Tasks[name].Validate()) {
			sound = false
			field, msg, ok := strings.Cut(line, ": ")
			if !ok || strings.ContainsAny(field, ", ") {
				fail("tasks."+name, "%s", line)
				continue
			}
			fail("tasks."+name+"."+field, "%s", msg)
		}
	}
	if sound { // names in exclude and circles of them
		for _, line := range errorLines(tasks.CheckSets(p.Tasks)) {
			path, msg, _ := strings.Cut(line, ": ")
			fail(path, "%s", msg)
		}
	}
}

// errorLines takes joined errors apart.
func errorLines(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// validateKind checks a stage whose settings are those of its kind.
func (p *Pipeline) validateKind(st *Stage, earlier map[string]*Stage, fail func(path, format string, args ...any)) {
	if want := kinds[st.Kind].blank; want == nil || fmt.Sprintf("%T", want()) != fmt.Sprintf("%T", st.Settings) {
		fail("stages."+st.ID, "settings of type %T do not belong to kind %q", st.Settings, st.Kind)
		return
	}
	p.validateStage(st, earlier, fail)
	p.validateOr(st, earlier, fail)
}

func (p *Pipeline) validateStage(st *Stage, earlier map[string]*Stage, fail func(path, format string, args ...any)) {
	report := func(path, format string, args ...any) {
		fail(p.settingPath(st, path), format, args...)
	}
	findings, err := configs.Check(st.Settings)
	if err != nil {
		report("", "%v", err)
	}
	broken := map[string]bool{}
	for _, f := range findings {
		broken[f.Path] = true
		report(f.Path, "%s", f.Msg)
	}
	for _, r := range st.Settings.refs() {
		if r.name != "" && st.or() == nil { // else the names are those of the stage behind it
			p.validateRef(st, r, earlier, report)
		}
	}
	if len(findings) == 0 { // the rules between settings presume that each alone is sound
		st.Settings.check(report)
		p.validateLog(st, earlier, report)
		p.validateWriting(st, earlier, report)
	}
}

func (p *Pipeline) validateRef(st *Stage, r ref, earlier map[string]*Stage, report func(path, format string, args ...any)) {
	if source, ok := p.Tasks[r.name]; ok && r.set {
		if source.Format == "messages" && st.Kind != "sft" {
			report(r.role, "the task set %q holds conversations (format: messages), which only sft trains on", r.name)
		}
		return
	}
	what := "stage"
	switch {
	case r.set && r.output == "":
		what = "task set"
	case r.set:
		what = "task set or stage"
	}
	other := earlier[r.name]
	switch {
	case r.output != "" && other != nil && !contains(kinds[other.Kind].outputs, r.output):
		report(r.role, "stage %q gives %s, not %s", r.name, article(strings.Join(kinds[other.Kind].outputs, " and a ")), article(r.output))
	case r.output != "" && other != nil:
	case r.output != "" && r.name == st.ID:
		report(r.role, "a stage cannot use itself")
	case r.output != "" && p.Stage(r.name) != nil:
		report(r.role, "stage %q comes later; a stage can only use those before it", r.name)
	case r.output == "" && p.Stage(r.name) != nil:
		report(r.role, "%q is a stage; only a task set can stand here", r.name)
	default:
		report(r.role, "no %s named %q%s", what, r.name, p.suggest(r, earlier))
	}
}

// suggest names the nearest thing that could stand in a reference. A stage also answers to its kind.
func (p *Pipeline) suggest(r ref, earlier map[string]*Stage) string {
	meant := map[string]string{} // what one may have written -> the name
	if r.output != "" {
		for i := range p.Stages {
			st := &p.Stages[i]
			if earlier[st.ID] != nil && contains(kinds[st.Kind].outputs, r.output) {
				if _, taken := meant[st.Kind]; !taken {
					meant[st.Kind] = st.ID
				}
			}
		}
		for id, st := range earlier {
			if contains(kinds[st.Kind].outputs, r.output) {
				meant[id] = id
			}
		}
	}
	if r.set {
		for name := range p.Tasks {
			meant[name] = name
		}
	}
	if best, near := configs.Nearest(r.name, slices.Collect(maps.Keys(meant))); near {
		return "; did you mean \"" + meant[best] + "\"?"
	}
	names := slices.Collect(maps.Values(meant))
	slices.Sort(names)
	return configs.Suggest("", "", slices.Compact(names))
}

// validateWriting checks that synthesize is given problems of which it can write others. A generator's problems carry what their checkers need, which
// neither a model nor the domain chain can write.
func (p *Pipeline) validateWriting(st *Stage, earlier map[string]*Stage, report func(path, format string, args ...any)) {
	s, ok := st.Settings.(*Synthesize)
	if !ok {
		return
	}
	for i, name := range s.Tasks {
		set := name
		if e := earlier[name]; e != nil {
			if c, ok := e.Settings.(*Curate); ok {
				set = c.Tasks
			}
		}
		if source, ok := p.Tasks[set]; ok && source.Generated() {
			report(fmt.Sprintf("tasks[%d]", i), "%q is %s, of which no other problems can be written; give a set of chain or of a file", set, source)
		}
	}
}

// validateLog checks that a log which is read knows the problems it is read for.
func (p *Pipeline) validateLog(st *Stage, earlier map[string]*Stage, report func(path, format string, args ...any)) {
	var log string
	var names Names
	switch s := st.Settings.(type) {
	case *Curate:
		log, names = s.Log, Names{s.Tasks}
	case *Synthesize:
		log, names = s.Log, s.Tasks
	}
	if earlier[log] == nil {
		return
	}
	rl, ok := earlier[log].Settings.(*RL)
	for i, name := range names {
		if ok && !contains(rl.Tasks, name) {
			role := "tasks"
			if st.Kind != "curate" {
				role = fmt.Sprintf("tasks[%d]", i)
			}
			report(role, "stage %q did not train on %q, so its log says nothing about it; it trained on %s", log, name, strings.Join(rl.Tasks, ", "))
		}
	}
}

// settingPath is the full path of a setting as a person knows it: a recipe's settings stand under override when the stage
// overrides them, and otherwise under recipe.
func (p *Pipeline) settingPath(st *Stage, path string) string {
	full := "stages." + st.ID
	if path == "" {
		return full
	}
	rest, inRecipe := strings.CutPrefix(path, "recipe_settings.")
	if !inRecipe {
		return full + "." + path
	}
	override := full + ".override." + rest
	if p.src != nil {
		if _, ok := p.src.lines[override]; ok {
			return override
		}
	}
	return full + ".recipe." + rest
}

func article(noun string) string {
	if noun == ProblemsOutput {
		return noun
	}
	return "a " + noun
}

// checkReward reports a reward that does not hold together, part by part.
func checkReward(parts []reward.PartSpec, path string, report func(path, format string, args ...any)) {
	if len(parts) == 0 {
		report(path, "needs at least one part")
	}
	valid := len(parts) > 0
	for i, part := range parts {
		if err := part.Validate(); err != nil {
			report(fmt.Sprintf("%s[%d]", path, i), "%s", oneLine(err))
			valid = false
		}
	}
	if !valid {
		return
	}
	if _, err := reward.New(parts); err != nil {
		var of *reward.PartError
		if errors.As(err, &of) {
			path, err = fmt.Sprintf("%s[%d]", path, of.Index), of.Err
		}
		report(path, "%s", oneLine(err))
	}
}

func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimPrefix(err.Error(), "reward: "), "\n", "; ")
}

// judges says whether a part decides between right and wrong.
func judges(parts []reward.PartSpec) bool {
	return slices.ContainsFunc(parts, func(p reward.PartSpec) bool { return reward.Decides(p.Kind) })
}
