package lm

import (
	"fmt"
	"slices"
	"strings"

	"temper/lm/hf"
)

// CopyLayers starts a student from a teacher: every tensor whose name and shape agree is copied, and the student's layers are taken from the
// teacher's at equal distances, first and last included (as DistilBERT starts, Sanh et al. 2019, arXiv 1910.01108). Tensors of another shape
// keep their values.
func CopyLayers(student, teacher *hf.Model) {
	for _, spec := range student.Config.Tensors() {
		source := spec.Name
		var layer int
		if rest, ok := strings.CutPrefix(spec.Name, "model.layers."); ok {
			if _, err := fmt.Sscanf(rest, "%d.", &layer); err != nil {
				continue
			}
			_, short, _ := strings.Cut(rest, ".")
			from := 0
			if student.Config.Layers > 1 {
				from = layer * (teacher.Config.Layers - 1) / (student.Config.Layers - 1)
			}
			source = fmt.Sprintf("model.layers.%d.%s", from, short)
		}
		t, ok := teacher.Tensors[source]
		if ok && slices.Equal(t.Dims, spec.Dims) {
			student.Tensors[spec.Name] = hf.Tensor{Name: spec.Name, Dims: spec.Dims, Data: slices.Clone(t.Data)}
		}
	}
}
