// A team of threads that work on one kernel at a time.
#ifndef TEMPER_TEAM_H
#define TEMPER_TEAM_H
#include <stddef.h>
#include <stdint.h>

typedef struct {
  int index, size;  // this thread, of how many that share the work
  int self;         // its place in the team
} team_member;

// team_size sets how many there are; it counts before the first team_run.
void team_size(int threads);

// team_run calls work on every thread of the team and returns when all have. Callers take turns.
void team_run(void (*work)(void* argument, team_member who), void* argument);

// team_alone is the same thread with work that it does not share.
static inline team_member team_alone(team_member who) { return (team_member){0, 1, who.self}; }

// team_barrier waits inside team_run until every member has come here; one that works alone does not wait.
void team_barrier(team_member who);

// team_next hands out 0, 1, … to the members of the running team, each number once.
int64_t team_next(void);

// team_scratch is memory of this thread that lives until it asks for more under the same slot; 64-byte aligned.
enum { scratch_slots = 8 };
float* team_scratch(team_member who, int slot, size_t floats);

#endif
