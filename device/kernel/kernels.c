// The list of kernels, and the choice of the version for this processor.
#include "register.h"

#define KERNELS(isa)                                                                                        \
  {"temper_attention_forward", attention_forward_##isa}, { "temper_attention_backward", attention_backward_##isa }

#define DECLARE(isa) ffi_handler attention_forward_##isa, attention_backward_##isa;
DECLARE(avx2)
DECLARE(avx512)

static const temper_kernel avx2[] = {KERNELS(avx2)};
static const temper_kernel avx512[] = {KERNELS(avx512)};

const char* temper_isa(void) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return "";
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
             ? "avx512"
             : "avx2";
}

const char* temper_kernels_register(const char* plugin) {
  int count = sizeof avx2 / sizeof avx2[0];
  return temper_register(plugin, temper_isa()[3] == '5' ? avx512 : avx2, count);
}
