/* The call-stack trie against a model that keeps whole stacks: equal stacks have one site, others have others. */
#include "os/arena.h"
#include "track/stacks.h"

#include "unit.h"
#include "unit_child.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { DEPTH = 40, STACKS = 3000, MEAN_BUDGET = 72 };

struct example {
    uintptr_t frames[DEPTH];
    struct lt_stack stack;
    enum lt_kind kind;
    uint64_t note;        /* what an unwinder that remembers the stack would give back, 0 = nothing */
    struct lt_site *site; /* NULL = not looked up yet */
};

static struct example examples[STACKS];
static struct lt_stacks stacks;

/* What the unwinder keeps for the trie: notes of the stack looked up last. */
static uint64_t notes[LT_DEPTH_MAX], note_of_innermost;
static uint32_t noted;

static struct lt_stack stack_of(const uintptr_t *frames, uint32_t depth, uint32_t known) {
    noted = known;
    return (struct lt_stack){
        .frames = frames, .notes = notes, .note_kept = &note_of_innermost, .noted = &noted, .depth = depth, .epoch = 1};
}

/* A stack that shares a random part with an earlier one; some are another's frames in another epoch, truncated, or of
 * another kind. The last address makes it one of a kind. */
static void make_example(int n) {
    struct example *example = &examples[n];
    const struct example *like = &examples[n ? random() % n : 0];
    *example = (struct example){.kind = n % 11 ? LT_KIND_HEAP : LT_KIND_FILE};
    if (n > 100 && n % 3 == 0) {
        memcpy(example->frames, like->frames, sizeof like->frames);
        example->stack = like->stack;
        example->stack.epoch += (uint32_t)n;
    } else {
        example->stack = (struct lt_stack){.depth = (uint32_t)random() % DEPTH, .epoch = 1};
        memcpy(example->frames, like->frames, (size_t)random() % (example->stack.depth + 1) * sizeof(uintptr_t));
        for (uint32_t i = 0; i < example->stack.depth; i++)
            if (!example->frames[i])
                example->frames[i] = 0x400000 + (uintptr_t)random() % 64;
        if (example->stack.depth)
            example->frames[example->stack.depth - 1] = 0x10000000 + (uintptr_t)n;
    }
    example->stack.frames = example->frames;
    example->stack.flags = n % 13 == 0 ? LT_STACK_TRUNCATED : 0;
}

static bool same_stack(const struct example *a, const struct example *b) {
    return a->kind == b->kind && a->stack.depth == b->stack.depth && a->stack.epoch == b->stack.epoch &&
           a->stack.flags == b->stack.flags && memcmp(a->frames, b->frames, a->stack.depth * sizeof(uintptr_t)) == 0;
}

static int start(void **state) {
    (void)state;
    assert_int_equal(lt_arena_init(), 0);
    assert_int_equal(lt_site_numbers_init(), 0);
    srandom(2);
    for (int n = 0; n < STACKS; n++)
        make_example(n);
    return 0;
}

static void empty_trie(void) {
    lt_stacks_forked(&stacks, false);
    noted = 0;
    for (int n = 0; n < STACKS; n++)
        examples[n].note = 0;
}

static int fresh_trie(void **state) {
    (void)state;
    empty_trie();
    lt_stacks_init(&stacks);
    for (int n = 0; n < STACKS; n++)
        examples[n].site = NULL;
    return 0;
}

/* What a good unwinder says of two captures in a row, or less. */
static uint32_t reused(const struct example *last, const struct example *now) {
    uint32_t same = 0;
    if (!last || last->stack.epoch != now->stack.epoch || last->stack.flags != now->stack.flags || random() % 4 == 0)
        return 0;
    while (same < last->stack.depth && same < now->stack.depth && last->frames[same] == now->frames[same])
        same++;
    return random() % 4 ? same : same / 2;
}

static struct lt_site *look_up(struct example *example) {
    static const struct example *last;
    const uint32_t same = reused(last, example);
    struct lt_stack stack = stack_of(example->frames, example->stack.depth, same < noted ? same : noted);
    stack.epoch = example->stack.epoch;
    stack.flags = example->stack.flags;
    stack.note_kept = &example->note;
    if (example->note && random() % 4)
        return lt_stacks_site(&stacks,
                              &(struct lt_stack){.note = example->note, .flags = stack.flags, .epoch = stack.epoch},
                              example->kind);
    last = example;
    struct lt_site *site = lt_stacks_site(&stacks, &stack, example->kind);
    assert_true(!site || noted == stack.depth);
    return site;
}

static bool leads_to(const struct lt_site *site, const struct example *example) {
    const struct lt_node *node = lt_arena_at(site->node);
    for (uint32_t i = example->stack.depth; i-- > 0; node = lt_arena_at(node->parent))
        if (!node->parent || node->address != example->frames[i])
            return false;
    return node->parent == 0 && node->address == example->stack.epoch * 2 + (example->stack.flags != 0) &&
           site->kind == example->kind && (site->flags != 0) == (example->stack.flags != 0);
}

static void gives_equal_stacks_one_site_and_others_another(void **state) {
    (void)state;
    for (int i = 0; i < 100000; i++) {
        struct example *example = &examples[random() % STACKS];
        struct lt_site *site = look_up(example);
        assert_non_null(site);
        assert_true(leads_to(site, example));
        assert_true(!example->site || example->site == site);
        example->site = site;
    }
    for (int n = 0; n < STACKS; n++)
        for (int other = 0; other < n; other++)
            assert_int_equal(examples[n].site && examples[n].site == examples[other].site,
                             examples[n].site && examples[other].site && same_stack(&examples[n], &examples[other]));
}

static void assert_leads_to(const struct lt_site *site, const uintptr_t *frames, int depth) {
    const struct lt_node *node = lt_arena_at(site->node);
    for (int i = depth; i-- > 0; node = lt_arena_at(node->parent))
        assert_int_equal(node->address, frames[i]);
}

/* A signal handler jumped out of the tracker: what it had written by then was never counted. */
static void trusts_no_note_that_is_not_counted(void **state) {
    (void)state;
    uintptr_t old[3] = {1, 2, 3}, new[3] = {7, 8, 9};
    struct lt_stack stack = stack_of(old, 3, 0);
    assert_non_null(lt_stacks_site(&stacks, &stack, LT_KIND_HEAP));
    stack = stack_of(new, 3, 0);
    assert_leads_to(lt_stacks_site(&stacks, &stack, LT_KIND_HEAP), new, 3);
    new[2] = 10;
    stack = stack_of(new, 3, 2);
    assert_leads_to(lt_stacks_site(&stacks, &stack, LT_KIND_HEAP), new, 3);
}

/* Stacks that were once part of longer ones, and the other way round. */
static void finds_stacks_inside_others(void **state) {
    (void)state;
    uintptr_t frames[20];
    const struct lt_site *sites[21];
    for (uint32_t i = 0; i < 20; i++)
        frames[i] = 100 + i;
    for (uint32_t n = 0; n < 21; n++) {
        const uint32_t depth = n * 8 % 21;
        struct lt_stack stack = stack_of(frames, depth, 0);
        sites[depth] = lt_stacks_site(&stacks, &stack, LT_KIND_HEAP);
        assert_leads_to(sites[depth], frames, (int)depth);
    }
    for (uint32_t depth = 0; depth < 21; depth++) {
        struct lt_stack stack = stack_of(frames, depth, 0);
        assert_ptr_equal(lt_stacks_site(&stacks, &stack, LT_KIND_HEAP), sites[depth]);
    }
    assert_int_equal(lt_pool_count(&stacks.nodes), 21);
}

/* A handler interrupts the making of a node, forks, and returns in the child. */
static void survives_a_fork_in_the_middle(void **state) {
    (void)state;
    uintptr_t frames[2] = {1, 2};
    struct lt_stack stack = stack_of(frames, 2, 0);
    const struct lt_site *old = lt_stacks_site(&stacks, &stack, LT_KIND_HEAP);
    assert_non_null(lt_pool_room(&stacks.nodes, 1));
    lt_stacks_forked(&stacks, true);
    lt_pool_publish(&stacks.nodes);
    assert_int_equal(lt_pool_count(&stacks.nodes), 0);
    stack = stack_of(frames, 2, 0);
    stack.epoch = 2;
    const struct lt_site *new = lt_stacks_site(&stacks, &stack, LT_KIND_HEAP);
    assert_true(new &&new != old &&lt_pool_count(&stacks.sites) == 1 && lt_pool_count(&stacks.nodes) == 3);
}

static void holds_the_deepest_stacks(void **state) {
    (void)state;
    static uintptr_t frames[LT_DEPTH_MAX];
    for (uintptr_t i = 0; i < LT_DEPTH_MAX; i++)
        frames[i] = 0x1000 + i % 3; /* recursion: the same addresses over and over */
    const uint32_t depths[] = {1, 100, LT_DEPTH_MAX, 129, 0, LT_DEPTH_MAX};
    for (size_t n = 0; n < sizeof depths / sizeof *depths; n++) {
        const struct lt_stack stack = stack_of(frames, depths[n], n && depths[n - 1] < depths[n] ? depths[n - 1] : 0);
        const struct lt_site *site = lt_stacks_site(&stacks, &stack, LT_KIND_HEAP);
        const struct lt_node *node = lt_arena_at(site->node);
        uint32_t depth = 0;
        for (; node->parent; depth++)
            node = lt_arena_at(node->parent);
        assert_int_equal(depth, depths[n]);
    }
    assert_int_equal(lt_pool_count(&stacks.nodes), LT_DEPTH_MAX + 1);
}

static uint64_t arena_used(void) {
    struct lt_arena_usage usage;
    lt_arena_usage(&usage);
    return usage.used;
}

static void make_nodes(uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        uintptr_t frames[3] = {1 + i / 10000, 1 + i / 100, i};
        const struct lt_stack stack = stack_of(frames, 3, 0);
        assert_non_null(lt_stacks_site(&stacks, &stack, LT_KIND_HEAP));
    }
}

/* The budget of bytes per node, table included, whatever the fill of the last table. */
static void keeps_nodes_within_their_budget(void **state) {
    (void)state;
    const uint64_t before = arena_used();
    uint64_t worst = 0, nodes = 0;
    for (uint32_t i = 10000; i <= 400000; i += 5000) {
        make_nodes(i - 5000, i);
        nodes = lt_pool_count(&stacks.nodes);
        uint64_t bytes = arena_used() - before + lt_stacks_table_bytes(&stacks);
        bytes -= lt_pool_count(&stacks.sites) * sizeof(struct lt_site); /* of these one per stack is counted apart */
        worst = bytes / nodes > worst ? bytes / nodes : worst;
    }
    print_message("worst: %lu bytes per node\n", (unsigned long)worst);
    assert_true(nodes > 390000 && worst <= MEAN_BUDGET);
}

static _Atomic bool done;
static void *read_meanwhile(void *unused) {
    uint64_t rounds = 0;
    while (!atomic_load(&done) || rounds == 0) {
        struct lt_pool_cursor cursor = {0, 0};
        uint32_t epoch;
        for (const struct lt_node *node; (node = lt_pool_next(&stacks.nodes, &cursor, &epoch));) {
            const struct lt_node *parent = lt_arena_at(node->parent);
            CHILD_CHECK(epoch == 1 && node->address != 0 && (!parent || parent->address != 0));
        }
        cursor = (struct lt_pool_cursor){0, 0};
        for (const struct lt_site *site; (site = lt_pool_next(&stacks.sites, &cursor, NULL));)
            CHILD_CHECK(site->kind == LT_KIND_HEAP && lt_arena_at(site->node) != NULL);
        rounds++;
    }
    return unused;
}

static void read_while_growing(void) {
    pthread_t reader;
    pthread_create(&reader, NULL, read_meanwhile, NULL);
    make_nodes(1, 300000);
    atomic_store(&done, true);
    pthread_join(reader, NULL);
}

static void can_be_read_while_it_grows(void **state) {
    (void)state;
    assert_child_passes(read_while_growing);
}

/* Whichever allocation is the first to fail: what was known stays known, and the rest is found when there is memory
 * again. */
static void run_out_of_memory(void) {
    for (uint64_t n = 1; n < 60; n++) {
        uint32_t lost = 0;
        empty_trie();
        lt_arena_fail_after(n);
        for (int i = 0; i < STACKS; i++) {
            examples[i].site = look_up(&examples[i]);
            lost += examples[i].site == NULL;
            CHILD_CHECK(!examples[i].site || leads_to(examples[i].site, &examples[i]));
        }
        lt_arena_fail_after(0);
        CHILD_CHECK(lost > 0);
        for (int i = 0; i < STACKS; i++) {
            struct lt_site *site = look_up(&examples[i]);
            CHILD_CHECK(site && leads_to(site, &examples[i]) && (!examples[i].site || examples[i].site == site));
        }
    }
}

static void loses_nothing_but_what_found_no_memory(void **state) {
    (void)state;
    assert_child_passes(run_out_of_memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(gives_equal_stacks_one_site_and_others_another, fresh_trie),
        cmocka_unit_test_setup(finds_stacks_inside_others, fresh_trie),
        cmocka_unit_test_setup(survives_a_fork_in_the_middle, fresh_trie),
        cmocka_unit_test_setup(trusts_no_note_that_is_not_counted, fresh_trie),
        cmocka_unit_test_setup(holds_the_deepest_stacks, fresh_trie),
        cmocka_unit_test_setup(keeps_nodes_within_their_budget, fresh_trie),
        cmocka_unit_test_setup(can_be_read_while_it_grows, fresh_trie),
        cmocka_unit_test_setup(loses_nothing_but_what_found_no_memory, fresh_trie),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
