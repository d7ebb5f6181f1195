#include "include/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

enum {
  FIRST_BLOCK_SIZE = 4096,
  BLOCK_SIZE_MIN = 8192,
  BLOCK_SIZE_MAX = 65536,
  /* A larger allocation gets a block of its own: the rest of the current one is not lost. */
  LARGE_ALLOCATION_SIZE = 8192,
};

struct hito_arena_block {
  hito_arena_block *next;
  alignas(HITO_ARENA_ALIGNMENT) unsigned char bytes[];
};

/* Plain thread storage: it needs no clean-up when a thread ends. */
static _Thread_local struct {
  alignas(HITO_ARENA_ALIGNMENT) unsigned char bytes[FIRST_BLOCK_SIZE];
  int is_taken;
} first_block;

void hito_arena_begin(hito_arena *arena, size_t budget) {
  *arena = (hito_arena){.budget = budget, .next_block_size = BLOCK_SIZE_MIN};
  if (!first_block.is_taken) {
    first_block.is_taken = 1;
    arena->owns_first_block = 1;
    arena->cursor = first_block.bytes;
    arena->end = first_block.bytes + FIRST_BLOCK_SIZE;
  }
}

static unsigned char *add_block(hito_arena *arena, size_t size) {
  hito_arena_block *block = malloc(sizeof(hito_arena_block) + size);
  if (block == NULL) return NULL;
  block->next = arena->blocks;
  arena->blocks = block;
  return block->bytes;
}

void *hito_arena_allocate(hito_arena *arena, size_t size) {
  if (size > SIZE_MAX - HITO_ARENA_ALIGNMENT) return NULL;
  /* Size 0 takes room too: a NULL would read as failure. */
  size_t rounded = size == 0
      ? HITO_ARENA_ALIGNMENT
      : (size + HITO_ARENA_ALIGNMENT - 1) & ~(size_t)(HITO_ARENA_ALIGNMENT - 1);
  if (rounded > arena->budget - arena->used) return NULL;

  if (rounded > (size_t)(arena->end - arena->cursor)) {
    if (rounded > LARGE_ALLOCATION_SIZE) {
      unsigned char *own = add_block(arena, rounded);
      if (own != NULL) arena->used += rounded;
      return own;
    }
    unsigned char *bytes = add_block(arena, arena->next_block_size);
    if (bytes == NULL) return NULL;
    arena->cursor = bytes;
    arena->end = bytes + arena->next_block_size;
    if (arena->next_block_size < BLOCK_SIZE_MAX) arena->next_block_size *= 2;
  }
  void *result = arena->cursor;
  arena->cursor += rounded;
  arena->used += rounded;
  return result;
}

void hito_arena_end(hito_arena *arena) {
  hito_arena_block *block = arena->blocks;
  while (block != NULL) {
    hito_arena_block *next = block->next;
    free(block);
    block = next;
  }
  if (arena->owns_first_block) first_block.is_taken = 0;
  *arena = (hito_arena){0};
}

static void *allocate(void *arena, size_t size) { return hito_arena_allocate(arena, size); }

static void ignore_free(void *arena, void *pointer) {
  (void)arena;
  (void)pointer;
}

ProtobufCAllocator hito_arena_allocator(hito_arena *arena) {
  return (ProtobufCAllocator){
      .alloc = allocate, .free = ignore_free, .allocator_data = arena};
}
