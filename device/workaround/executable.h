// The two calls of PJRT's C API that go-xla has no Go function for. Each returns NULL, or an error message that the caller frees.

#include <stddef.h>

char* temper_serialize(void* api, void* executable, char** bytes, size_t* size);
char* temper_load(void* api, void* client, const char* bytes, size_t size, void** executable);
