// Package clean finds texts that should not be trained on: those that were there before, exactly or nearly, and those that an evaluation has. Its one
// responsibility is to say which and why; what is done about it is the caller's matter.
//
// It may import the standard library.
package clean
