#include "ffi.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "register.h"

enum { extension_metadata = 1, stage_execute = 3, attribute_scalar = 3 };

typedef struct {
  size_t size;
  ffi_extension* extensions;
  int major, minor;
} ffi_version;

typedef struct {
  size_t size;
  ffi_version version;
  uint32_t traits;
} ffi_metadata;

typedef struct {
  ffi_extension base;
  ffi_metadata* metadata;
} ffi_metadata_extension;

int ffi_answered(ffi_frame* frame) {
  for (ffi_extension* e = frame->extensions; e; e = e->next) {
    if (e->type != extension_metadata) continue;
    ffi_metadata* m = ((ffi_metadata_extension*)e)->metadata;
    m->version.major = 0;
    m->version.minor = 1;
    m->traits = 0;
    return 1;
  }
  return frame->stage != stage_execute;
}

static ffi_scalar* scalar(const ffi_frame* frame, const char* name) {
  for (int64_t i = 0; i < frame->attrs.count; i++) {
    ffi_span* s = frame->attrs.names[i];
    if (s->length == strlen(name) && !memcmp(s->text, name, s->length) && frame->attrs.types[i] == attribute_scalar)
      return (ffi_scalar*)frame->attrs.items[i];
  }
  fprintf(stderr, "temper: a kernel was called without its attribute %s\n", name);
  abort();
}

int64_t ffi_int64(const ffi_frame* frame, const char* name) { return *(int64_t*)scalar(frame, name)->value; }

// The part of PJRT's C API that registers handlers.

typedef struct pjrt_extension {
  size_t size;
  int type;
  struct pjrt_extension* next;
} pjrt_extension;

typedef struct {
  size_t size;
  pjrt_extension* extensions;
} pjrt_api;

enum { pjrt_extension_ffi = 5 };

typedef struct {
  size_t size;
  const char* name;
  size_t name_length;
  void* handler;
  const char* platform;
  size_t platform_length;
  int traits;
} register_args;

typedef struct {
  pjrt_extension base;
  void* type_id_register;
  void* user_data_add;
  void* (*register_handler)(register_args*);
} pjrt_ffi;

const char* temper_register(const char* plugin, const temper_kernel* kernels, int count) {
  void* library = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
  const pjrt_api* (*get)(void) = (const pjrt_api* (*)(void))dlsym(library, "GetPjrtApi");
  if (!get) return "the library has no GetPjrtApi";
  for (pjrt_extension* e = get()->extensions; e; e = e->next) {
    if (e->type != pjrt_extension_ffi) continue;
    for (int i = 0; i < count; i++) {
      register_args a = {.size = sizeof a, .name = kernels[i].name, .name_length = strlen(kernels[i].name),
                         .handler = (void*)kernels[i].handler, .platform = "HOST", .platform_length = 4};
      if (((pjrt_ffi*)e)->register_handler(&a)) return "the plugin refused a handler";
    }
    return NULL;
  }
  return "the plugin has no foreign-function interface";
}
