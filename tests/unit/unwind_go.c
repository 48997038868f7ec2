/* The way from C to the goroutine that called it, on frames laid out by hand as each version of Go's runtime leaves
 * them: no toolchain but one can be had at a time. Real programs are in tests/go. */
#include "unwind/go_switch.h"

#include "os/arena.h"
#include "unit.h"
#include "unwind/module_elf.h"

#include <string.h>

enum { WORDS = 64, STACK_POINTER = 40 }; /* the goroutine's, in words from its stack's lower bound */

struct world {
    uintptr_t system[WORDS];    /* the thread's stack; asmcgocall's stack pointer there is &system[8] */
    uintptr_t goroutine[WORDS]; /* the goroutine's */
    uintptr_t g[2];
    struct lt_walk walk;
};

static struct lt_unwind_state state;
static struct world world;

/* g and the depth at these words above asmcgocall's stack pointer. */
static struct lt_rule prepare(unsigned g_word, unsigned depth_word) {
    memset(&world, 0, sizeof world);
    world.g[0] = (uintptr_t)world.goroutine;
    world.g[1] = (uintptr_t)(world.goroutine + WORDS);
    world.system[8 + g_word] = (uintptr_t)world.g;
    world.system[8 + depth_word] = (WORDS - STACK_POINTER) * sizeof(uintptr_t);
    world.walk = (struct lt_walk){.ip = 0x1000,
                                  .sp = (uintptr_t)&world.system[8],
                                  .range = {.low = (uintptr_t)world.system, .size = sizeof world.system, .own = true}};
    return (struct lt_rule){
        .class = LT_RULE_GO_SWITCH,
        .word = {.at = (int16_t)(g_word * sizeof(uintptr_t)), .add = (int16_t)(depth_word * sizeof(uintptr_t))}};
}

static uintptr_t slot(unsigned word) {
    return (uintptr_t)&world.goroutine[word];
}

static void assert_at(uintptr_t ip, uintptr_t sp, uintptr_t fp) {
    assert_int_equal(world.walk.ip, ip);
    assert_int_equal(world.walk.sp, sp);
    assert_int_equal(world.walk.fp, fp);
    assert_int_equal(world.walk.range.low, slot(STACK_POINTER));
    assert_int_equal(world.walk.range.low + world.walk.range.size, world.g[1]);
}

static void before_1_21(void **unused) {
    (void)unused;
    struct lt_rule rule = prepare(6, 5);
    world.goroutine[STACK_POINTER] = 0x401234; /* into cgocall, whose frame pointer C has kept in rbp */
    world.walk.fp = slot(STACK_POINTER + 7);
    assert_int_equal(lt_go_switch_step(&world.walk, rule, &state), LT_STEP_ON);
    assert_at(0x401234, slot(STACK_POINTER + 1), slot(STACK_POINTER + 7));
}

/* What the end of cgocall looks like, asmcgocall behind its two calls, and crosscall2 behind its one. Never run. And a
 * note that makes Go of this program. */
extern const uint8_t in_asmcgocall[], in_asmcgocall_staying[], in_cgocall[], in_crosscall2[];
__asm__(".pushsection .text, \"ax\", @progbits\n"
        "in_asmcgocall: mov 0x30(%rsp), %rdi; mov 8(%rdi), %rsi; sub 0x28(%rsp), %rsi; mov %rsi, %rsp; ret\n"
        "in_asmcgocall_staying: mov 0x28(%rsp), %rsi; mov %rsi, %rsp; ret\n"
        "in_cgocall: mov 0x10(%rsp), %eax; mov 0x28(%rsp), %rbp; add $0x30, %rsp; ret\n"
        "in_crosscall2: add $0x18, %rsp; mov (%rsp), %rbx; nopl 0(%rax); nopl 0(%rax); nopl 0(%rax); nopl 0(%rax)\n"
        ".popsection\n"
        ".pushsection .note.go.test, \"a\", @note\n"
        ".balign 4; .long 4, 4, 9; .ascii \"Go\\0\\0test\"\n"
        ".popsection");

/* A callback has moved the stack: rbp points into the old one, which may be anywhere. */
static void a_stack_that_was_moved(void **unused) {
    (void)unused;
    const uintptr_t stale[] = {(uintptr_t)&world.system[3], slot(STACK_POINTER + 2), 0};
    for (size_t i = 0; i < sizeof stale / sizeof stale[0]; i++) {
        struct lt_rule rule = prepare(6, 5);
        world.goroutine[STACK_POINTER] = (uintptr_t)in_cgocall;
        world.walk.fp = stale[i];
        assert_int_equal(lt_go_switch_step(&world.walk, rule, &state), LT_STEP_ON);
        assert_at((uintptr_t)in_cgocall, slot(STACK_POINTER + 1), slot(STACK_POINTER + 6));
    }
    struct lt_rule rule = prepare(6, 5);
    world.goroutine[STACK_POINTER] = 0x405678; /* another caller, of whom nothing is known */
    world.walk.fp = (uintptr_t)&world.system[3];
    assert_int_equal(lt_go_switch_step(&world.walk, rule, &state), LT_STEP_LOST);
}

/* C code without unwind information, 5 words below asmcgocall's stack pointer. */
static void prepare_linked_by_go(const uint8_t *return_address) {
    prepare(6, 5);
    state.go_system.sp = 0;
    world.walk.ip = (uintptr_t)prepare_linked_by_go;
    world.walk.sp = (uintptr_t)&world.system[3];
    world.walk.fp = 12345; /* C has used it for something else */
    world.system[4] = (uintptr_t)in_cgocall;
    world.system[7] = (uintptr_t)return_address;
}

static void code_that_was_linked_by_go(void **unused) {
    (void)unused;
    prepare_linked_by_go(in_asmcgocall);
    assert_true(lt_go_find_switch(&world.walk, &state));
    assert_int_equal(world.walk.ip, in_asmcgocall);
    assert_int_equal(world.walk.sp, &world.system[8]);
}

static void assert_not_found(void) {
    const struct lt_walk before = world.walk;
    assert_false(lt_go_find_switch(&world.walk, &state));
    assert_memory_equal(&world.walk, &before, sizeof before);
}

static void code_that_was_not_called_by_go(void **unused) {
    (void)unused;
    prepare_linked_by_go(in_cgocall);
    assert_not_found();
    prepare_linked_by_go(in_asmcgocall_staying);
    world.system[9] = (uintptr_t)in_asmcgocall; /* of a call before */
    assert_not_found();
    prepare_linked_by_go(in_asmcgocall);
    world.system[8 + 6] = 0x1000; /* no g */
    assert_not_found();
    prepare_linked_by_go(in_asmcgocall);
    state.go_system.sp = world.walk.sp; /* the walk is on a goroutine */
    assert_not_found();
    state.go_system.sp = 0;
}

struct notes {
    ElfW(Phdr) headers[2];
    uint32_t words[64];
    size_t count;
};

static void add_note(struct notes *notes, const char *name, uint32_t type, const char *text) {
    const uint32_t size = (uint32_t)strlen(text), head[] = {4, size, type};
    memcpy(notes->words + notes->count, head, sizeof head);
    memcpy(notes->words + notes->count + 3, name, 4);
    memcpy(notes->words + notes->count + 4, text, size);
    notes->count += 4 + (size + 3) / 4;
}

static struct lt_module read_notes(struct notes *notes) {
    struct lt_module module = {0};
    const uintptr_t start = (uintptr_t)notes;
    notes->headers[0] = (ElfW(Phdr)){.p_type = PT_LOAD, .p_flags = PF_R, .p_vaddr = start, .p_memsz = sizeof *notes};
    notes->headers[1] = (ElfW(Phdr)){.p_type = PT_NOTE,
                                     .p_vaddr = (uintptr_t)notes->words,
                                     .p_memsz = notes->count * sizeof *notes->words,
                                     .p_align = 4};
    lt_headers_read(&(struct lt_headers){.at = notes->headers, .count = 2}, &module);
    return module;
}

static void assert_build_id(const struct lt_module *module, const char *id, bool is_go) {
    assert_int_equal(module->build_id_size, strlen(id));
    assert_memory_equal(module->build_id, id, strlen(id));
    assert_int_equal(module->build_id_is_go, is_go);
    assert_true(module->is_go);
}

/* A GNU build-id comes first, wherever it stands; then Go's, where it is one. */
static void build_ids(void **unused) {
    (void)unused;
    enum { GNU_ID = 3, GO_ID = 4, GO_ABI = 2 };
    struct notes go = {0}, both = {0}, redacted = {0}, library = {0};
    add_note(&go, "Go\0", GO_ID, "action/content");
    struct lt_module module = read_notes(&go);
    assert_build_id(&module, "action/content", true);
    add_note(&both, "Go\0", GO_ID, "action/content");
    add_note(&both, "GNU", GNU_ID, "\x12\x34\x56\x78\x9a");
    module = read_notes(&both);
    assert_build_id(&module, "\x12\x34\x56\x78\x9a", false);
    add_note(&redacted, "Go\0", GO_ID, "redacted"); /* as bazel writes it, into all */
    module = read_notes(&redacted);
    assert_build_id(&module, "", false);
    add_note(&library, "Go\0", GO_ABI, "hash/of/packages"); /* libstd.so */
    module = read_notes(&library);
    assert_build_id(&module, "", false);
}

static void with_a_frame_of_its_own(unsigned g_word, unsigned depth_word) {
    struct lt_rule rule = prepare(g_word, depth_word);
    world.goroutine[STACK_POINTER] = slot(STACK_POINTER + 9); /* asmcgocall's own frame */
    world.goroutine[STACK_POINTER + 1] = 0x401234;
    world.walk.fp = (uintptr_t)&world.system[3]; /* not needed: good in spite of a moved stack */
    assert_int_equal(lt_go_switch_step(&world.walk, rule, &state), LT_STEP_ON);
    assert_at(0x401234, slot(STACK_POINTER + 2), slot(STACK_POINTER + 9));
}

static void since_1_21(void **unused) {
    (void)unused;
    with_a_frame_of_its_own(6, 5);
}

static void with_a_landing_pad(void **unused) {
    (void)unused;
    with_a_frame_of_its_own(1, 0);
}

/* Each word that may be wrong, one after the other. Nothing is read that cannot be. */
static void words_that_are_not_what_they_should_be(void **unused) {
    (void)unused;
    static const struct {
        unsigned system_word, g_word;
        uintptr_t system_value, g_value;
    } wrong[] = {
        {8 + 6, WORDS, 0, 0},           /* no g: already on the thread's stack */
        {8 + 6, WORDS, 0x1001, 0},      /* not aligned */
        {8 + 6, WORDS, 0x1000, 0},      /* nothing can be read there */
        {8 + 5, WORDS, 1u << 20, 0},    /* deeper than the stack */
        {8 + 5, WORDS, 8, 0},           /* not even a frame */
        {8 + 5, WORDS, 101, 0},         /* not aligned */
        {8 + 5, 0, 0x100, UINTPTR_MAX}, /* bounds upside down */
        {8 + 5, 1, 0x100, 0x2000},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct lt_rule rule = prepare(6, 5);
        world.walk.fp = slot(STACK_POINTER + 7);
        world.system[wrong[i].system_word] = wrong[i].system_value;
        if (wrong[i].g_word < 2)
            world.g[wrong[i].g_word] = wrong[i].g_value;
        assert_int_equal(lt_go_switch_step(&world.walk, rule, &state), LT_STEP_LOST);
    }
}

/* The frame that C called lies above the room that asmcgocall took, which depends on the version and on alignment. */
static void back_to_c(void **unused) {
    (void)unused;
    static const unsigned rooms[] = {16, 24, 64, 72};
    const struct lt_rule rule = {.class = LT_RULE_GO_BACK, .word = {.at = 32}};
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        prepare(6, 5);
        uintptr_t *const frame = world.system + 8 + rooms[i] / sizeof *frame;
        frame[3] = 0x7777;
        frame[4] = (uintptr_t)in_crosscall2;
        state.go_system.sp = (uintptr_t)&world.system[8];
        state.go_system.range = world.walk.range;
        world.walk.range = (struct lt_stack_range){0};
        assert_int_equal(lt_go_back_step(&world.walk, rule, &state), LT_STEP_ON);
        assert_int_equal(world.walk.ip, in_crosscall2);
        assert_int_equal(world.walk.sp, &frame[5]);
        assert_int_equal(world.walk.fp, 0x7777);
        assert_int_equal(world.walk.range.low, world.system);
    }
}

/* A walk that has met no switch to C does not know where the thread's stack ends. */
static void back_without_a_switch(void **unused) {
    (void)unused;
    prepare(6, 5);
    state.go_system.sp = 0;
    const struct lt_rule rule = {.class = LT_RULE_GO_BACK, .word = {.at = 32}};
    assert_int_equal(lt_go_back_step(&world.walk, rule, &state), LT_STEP_LOST);
    state.go_system.sp = (uintptr_t)&world.system[WORDS - 2]; /* its frame would lie beyond the stack */
    state.go_system.range = world.walk.range;
    assert_int_equal(lt_go_back_step(&world.walk, rule, &state), LT_STEP_LOST);
}

/* The instructions behind the two calls, from programs of Go 1.19 and as the assembler writes today's source. */
static void instructions(void **unused) {
    (void)unused;
    static const struct {
        const char *code;
        int16_t g, depth;
    } switches[] = {
        {"\x48\x8b\x7c\x24\x30\x48\x8b\x77\x08\x48\x2b\x74\x24\x28\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90", 48, 40},
        {"\x48\xc7\xc1\xf8\xff\xff\xff\x48\x8b\x7c\x24\x30\x48\x8b\x77\x08\x48\x2b\x74\x24\x28\x90\x90\x90", 48, 40},
        {"\x48\x8b\x0d\x11\x22\x33\x44\x48\x8b\x7c\x24\x08\x48\x8b\x77\x08\x48\x2b\x34\x24\x90\x90\x90\x90", 8, 0},
        {"\x48\x8b\x7c\x24\x08\x48\x8b\x77\x08\x48\x2b\x34\x24\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90", 8, 0},
    };
    static const uint8_t nosave[LT_GO_SWITCH_CODE_MAX] = "\x48\x8b\x74\x24\x28\x48\x89\xf4\x89\x44\x24\x18\xc3";
    static const uint8_t back[LT_GO_SWITCH_CODE_MAX] = "\x48\x8d\x44\x24\x28\x48\x29\xe0\x64\x48\x8b\x34\x25";
    int16_t g = -1, depth = -1;
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        assert_true(lt_arch_go_switch((const uint8_t *)switches[i].code, &g, &depth));
        assert_int_equal(g, switches[i].g);
        assert_int_equal(depth, switches[i].depth);
    }
    assert_false(lt_arch_go_switch(nosave, &g, &depth));
    assert_int_equal(lt_arch_go_back(back), 32);
    assert_int_equal(lt_arch_go_back(nosave), 0);
    assert_true(lt_arch_go_stay(nosave));
    assert_true(lt_arch_go_stay((const uint8_t *)"\x48\x8b\x34\x24\x48\x89\xf4")); /* since 1.21 */
    assert_false(lt_arch_go_stay(back));
    assert_int_equal(lt_arch_go_frame((const uint8_t *)"\x90\x48\x8b\x6c\x24\x28\x48\x83\xc4\x30\xc3", 11), 0x28);
    assert_int_equal(lt_arch_go_frame((const uint8_t *)"\x90\x48\x8b\x6c\x24\x28\x48\x83\xc4\x30\xc3", 10), 0);
    assert_int_equal(lt_arch_go_frame((const uint8_t *)"\x48\x8b\x6c\x24\x28\x48\x83\xc4\x38\xc3", 10), 0);
}

static int open_modules(void **unused) {
    (void)unused;
    return lt_arena_init() || lt_unwind_init(&(struct lt_unwind_options){.unwinder = "native"});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instructions),
        cmocka_unit_test(before_1_21),
        cmocka_unit_test(a_stack_that_was_moved),
        cmocka_unit_test(code_that_was_linked_by_go),
        cmocka_unit_test(code_that_was_not_called_by_go),
        cmocka_unit_test(build_ids),
        cmocka_unit_test(since_1_21),
        cmocka_unit_test(with_a_landing_pad),
        cmocka_unit_test(words_that_are_not_what_they_should_be),
        cmocka_unit_test(back_to_c),
        cmocka_unit_test(back_without_a_switch),
    };
    return cmocka_run_group_tests(tests, open_modules, NULL);
}
