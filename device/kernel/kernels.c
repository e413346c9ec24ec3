// The list of kernels, and the choice of the version for this processor and these shapes.
#include "register.h"

#include <stddef.h>

#include "team.h"

// wide says whether vectors of 16 floats serve heads of this width: they are faster unless a head leaves half of one empty.
static int wide(int64_t dim) { return temper_isa()[3] == '5' && dim % 16 == 0; }

#define KERNEL(name, head)                                       \
  ffi_handler name##_avx2, name##_avx512;                        \
  static void* name(ffi_frame* f) {                              \
    if (ffi_answered(f)) return NULL;                            \
    return wide(head) ? name##_avx512(f) : name##_avx2(f);       \
  }

KERNEL(attention_forward, ffi_dim(f, 0, 3))
KERNEL(attention_backward, ffi_dim(f, 0, 3))
KERNEL(decode, ffi_dim(f, 29, 3))  // the first layer's keys
KERNEL(extend, ffi_dim(f, 29, 3))
KERNEL(pack, ffi_int64(f, "head"))
KERNEL(adamw, 16)

static const temper_kernel kernels[] = {{"temper_attention_forward", attention_forward},
                                        {"temper_attention_backward", attention_backward},
                                        {"temper_decode", decode},
                                        {"temper_extend", extend},
                                        {"temper_pack", pack},
                                        {"temper_adamw", adamw}};

int temper_lanes(int64_t head) { return wide(head) ? 16 : 8; }

const char* temper_isa(void) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return "";
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
             ? "avx512"
             : "avx2";
}

static int64_t last_cache;

int64_t temper_cache(void) { return last_cache; }

const char* temper_kernels_register(const char* plugin, int threads, int64_t cache) {
  last_cache = cache;
  team_size(threads);
  return temper_register(plugin, kernels, sizeof kernels / sizeof kernels[0]);
}
