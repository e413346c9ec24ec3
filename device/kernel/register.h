#ifndef TEMPER_REGISTER_H
#define TEMPER_REGISTER_H
#include "ffi.h"

typedef struct {
  const char* name;
  ffi_handler* handler;
} temper_kernel;

// temper_register makes kernels known to the PJRT plugin at a path that is loaded already. It returns NULL, or what went wrong.
const char* temper_register(const char* plugin, const temper_kernel* kernels, int count);

// temper_kernels_register registers all of this package's kernels in the version for this processor, to work on
// this many threads with a last cache of so many bytes (0: unknown). temper_isa names the instruction set, or is empty where there is none for the kernels.
const char* temper_kernels_register(const char* plugin, int threads, int64_t cache);
const char* temper_isa(void);

// temper_cache is the size of the last cache in bytes, or 0.
int64_t temper_cache(void);

// temper_lanes is the width in floats of the vectors that serve heads of a width.
int temper_lanes(int64_t head);

#endif
