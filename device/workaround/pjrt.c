#include "pjrt.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The start of PJRT_Api: the API only ever grows at its end.
typedef struct {
  size_t size;
  void* extensions;
  struct {
    size_t size;
    void* extensions;
    int major, minor;
  } version;
  void* (*call[97])(void* arguments);
} pjrt_api;

enum {
  error_destroy = 0,
  error_message = 1,
  device_description_kind = 26,
  executable_destroy = 40,
  executable_serialize = 49,
  executable_deserialize_and_load = 56,
  topology_create = 82,
  topology_destroy = 83,
  topology_device_descriptions = 86,
  compile = 89,
  executable_memory_stats = 96
};

static char* copy(const char* text, size_t size) {
  char* c = malloc(size + 1);
  if (!c) abort();
  memcpy(c, text, size);
  c[size] = 0;
  return c;
}

static char* call(pjrt_api* api, int function, void* arguments) {
  if (api->size < (size_t)((char*)&api->call[function + 1] - (char*)api) || !api->call[function]) {
    const char lacks[] = "the plugin lacks this function";
    return copy(lacks, sizeof lacks - 1);
  }
  void* error = api->call[function](arguments);
  if (!error) return NULL;
  struct {
    size_t size;
    void* extensions;
    void* error;
    const char* message;
    size_t message_size;
  } m = {.size = sizeof m, .error = error};
  api->call[error_message](&m);
  char* text = copy(m.message, m.message_size);
  struct {
    size_t size;
    void* extensions;
    void* error;
  } d = {.size = sizeof d, .error = error};
  api->call[error_destroy](&d);
  return text;
}

static char* destroy(pjrt_api* api, int function, void* object) {
  struct {
    size_t size;
    void* extensions;
    void* object;
  } a = {.size = sizeof a, .object = object};
  return call(api, function, &a);
}

char* temper_serialize(void* api, void* executable, char** bytes, size_t* size) {
  struct {
    size_t size;
    void* extensions;
    void* executable;
    const char* bytes;
    size_t bytes_size;
    void* owner;
    void (*free_owner)(void* owner);
  } a = {.size = sizeof a, .executable = executable};
  char* error = call(api, executable_serialize, &a);
  if (error) return error;
  *bytes = copy(a.bytes, a.bytes_size);
  *size = a.bytes_size;
  a.free_owner(a.owner);
  return NULL;
}

char* temper_load(void* api, void* client, const char* bytes, size_t size, void** executable) {
  struct {
    size_t size;
    void* extensions;
    void* client;
    const char* bytes;
    size_t bytes_size;
    void* executable;
    const char* options;
    size_t options_size;
  } a = {.size = sizeof a, .client = client, .bytes = bytes, .bytes_size = size};
  char* error = call(api, executable_deserialize_and_load, &a);
  if (!error) *executable = a.executable;
  return error;
}

char* temper_kind(void* api, void* device_description, char** kind, size_t* size) {
  struct {
    size_t size;
    void* extensions;
    void* device_description;
    const char* kind;
    size_t kind_size;
  } a = {.size = sizeof a, .device_description = device_description};
  char* error = call(api, device_description_kind, &a);
  if (error) return error;
  *kind = copy(a.kind, a.kind_size);
  *size = a.kind_size;
  return NULL;
}

char* temper_topology(void* api, const char* target, size_t target_size, void** topology, void** first_device) {
  typedef struct {
    size_t size;
    void* extensions;
    const char* name;
    size_t name_size;
    int type;  // 0: text
    const char* value;
    size_t value_size;
  } option;
  option options[] = {
      {sizeof(option), NULL, "target_config", 13, 0, target, target_size},
      {sizeof(option), NULL, "topology", 8, 0, "1x1x1", 5},
  };
  struct {
    size_t size;
    void* extensions;
    const char* name;
    size_t name_size;
    option* options;
    size_t options_size;
    void* topology;
  } a = {.size = sizeof a, .name = "", .options = options, .options_size = 2};
  char* error = call(api, topology_create, &a);
  if (error) return error;
  struct {
    size_t size;
    void* extensions;
    void* topology;
    void** descriptions;
    size_t descriptions_size;
  } d = {.size = sizeof d, .topology = a.topology};
  error = call(api, topology_device_descriptions, &d);
  if (error) {
    free(destroy(api, topology_destroy, a.topology));
    return error;
  }
  *topology = a.topology;
  *first_device = d.descriptions_size > 0 ? d.descriptions[0] : NULL;
  return NULL;
}

char* temper_topology_free(void* api, void* topology) { return destroy(api, topology_destroy, topology); }

char* temper_compile(void* api, void* topology, const char* source, size_t source_size, temper_memory* memory) {
  struct {
    size_t size;
    void* extensions;
    const char* code;
    size_t code_size;
    const char* format;
    size_t format_size;
  } program = {sizeof program, NULL, source, source_size, "mlir", 4};
  // CompileOptionsProto: executable_build_options (3) with num_replicas (4) and num_partitions (5) of one.
  const char options[] = {3 << 3 | 2, 4, 4 << 3, 1, 5 << 3, 1};
  struct {
    size_t size;
    void* extensions;
    void* topology;
    void* program;
    const char* options;
    size_t options_size;
    void* client;
    void* executable;
  } a = {.size = sizeof a, .topology = topology, .program = &program, .options = options, .options_size = sizeof options};
  char* error = call(api, compile, &a);
  if (error) return error;
  struct {
    size_t size;
    void* extensions;
    void* executable;
    int64_t code, arguments, outputs, aliased, temporary;
    int64_t others[10];
  } m = {.size = sizeof m, .executable = a.executable};
  error = call(api, executable_memory_stats, &m);
  *memory = (temper_memory){m.arguments, m.outputs, m.aliased, m.temporary};
  char* second = destroy(api, executable_destroy, a.executable);
  if (!error) return second;
  free(second);
  return error;
}
