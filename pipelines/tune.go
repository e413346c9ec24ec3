package pipelines

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"temper/configs"
)

// Tuning is what a person has changed of a running stage's settings, by the names that Tunable lists. Equal tunings have equal JSON.
type Tuning map[string]float64

// String lists the values in the order of their names.
func (t Tuning) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		parts = append(parts, fmt.Sprintf("%s %g", name, t[name]))
	}
	return strings.Join(parts, ", ")
}

// WithTemperatureOf is t with the temperature that the samples were drawn at, which may have been before t came into force.
func (t Tuning) WithTemperatureOf(samples Tuning) Tuning {
	const name = "temperature"
	drawn, had := samples[name]
	if now, has := t[name]; had == has && drawn == now {
		return t
	}
	out := maps.Clone(t)
	if out == nil {
		out = Tuning{}
	}
	if out[name] = drawn; !had {
		delete(out, name)
	}
	return out
}

// dial is one setting that can be changed while a stage runs.
type dial struct {
	name string                  // as people call it
	path string                  // below the stage's settings, as checks report it
	at   func(Settings) *float64 // where it is
}

var dials = map[string][]dial{
	"pretrain": {{"lr", "lr", func(s Settings) *float64 { return &s.(*Pretrain).LR }}},
	"sft":      {{"lr", "lr", func(s Settings) *float64 { return &s.(*SFT).LR }}},
	"rl": {
		{"lr", "lr", func(s Settings) *float64 { return &s.(*RL).LR }},
		{"kl_coef", "recipe_settings.loss.kl.coef", func(s Settings) *float64 { return &s.(*RL).RecipeSettings.Loss.KL.Coef }},
		{"entropy_coef", "recipe_settings.loss.entropy", func(s Settings) *float64 { return &s.(*RL).RecipeSettings.Loss.Entropy }},
		{"temperature", "recipe_settings.sampling.temperature", func(s Settings) *float64 { return &s.(*RL).RecipeSettings.Sampling.Temperature }},
	},
	"distill": {
		{"lr", "lr", func(s Settings) *float64 { return &s.(*Distill).LR }},
		{"on_policy_lr", "on_policy.lr", func(s Settings) *float64 { return &s.(*Distill).OnPolicy.LR }},
	},
}

// Tunable lists what of a kind of stage can be changed while it runs.
func Tunable(kind string) []string {
	var names []string
	for _, d := range dials[kind] {
		names = append(names, d.name)
	}
	return names
}

// Tuned is the stage with the values of t in its settings; the stage itself stays as it is. Errors name the value that is wrong.
func (st Stage) Tuned(t Tuning) (Stage, error) {
	if len(t) == 0 {
		return st, nil
	}
	out := st
	out.Settings = copied(st.Settings)
	names := map[string]string{} // path -> name
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(t)) {
		i := slices.IndexFunc(dials[st.Kind], func(d dial) bool { return d.name == name })
		switch v := t[name]; {
		case len(dials[st.Kind]) == 0:
			return st, fmt.Errorf("%s: stage %s is of kind %s, of which nothing can be changed while it runs", name, st.ID, st.Kind)
		case i < 0:
			errs = append(errs, fmt.Errorf("%s: is nothing that can be changed while a stage of kind %s runs%s", name, st.Kind, configs.Suggest(name, "", Tunable(st.Kind))))
		case math.IsNaN(v) || math.IsInf(v, 0):
			errs = append(errs, fmt.Errorf("%s: must be a finite number", name))
		default:
			*dials[st.Kind][i].at(out.Settings) = v
			names[dials[st.Kind][i].path] = name
		}
	}
	if err := errors.Join(errs...); err != nil {
		return st, err
	}
	report := func(path, format string, args ...any) {
		name, ok := names[path]
		if !ok {
			name = strings.Replace(path, "recipe_settings.", "recipe.", 1)
		}
		errs = append(errs, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
	}
	findings, err := configs.Check(out.Settings)
	if err != nil {
		return st, err
	}
	for _, f := range findings {
		report(f.Path, "%s", f.Msg)
	}
	if len(findings) == 0 {
		out.Settings.check(report)
	}
	if err := errors.Join(errs...); err != nil {
		return st, err
	}
	return out, nil
}

// copied is a copy of settings whose dials are their own.
func copied(s Settings) Settings {
	switch s := s.(type) {
	case *Pretrain:
		c := *s
		return &c
	case *SFT:
		c := *s
		return &c
	case *RL:
		c := *s
		return &c
	case *Distill:
		c := *s
		return &c
	}
	return s
}
