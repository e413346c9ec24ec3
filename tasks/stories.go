package tasks

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// storyWords is the largest number of required words of a story.
const storyWords = 4

var storyNames = []struct{ name, he, his string }{
	{"Tim", "He", "his"}, {"Lily", "She", "her"}, {"Ben", "He", "his"}, {"Mia", "She", "her"}, {"Sam", "He", "his"}, {"Sue", "She", "her"},
}

// storyThings are what can be seen, the concept, the words that may be required, and a sentence that has each word.
// {he} and {his} stand for the hero's pronouns.
var storyThings = []struct {
	seen, concept string
	words         [storyWords]string
	sentences     [storyWords]string
}{
	{"a ball", "ball", [storyWords]string{"play", "kick", "roll", "happy"}, [storyWords]string{
		"{he} wanted to play with it.", "{he} gave it a big kick.", "The ball began to roll down the hill.", "It made {name} very happy."}},
	{"a cat", "cat", [storyWords]string{"soft", "milk", "sleep", "friend"}, [storyWords]string{
		"The cat was soft and small.", "{name} gave the cat some milk.", "Then the cat went to sleep.", "The cat was {his} new friend."}},
	{"a big box", "box", [storyWords]string{"open", "inside", "toy", "surprise"}, [storyWords]string{
		"{he} wanted to open the box.", "{name} looked inside.", "There was a toy for {name}.", "It was a nice surprise."}},
	{"the park", "park", [storyWords]string{"run", "swing", "tree", "fun"}, [storyWords]string{
		"{he} liked to run on the grass.", "There was a red swing.", "{name} sat under a big tree.", "They all had fun there."}},
	{"a red car", "car", [storyWords]string{"fast", "drive", "loud", "road"}, [storyWords]string{
		"The car was very fast.", "{he} wanted to drive it.", "The car made a loud sound.", "It went down the road."}},
	{"a bird", "bird", [storyWords]string{"fly", "sing", "sky", "nest"}, [storyWords]string{
		"The bird could fly very high.", "It began to sing a song.", "It went up into the blue sky.", "The bird had a nest in a tree."}},
}

var (
	storyStarts = []string{"{he} was so glad.", "{he} smiled and ran to {his} mom.", "{name} said, \"Look, mom!\"", "{he} had never seen one so close."}
	storyEnds   = []string{"At the end of the day, {name} went home.", "{name} told {his} dad all about it.", "Mom gave {name} a big hug.", "It was a good day."}
)

func storyConcepts() []string {
	var out []string
	for _, t := range storyThings {
		out = append(out, t.concept)
	}
	slices.Sort(out)
	return out
}

// storyAt draws story i: hero, thing, how many words are required, and the demonstration.
func (s Source) storyAt(i int) (Problem, error) {
	lo, hi := 1, 2
	if len(s.Difficulty) == 2 {
		lo, hi = s.Difficulty[0], s.Difficulty[1]
	}
	if lo < 0 || hi < lo || hi > storyWords {
		return Problem{}, fmt.Errorf("tasks: %s: difficulty: must be [lo, hi] within [0, %d], is %v", s, storyWords, s.Difficulty)
	}
	var things []int
	for k, t := range storyThings {
		if len(s.Concepts) == 0 || slices.Contains(s.Concepts, t.concept) {
			things = append(things, k)
		}
	}
	if len(things) == 0 {
		return Problem{}, fmt.Errorf("tasks: %s: concepts: none of %v is known", s, s.Concepts)
	}
	rng := counterRNG(s.Seed, i)
	who, thing := storyNames[rng.IntN(len(storyNames))], storyThings[things[rng.IntN(len(things))]]
	required := lo + rng.IntN(hi-lo+1)
	p := Problem{
		ID: fmt.Sprintf("stories:%d:%d", s.Seed, i), Prompt: fmt.Sprintf("One day, %s saw %s.", who.name, thing.seen),
		Concepts: []string{thing.concept}, Difficulty: required, Source: "stories",
	}
	if required > 0 {
		p.Meta = map[string]string{"words": strings.Join(thing.words[:required], ",")}
	}
	fill := strings.NewReplacer("{name}", who.name, "{he}", who.he, "{his}", who.his)
	p.Solution = " " + fill.Replace(strings.Join(storySentences(thing.sentences, required, rng), " "))
	return p, nil
}

// storySentences are a start, at least two of the thing's sentences (all that hold a required word, in order) and an end.
func storySentences(of [storyWords]string, required int, rng *rand.Rand) []string {
	out := []string{storyStarts[rng.IntN(len(storyStarts))]}
	out = append(out, of[:max(required, 2)]...)
	if extra := max(required, 2); extra < storyWords && rng.IntN(2) == 0 {
		out = append(out, of[extra+rng.IntN(storyWords-extra)])
	}
	return append(out, storyEnds[rng.IntN(len(storyEnds))])
}
