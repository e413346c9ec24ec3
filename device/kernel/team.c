#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { max_members = 64, spins = 20000 };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;  // one kernel at a time
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static int size = 1, started;

static void (*job)(void*, team_member);
static void* job_argument;
static atomic_uint generation;  // counts jobs
static atomic_int running;      // helpers still at work
static atomic_int arrived;
static atomic_uint phase;  // counts barriers
static atomic_llong ticket;

static struct {
  float* data;
  size_t floats;
} scratch[max_members][scratch_slots];

static inline void relax(int* turns) {
  if (++*turns < spins) {
    __builtin_ia32_pause();
  } else {
    sched_yield();
  }
}

static void* help(void* argument) {
  team_member me = {(int)(intptr_t)argument, size, (int)(intptr_t)argument};
  unsigned seen = 0;
  for (;;) {
    for (int turns = 0; atomic_load_explicit(&generation, memory_order_acquire) == seen && turns < spins; turns++) __builtin_ia32_pause();
    if (atomic_load_explicit(&generation, memory_order_acquire) == seen) {
      pthread_mutex_lock(&lock);
      while (atomic_load(&generation) == seen) pthread_cond_wait(&wake, &lock);
      pthread_mutex_unlock(&lock);
    }
    seen++;
    job(job_argument, me);
    atomic_fetch_sub_explicit(&running, 1, memory_order_release);
  }
  return NULL;
}

static void start(void) {
  started = 1;
  for (int i = 1; i < size; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, help, (void*)(intptr_t)i)) {
      perror("temper: start a kernel thread");
      abort();
    }
    pthread_detach(thread);
  }
}

void team_size(int threads) {
  if (!started) size = threads < 1 ? 1 : threads > max_members ? max_members : threads;
}

void team_run(void (*work)(void*, team_member), void* argument) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, start);
  pthread_mutex_lock(&turn);
  job = work;
  job_argument = argument;
  atomic_store(&ticket, 0);
  atomic_store(&running, size - 1);
  pthread_mutex_lock(&lock);
  atomic_fetch_add_explicit(&generation, 1, memory_order_release);
  pthread_cond_broadcast(&wake);
  pthread_mutex_unlock(&lock);
  work(argument, (team_member){0, size, 0});
  for (int turns = 0; atomic_load_explicit(&running, memory_order_acquire);) relax(&turns);
  pthread_mutex_unlock(&turn);
}

void team_barrier(team_member who) {
  if (who.size == 1) return;
  unsigned now = atomic_load_explicit(&phase, memory_order_acquire);
  if (atomic_fetch_add_explicit(&arrived, 1, memory_order_acq_rel) == size - 1) {
    atomic_store_explicit(&arrived, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&phase, 1, memory_order_release);
    return;
  }
  for (int turns = 0; atomic_load_explicit(&phase, memory_order_acquire) == now;) relax(&turns);
}

int64_t team_next(void) { return atomic_fetch_add_explicit(&ticket, 1, memory_order_relaxed); }

float* team_scratch(team_member who, int slot, size_t floats) {
  if (scratch[who.self][slot].floats < floats) {
    free(scratch[who.self][slot].data);
    scratch[who.self][slot].data = aligned_alloc(64, (floats * sizeof(float) + 63) / 64 * 64);
    scratch[who.self][slot].floats = floats;
    if (!scratch[who.self][slot].data) {
      fprintf(stderr, "temper: no memory for %zu floats of scratch\n", floats);
      abort();
    }
  }
  return scratch[who.self][slot].data;
}
