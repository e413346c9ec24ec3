// Package workers runs the worker side of a process: which task queues it serves, how many activities of each at once, which device
// it opens, a health page, and an orderly end in which running activities get time to finish.
//
// It may import activities, workflows, activities/contract, the adapters they need (artifact, device), configs and Temporal's SDK;
// never the embedded servers.
package workers
