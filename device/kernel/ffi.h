// The part of XLA's foreign-function interface (version 0.x, C ABI) that the kernels use: how a program hands its arrays to a handler.
#ifndef TEMPER_FFI_H
#define TEMPER_FFI_H
#include <stddef.h>
#include <stdint.h>

typedef struct ffi_extension {
  size_t size;
  int type;
  struct ffi_extension* next;
} ffi_extension;

typedef struct {
  size_t size;
  ffi_extension* extensions;
  int dtype;
  void* data;
  int64_t rank;
  int64_t* dims;
} ffi_buffer;

// ffi_list is the layout shared by arguments and results.
typedef struct {
  size_t size;
  ffi_extension* extensions;
  int64_t count;
  int* types;
  ffi_buffer** items;
} ffi_list;

typedef struct {
  const char* text;
  size_t length;
} ffi_span;

typedef struct {
  int dtype;
  void* value;
} ffi_scalar;

typedef struct {
  size_t size;
  ffi_extension* extensions;
  int64_t count;
  int* types;
  ffi_span** names;
  void** items;
} ffi_attributes;

typedef struct {
  size_t size;
  ffi_extension* extensions;
  const void* api;
  void* context;
  int stage;
  ffi_list args;
  ffi_list rets;
  ffi_attributes attrs;
} ffi_frame;

// A handler returns NULL for success.
typedef void* ffi_handler(ffi_frame* frame);

// ffi_answered answers the call by which XLA asks a handler for its version, and the stages other than execution. It returns 0 when there is
// work to do.
int ffi_answered(ffi_frame* frame);

// ffi_int64 gives an attribute by name; XLA has checked none of them, so a missing one ends the process with a message.
int64_t ffi_int64(const ffi_frame* frame, const char* name);

static inline float* ffi_arg(const ffi_frame* f, int i) { return (float*)f->args.items[i]->data; }
static inline float* ffi_ret(const ffi_frame* f, int i) { return (float*)f->rets.items[i]->data; }
static inline int64_t ffi_dim(const ffi_frame* f, int arg, int axis) { return f->args.items[arg]->dims[axis]; }

#endif
