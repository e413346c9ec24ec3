//go:build !linux

package main

import "errors"

// disk is known on Linux only.
func disk(string) (kind string, free int64, err error) { return "", 0, errors.ErrUnsupported }
