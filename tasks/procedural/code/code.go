// Package code generates problems about programs: what a program does, and programs to write.
package code

import "temper/tasks/procedural"

// All lists the domain's generators.
var All = []procedural.Generator{Lists, Stack, Trace, WriteGo, WritePython}

const domain = "code"
