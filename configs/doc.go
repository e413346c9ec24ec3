// Package configs says what a person may set and reads it: the program's own settings (Settings, Load), strict decoding of YAML
// (ParseYAML, Strict) with errors that name file, line, path and the nearest known key, and the built-in recipes and pipelines
// as embedded files. What a pipeline means is the business of package pipelines.
//
// It may import the standard library, viper, validator and go.yaml.in/yaml/v3; nothing of this module.
package configs

import "embed"

// Recipes holds the built-in recipes as recipes/NAME.yaml.
//
//go:embed recipes/*.yaml
var Recipes embed.FS

// Pipelines holds the built-in pipelines as pipelines/NAME.yaml.
//
//go:embed pipelines/*.yaml
var Pipelines embed.FS

// Suites holds the built-in suites of evaluations.
//
//go:embed suites/*.yaml
var Suites embed.FS
