#include "executable.h"

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
  void* (*call[57])(void* arguments);
} pjrt_api;

enum { error_destroy = 0, error_message = 1, executable_serialize = 49, executable_deserialize_and_load = 56 };

static char* copy(const char* text, size_t size) {
  char* c = malloc(size + 1);
  if (!c) abort();
  memcpy(c, text, size);
  c[size] = 0;
  return c;
}

static char* call(pjrt_api* api, int function, void* arguments) {
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
