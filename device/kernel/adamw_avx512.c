#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
#define LANES 16
#define NAME(x) x##_avx512
#include "adamw.h"
