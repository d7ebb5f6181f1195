#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

/* A bump allocator that frees everything at once.
 *
 * One message is decoded (or encoded) with one arena: begin, use, end, all on one thread and
 * without a suspension in between. The first 4 KiB come from a buffer that the thread keeps, so
 * that small messages cost no call to malloc; an arena begun while another one of the same thread
 * is alive simply starts with malloc. */
typedef struct hito_arena_block hito_arena_block;

typedef struct hito_arena {
  unsigned char *cursor;
  unsigned char *end;
  hito_arena_block *blocks;
  /* Bytes handed out, rounded up to the alignment; never above `budget`. */
  size_t used;
  size_t budget;
  size_t next_block_size;
  /* Whether this arena holds the thread's first block. */
  int owns_first_block;
} hito_arena;

/* Every allocation is aligned to this, which is enough for every type that protobuf-c makes. */
enum { HITO_ARENA_ALIGNMENT = 8 };

void hito_arena_begin(hito_arena *arena, size_t budget);

/* Returns NULL when the budget or the machine's memory is exhausted; never for size 0. */
void *hito_arena_allocate(hito_arena *arena, size_t size);

/* Frees everything that came from the arena. */
void hito_arena_end(hito_arena *arena);

/* protobuf-c's view of the arena: its `free` does nothing. */
ProtobufCAllocator hito_arena_allocator(hito_arena *arena);
