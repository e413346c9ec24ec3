// Package workaround holds every work-around for a fault of GoMLX v0.28.8 or go-xla v0.4.5, and nothing else. Each has a test that
// fails once upstream mends the fault, which is the signal to delete it here. It may import gomlx, compute and go-xla only.
package workaround

import (
	"reflect"
	"unsafe"
)

// field returns an addressable, settable view of an unexported field of the struct that ptr points to.
func field(ptr any, name string) reflect.Value {
	f := reflect.ValueOf(ptr).Elem().FieldByName(name)
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

// set gives an unexported field a value.
func set(ptr any, name string, value any) { field(ptr, name).Set(reflect.ValueOf(value)) }
