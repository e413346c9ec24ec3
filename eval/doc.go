// Package eval measures models from judged samples: pass@k, majority votes, mean reward, intervals, paired comparisons and tables. It judges
// nothing itself and calls no model: it gets, for each problem, which of its samples were correct and what they answered.
//
// It may import the standard library and tasks; never lm, train or Temporal.
//
// # Intervals
//
// The samples of one problem are correlated: a problem is easy or hard for all of them. So an interval for pass@k that counted
// problems*samples independent trials would be far too narrow, pass@1 included. Intervals of Summarise therefore resample
// problems (percentile bootstrap, 2,000 resamples, seeded). Wilson is for the one case where trials are independent: a
// single (greedy) sample for each problem.
package eval
