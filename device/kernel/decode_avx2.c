#pragma GCC target("avx2,fma")
#define LANES 8
#define NAME(x) x##_avx2
#include "decode.h"
