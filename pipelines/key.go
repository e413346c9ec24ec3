package pipelines

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// AlgorithmVersion counts, for each kind of stage, the changes of code that change results. Raising one makes the stages of that kind
// run again although their inputs are the same.
var AlgorithmVersion = map[string]int{
	"import": 1, "pretrain": 1, "sft": 1, "rl": 1, "curate": 1, "synthesize": 1, "distill": 1, "evaluate": 1,
	"alias": 1, "promote": 1,
}

// operational settings change how a stage is run, not what it gives: they are no part of its key, and neither is the name of a
// recipe, for the recipe's values are.
var operational = map[string]bool{"chunk_steps": true, "save_every": true, "save_seconds": true, "recipe": true}

// Key names what the stage will give, in sha256 hex: equal keys promise equal results. It covers the kind and its AlgorithmVersion,
// the settings without the id, the digests of what each input holds (by Input.Role; for an import the caller may add the digest
// of the folder), the digests of the task sets (by name) and the seed. A setting that is zero is left out, so that a new setting
// whose default is zero leaves old keys as they are.
func (st *Stage) Key(inputContents map[string]string, taskDigests map[string]string, seed uint64) string {
	sum := sha256.New()
	for _, part := range []any{"temper stage key 1", st.Kind, AlgorithmVersion[st.Kind], canonical(reflect.ValueOf(st.Settings), true),
		filled(inputContents), filled(taskDigests), seed} {
		line, err := json.Marshal(part) // maps come out sorted by key
		if err != nil {                 // a number that is not finite, which Validate refuses: still a key of its own
			line = []byte(fmt.Sprintf("%+v", part))
		}
		sum.Write(append(line, '\n'))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// canonical turns settings into maps by JSON name without the zero values of this package's structs. Values of other types are
// taken as their JSON has them.
func canonical(v reflect.Value, top bool) any {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if st, ok := v.Interface().(Stage); ok {
		return map[string]any{"kind": st.Kind, "settings": canonical(reflect.ValueOf(st.Settings), true)}
	}
	if v.Kind() != reflect.Struct || v.Type().PkgPath() != reflect.TypeFor[Stage]().PkgPath() {
		return v.Interface()
	}
	out := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			for k, inner := range canonical(v.Field(i), false).(map[string]any) { // embedded settings are structs of this package
				out[k] = inner
			}
		case isBlank(v.Field(i)) || top && operational[name]:
		default:
			out[name] = canonical(v.Field(i), false)
		}
	}
	return out
}

// isBlank counts an empty list as no list.
func isBlank(v reflect.Value) bool {
	return v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
}

// filled counts a nil map as an empty one.
func filled(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
