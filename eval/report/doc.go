// Package report writes the report of a run: the main table, what each paper's method was worth in it, samples and stages, as JSON,
// Markdown, plain text and a self-contained HTML page. Its one responsibility is to turn measurements into documents; it is pure:
// inputs in, documents out, the same bytes for the same inputs.
//
// It may import artifact (Ref), eval, pipelines, tasks and the standard library; never Temporal, lm or a store.
package report
