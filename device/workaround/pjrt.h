// The calls of PJRT's C API that go-xla has no Go function for. Each returns NULL, or an error message that the caller frees.

#include <stddef.h>
#include <stdint.h>

char* temper_serialize(void* api, void* executable, char** bytes, size_t* size);
char* temper_load(void* api, void* client, const char* bytes, size_t size, void** executable);

// The name of a device's model.
char* temper_kind(void* api, void* device_description, char** kind, size_t* size);

// A device that need not be there, from its description in XLA's text form (GpuTargetConfigProto), to compile for.
char* temper_topology(void* api, const char* target, size_t target_size, void** topology, void** first_device);
char* temper_topology_free(void* api, void* topology);

typedef struct {
  int64_t arguments, outputs, aliased, temporary;
} temper_memory;

// Compiles StableHLO for it, and says how many bytes of the device's memory a run would take.
char* temper_compile(void* api, void* topology, const char* source, size_t source_size, temper_memory* memory);
