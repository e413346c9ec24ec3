package device

/*
#include <malloc.h>

// The C allocator keeps what a program frees. XLA's CPU client allocates a program's temporaries anew at every run; by default glibc hands blocks of
// that size back to the kernel, which clears each page again: a quarter of a training step. The process keeps its peak of memory instead.
// This has to come before the first thread, for each takes an allocator of its own with the settings of that moment.
__attribute__((constructor)) static void keep_memory(void) {
#ifdef __GLIBC__
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, -1);
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TOP_PAD, 64 << 20);
#endif
}
*/
import "C"
