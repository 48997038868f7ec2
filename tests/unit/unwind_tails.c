/* What a tail must not do: stand in for a stack whose outer frames are others, or lie elsewhere. */
#include "unwind_judge.h"

#include "base/attrs.h"
#include "unit.h"

#include <alloca.h>

#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

static uintptr_t place; /* of over_leaf's frame, the last time */

/* The room moves from one frame to the next, so the innermost frames stay where they are, and the frames are the same
 * but for where one of them lies. The memo then is of that stack, a tail of the one before; and what called that frame
 * at its old place is another call of the same function. */
enum { MOVED_ROOM = 8192 };

static LT_NOINLINE void one_leaf(void) {
    judge();
    __asm__ volatile("nop" ::: "memory");
}

static LT_NOINLINE void other_leaf(void) {
    judge();
    KEEP_FRAME();
}

static LT_NOINLINE void over_leaf(void (*leaf)(void)) {
    volatile char here = 0; /* without a frame pointer of its own: rbp is its caller's */
    place = (uintptr_t)&here;
    leaf();
    KEEP_FRAME();
}

static LT_NOINLINE void inner_room(size_t room, void (*leaf)(void)) {
    char *volatile memory = alloca(room);
    (void)memory;
    over_leaf(leaf);
    KEEP_FRAME();
}

static LT_NOINLINE void outer_room(size_t room, bool elsewhere, void (*leaf)(void)) {
    char *volatile memory = alloca(room);
    (void)memory;
    if (elsewhere) {
        inner_room(MOVED_ROOM - room, leaf);
        __asm__ volatile("nop" ::: "memory");
    } else {
        inner_room(MOVED_ROOM - room, leaf);
    }
}

static void a_room_that_moves_between_two_frames(void **state) {
    (void)state;
    static const struct {
        size_t room;
        bool elsewhere;
        void (*leaf)(void);
    } calls[] = {{64, false, other_leaf}, {64, false, one_leaf}, {4096, false, other_leaf}, {64, true, one_leaf}};
    uintptr_t places[4];
    for (unsigned i = 0; i < 4; i++) { /* one call, or the outer frames are others anyway */
        outer_room(calls[i].room, calls[i].elsewhere, calls[i].leaf);
        places[i] = place;
    }
    assert_true(places[1] == places[2] || LT_SANITIZED);
    assert_int_equal(judge_take_counts().different, 0);
}

/* The same leaf under other frames, of the same sizes, in turn. */
static LT_NOINLINE void one_way(void (*leaf)(void)) {
    over_leaf(leaf);
    KEEP_FRAME();
}

static LT_NOINLINE void other_way(void (*leaf)(void)) {
    over_leaf(leaf);
    __asm__ volatile("nop" ::: "memory");
}

static void one_leaf_below_two_callers(void **state) {
    (void)state;
    static void (*const ways[])(void (*)(void)) = {one_way, one_way, other_way, other_way, one_way};
    static void (*const leaves[])(void) = {other_leaf, one_leaf, one_leaf, other_leaf, one_leaf};
    for (unsigned i = 0; i < 500; i++)
        ways[i % 5](leaves[i % 5]);
    const struct judge_counts counts = judge_take_counts();
    assert_int_equal(counts.different, 0);
    assert_int_equal(counts.equal, 500);
}

int main(void) {
    judge_start(LT_DEPTH_DEFAULT, "native");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_leaf_below_two_callers), /* first: then all rules are known */
        cmocka_unit_test(a_room_that_moves_between_two_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
