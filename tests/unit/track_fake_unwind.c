#include "track_fake_unwind.h"

#include "os/arena.h"
#include "unwind/modules.h"

#include <stdatomic.h>
#include <string.h>

struct lt_unwind_state {
    uintptr_t frames[LT_DEPTH_MAX];
    uint64_t notes[LT_DEPTH_MAX], unused;
    uint32_t depth, noted, flags, epoch;
};

static __thread const uintptr_t *next_frames;
static __thread uint32_t next_depth, next_flags;
static _Atomic uint32_t epoch = 1;
static struct lt_module modules[FAKE_MODULES + 1];
static const char *const paths[FAKE_MODULES + 1] = {"",          "/bin/one", "/lib/two",   "/lib/three", "/lib/four",
                                                    "/lib/five", "/lib/six", "/lib/seven", "/lib/eight"};

void fake_stack(const uintptr_t *frames, uint32_t depth, uint32_t flags) {
    next_frames = frames;
    next_depth = depth;
    next_flags = flags;
}

struct lt_unwind_state *lt_unwind_state_new(void) {
    return lt_arena_alloc(sizeof(struct lt_unwind_state), LT_ARENA_UNIT);
}

void lt_unwind_state_reset(struct lt_unwind_state *state) {
    state->depth = state->noted = 0;
}

void lt_unwind_capture(struct lt_unwind_state *state, const struct lt_regs *from, struct lt_stack *stack) {
    (void)from;
    uint32_t now = atomic_load(&epoch), same = 0;
    bool same_kind = ((state->flags ^ next_flags) & LT_STACK_TRUNCATED) == 0 && state->epoch == now;
    while (same_kind && same < state->noted && same < next_depth && state->frames[same] == next_frames[same])
        same++;
    state->noted = same;
    memcpy(state->frames, next_frames, next_depth * sizeof *next_frames);
    state->depth = next_depth;
    state->flags = next_flags;
    state->epoch = now;
    *stack = (struct lt_stack){.frames = state->frames,
                               .notes = state->notes,
                               .note_kept = &state->unused,
                               .noted = &state->noted,
                               .depth = next_depth,
                               .flags = next_flags,
                               .epoch = now};
    if (next_depth && same == next_depth)
        stack->note = state->notes[same - 1];
}

uint32_t lt_unwind_epoch(void) {
    return atomic_load(&epoch);
}

uint32_t lt_unwind_raise_epoch(void) {
    return atomic_fetch_add(&epoch, 1) + 1;
}

void lt_unwind_stats(struct lt_unwind_stats *stats) {
    *stats = (struct lt_unwind_stats){.rule_misses = 11, .rules_none = 2, .bounds_lookups = 3};
}

uint32_t lt_module_count(void) {
    return FAKE_MODULES;
}

struct lt_module *lt_module(uint32_t id) {
    struct lt_module *module = &modules[id];
    if (!module->id)
        *module = (struct lt_module){.start = (uintptr_t)id << 20,
                                     .end = (uintptr_t)(id + 1) << 20,
                                     .bias = (uintptr_t)id << 20,
                                     .id = id,
                                     .epoch_loaded = 1,
                                     .loaded_cs = 100 + id,
                                     .epoch_unloaded = module->epoch_unloaded,
                                     .segment_count = 1,
                                     .segments = {{.memsz = 1 << 20, .flags = 5}},
                                     .build_id_size = 4,
                                     .build_id = {0xb1, 0x1d, 0, (uint8_t)id},
                                     .path = paths[id]};
    return module;
}

const struct lt_module *lt_module_at(uintptr_t address, uint32_t when) {
    uint32_t id = address >> 20 <= FAKE_MODULES ? (uint32_t)(address >> 20) : 0;
    if (id == 0 || (lt_module(id)->epoch_unloaded && when >= lt_module(id)->epoch_unloaded))
        return NULL;
    return lt_module(id);
}

const struct lt_module *lt_module_near(uint32_t hint, uintptr_t address, uint32_t when) {
    (void)hint;
    return lt_module_at(address, when);
}

void fake_unload(uint32_t id, uint32_t from) {
    modules[id].epoch_unloaded = from;
    modules[id].unloaded_cs = 200 + id;
}

const struct lt_unwinder *lt_unwinder(void) {
    static const struct lt_unwinder fake = {.name = "fake", .capture = lt_unwind_capture};
    return &fake;
}
