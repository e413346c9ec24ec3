#ifndef TEMPER_REGISTER_H
#define TEMPER_REGISTER_H
#include "ffi.h"

typedef struct {
  const char* name;
  ffi_handler* handler;
} temper_kernel;

// temper_register makes kernels known to the PJRT plugin at a path that is loaded already. It returns NULL, or what went wrong.
const char* temper_register(const char* plugin, const temper_kernel* kernels, int count);

// temper_kernels_register registers all of this package's kernels in the version for this processor, whose name it gives.
const char* temper_kernels_register(const char* plugin);
const char* temper_isa(void);

#endif
