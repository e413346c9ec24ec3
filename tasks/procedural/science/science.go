// Package science generates problems in physics, chemistry and biology.
package science

import "temper/tasks/procedural"

// All lists the domain's generators.
var All = []procedural.Generator{Balance, Circuits, Genetics, Stoichiometry, Units}

const domain = "science"
