// Package math generates problems in arithmetic and algebra.
package math

import "temper/tasks/procedural"

// All lists the domain's generators.
var All = []procedural.Generator{Arithmetic, Bezout, Countdown, Equations, Modular}

const domain = "math"
