package tasks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// LoadSet loads one of several named task sets, its Exclude obeyed: no prompt of an excluded set is in it. A procedural source still
// has Count problems; a file has fewer.
func LoadSet(ctx context.Context, sets map[string]Source, name string) ([]Problem, error) {
	l := loader{sets: sets, done: map[string][]Problem{}, cleaned: map[string]*Cleaned{}}
	return l.load(ctx, name, nil)
}

// LoadSets loads all named task sets, each Exclude and Clean obeyed. cleaned has a report for each set that says what to leave out.
func LoadSets(ctx context.Context, sets map[string]Source) (problems map[string][]Problem, cleaned map[string]*Cleaned, err error) {
	l := loader{sets: sets, done: map[string][]Problem{}, cleaned: map[string]*Cleaned{}}
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		if _, err := l.load(ctx, name, nil); err != nil {
			return nil, nil, err
		}
	}
	return l.done, l.cleaned, nil
}

// CheckSets validates every source and that Exclude names other sets without a circle; it reads no file.
func CheckSets(sets map[string]Source) error {
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		if err := sets[name].Validate(); err != nil {
			return fmt.Errorf("tasks.%s: %w", name, err)
		}
		if err := walk(sets, name, nil); err != nil {
			return err
		}
	}
	return nil
}

func walk(sets map[string]Source, name string, path []string) error {
	path, err := enter(sets, name, path)
	if err != nil {
		return err
	}
	for _, other := range sets[name].others() {
		if err := walk(sets, other, path); err != nil {
			return err
		}
	}
	return nil
}

// enter adds name to the path of exclusions that led to it.
func enter(sets map[string]Source, name string, path []string) ([]string, error) {
	if _, ok := sets[name]; !ok {
		known := strings.Join(slices.Sorted(maps.Keys(sets)), ", ")
		if len(path) == 0 {
			return nil, fmt.Errorf("tasks: no task set named %q; known: %s", name, known)
		}
		return nil, fmt.Errorf("tasks.%s: exclude, clean.against: no task set named %q; known: %s", path[len(path)-1], name, known)
	}
	if slices.Contains(path, name) {
		return nil, fmt.Errorf("tasks.%s: exclude, clean.against: goes in a circle: %s", path[0], strings.Join(append(path, name), " -> "))
	}
	return append(slices.Clone(path), name), nil
}

// others are the sets that a source is held against.
func (s Source) others() []string { return append(slices.Clone(s.Exclude), s.Clean.Against...) }

type loader struct {
	sets    map[string]Source
	done    map[string][]Problem
	cleaned map[string]*Cleaned
}

func (l *loader) load(ctx context.Context, name string, path []string) ([]Problem, error) {
	path, err := enter(l.sets, name, path)
	if err != nil {
		return nil, err
	}
	if ps, ok := l.done[name]; ok {
		return ps, nil
	}
	source := l.sets[name]
	var others [][]Problem
	for _, other := range source.Exclude {
		ps, err := l.load(ctx, other, path)
		if err != nil {
			return nil, err
		}
		others = append(others, ps)
	}
	against := map[string][]Problem{}
	for _, other := range source.Clean.Against {
		if against[other], err = l.load(ctx, other, path); err != nil {
			return nil, err
		}
	}
	c := source.cleaner(against)
	ps, err := source.load(ctx, prompts(others...), c)
	if err != nil {
		return nil, fmt.Errorf("tasks.%s: %w", name, err)
	}
	if c != nil {
		l.cleaned[name] = &c.report
	}
	l.done[name] = ps
	return ps, nil
}
