// Package simulation generates problems about what a system does over time.
package simulation

import "temper/tasks/procedural"

// All lists the domain's generators.
var All = []procedural.Generator{Automaton, Maze, Queue, Robot}

const domain = "simulation"
