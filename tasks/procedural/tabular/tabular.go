// Package tabular generates questions about tables.
package tabular

import "temper/tasks/procedural"

// All lists the domain's generators.
var All = []procedural.Generator{Aggregate, Groups, Join, Lookup, Select}

const domain = "tabular"
