/* --fail-on: the grammar, and what it counts. */
#include "report/kinds.h"
#include "report_fixture.h"

#include <errno.h>

static void the_grammar(void **state) {
    static const struct {
        const char *text;
        uint32_t kinds;
        enum lt_measure measure;
        enum lt_operator op;
        int64_t limit;
    } good[] = {
        {"heap>0", 1 << LT_KIND_HEAP, LT_MEASURE_BLOCKS, LT_OP_GT, 0},
        {"heap > 0", 1 << LT_KIND_HEAP, LT_MEASURE_BLOCKS, LT_OP_GT, 0},
        {"heap.blocks>=10", 1 << LT_KIND_HEAP, LT_MEASURE_BLOCKS, LT_OP_GE, 10},
        {"heap.count==3", 1 << LT_KIND_HEAP, LT_MEASURE_BLOCKS, LT_OP_EQ, 3},
        {"heap.bytes>1M", 1 << LT_KIND_HEAP, LT_MEASURE_BYTES, LT_OP_GT, 1048576},
        {"heap.bytes > 1.5 KiB", 1 << LT_KIND_HEAP, LT_MEASURE_BYTES, LT_OP_GT, 1536},
        {"file.sites!=2", 1 << LT_KIND_FILE, LT_MEASURE_SITES, LT_OP_NE, 2},
        {"descriptors>0", LT_DESCRIPTOR_KINDS, LT_MEASURE_BLOCKS, LT_OP_GT, 0},
        {"any<=7", 0, LT_MEASURE_BLOCKS, LT_OP_LE, 7},
        {"heap<1", 1 << LT_KIND_HEAP, LT_MEASURE_BLOCKS, LT_OP_LT, 1},
        {"heap=1", 1 << LT_KIND_HEAP, LT_MEASURE_BLOCKS, LT_OP_EQ, 1},
        {"heap.all>0", 1 << LT_KIND_HEAP, LT_MEASURE_ALL_BLOCKS, LT_OP_GT, 0},
        {"heap.all.bytes>1K", 1 << LT_KIND_HEAP, LT_MEASURE_ALL_BYTES, LT_OP_GT, 1024},
        {"heap.growth>0", 1 << LT_KIND_HEAP, LT_MEASURE_GROWTH_BLOCKS, LT_OP_GT, 0},
        {"heap.growth.bytes>-64K", 1 << LT_KIND_HEAP, LT_MEASURE_GROWTH_BYTES, LT_OP_GT, -65536},
    };
    struct lt_policy policy;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(lt_policy_parse(&policy, good[i].text), 0);
        assert_int_equal(policy.kinds, good[i].kinds);
        assert_int_equal(policy.measure, good[i].measure);
        assert_int_equal(policy.op, good[i].op);
        assert_int_equal(policy.limit, good[i].limit);
    }
    static const char *const bad[] = {"",
                                      "heap",
                                      ">0",
                                      "heap>",
                                      "heap>x",
                                      "heap>-1",
                                      "heap.>0",
                                      "heap.weight>0",
                                      "hea>0",
                                      "heap=>0",
                                      "heap>1M",
                                      "heap.bytes>1X",
                                      "heap>0 or so",
                                      "heap.bytes>-1",
                                      "heap>99999999999999999999",
                                      "close_wait",
                                      "file.bytes>0",
                                      "descriptors.growth.bytes>0",
                                      "close_wait.bytes>0",
                                      "misuses>0",
                                      "unjoined>-1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(lt_policy_parse(&policy, bad[i]), -EINVAL);
}

static int64_t found(const char *policy_text, const char *newer, const char *older) {
    struct fake_report r = {0};
    struct lt_policy policy;
    fake_report_make(&r, newer, older);
    assert_int_equal(lt_policy_parse(&policy, policy_text), 0);
    lt_policy_judge(&policy, &r.table, &r.model);
    fake_report_free(&r);
    return policy.found;
}

#define MODULES "module app path=/usr/bin/app build-id=aa\nmodule libc path=/lib/libc.so.6 build-id=cc\n"

static void what_is_counted(void **state) {
    static const char *const newer = MODULES "snapshot\n"
                                             "site heap app+0x1 live=3/300\n"
                                             "site heap app+0x2 live=1/50\n"
                                             "site heap app+0x3 live=0/0 alloc=7/7\n"
                                             "site file app+0x1 live=2/0\n"
                                             "site heap libc+0x9 app+0x1 live=1/1024\n";
    static const char *const older = MODULES "snapshot\n"
                                             "site heap app+0x1 live=1/100\n"
                                             "site heap app+0x2 live=4/500\n";
    (void)state;
    fake_names("libc.so.6+0x9|_IO_file_doallocate|-\n");
    assert_int_equal(found("heap>0", newer, NULL), 4);
    assert_int_equal(found("heap.bytes>0", newer, NULL), 350);
    assert_int_equal(found("heap.sites>0", newer, NULL), 2);
    assert_int_equal(found("any>0", newer, NULL), 6);
    assert_int_equal(found("socket>0", newer, NULL), 0);
    assert_int_equal(found("heap.all>0", newer, NULL), 5);
    assert_int_equal(found("heap.all.bytes>0", newer, NULL), 1374);
    assert_int_equal(found("heap.growth>0", newer, older), 0);
    assert_int_equal(found("heap.growth.bytes>0", newer, older), 774);
    assert_int_equal(found("heap.blocks>0", newer, older), 4);
}

static void facts_are_counted(void **state) {
    static const char *const newer = MODULES "snapshot\n"
                                             "site socket app+0x1 live=2/0\nsite file app+0x1 live=1/0\n"
                                             "descriptor 0 file origin=inherited\n"
                                             "descriptor 3 socket app+0x1 state=CLOSE_WAIT\n"
                                             "descriptor 4 socket app+0x1 state=ESTABLISHED\n"
                                             "descriptor 5 socket origin=unattributed state=CLOSE_WAIT\n"
                                             "descriptor 6 file app+0x1\n"
                                             "thread 7 app+0x1 runs\nthread 8 app+0x1 detached\nthread 9 app+0x1\n"
                                             "misuse 1 app+0x2 count=7 fd=9\n"
                                             "misuse 1 app+0x3 count=2 fd=9 opener app+0x1 site=file\n"
                                             "misuse 2 app+0x4 count=1 fd=9\n";
    (void)state;
    assert_int_equal(found("descriptors>0", newer, NULL), 3);
    assert_int_equal(found("open_files>0", newer, NULL), 5);
    assert_int_equal(found("unattributed>0", newer, NULL), 1);
    assert_int_equal(found("close_wait>0", newer, NULL), 2);
    assert_int_equal(found("unjoined>0", newer, NULL), 1);
    assert_int_equal(found("misuse>0", newer, NULL), 3);
}

static void the_operators(void **state) {
    static const struct {
        const char *text;
        bool breached;
    } cases[] = {{"heap>3", false}, {"heap>2", true},  {"heap>=3", true},  {"heap>=4", false}, {"heap<3", false},
                 {"heap<4", true},  {"heap<=3", true}, {"heap<=2", false}, {"heap==3", true},  {"heap!=3", false}};
    struct fake_report r = {0};
    (void)state;
    fake_report_make(&r, MODULES "snapshot\nsite heap app+0x1 live=3/300\n", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lt_policy policy;
        assert_int_equal(lt_policy_parse(&policy, cases[i].text), 0);
        assert_int_equal(lt_policy_judge(&policy, &r.table, &r.model), cases[i].breached);
    }
    fake_report_free(&r);
}

static void verdicts_say_what_was_found(void **state) {
    struct fake_report r = {0};
    struct lt_policy policy;
    struct lt_pool pool = {0};
    (void)state;
    fake_names("libc.so.6+0x9|_IO_file_doallocate|-\n");
    fake_report_make(&r, MODULES "snapshot\nsite heap app+0x1 live=3/3000\nsite heap libc+0x9 app+0x1 live=1/1024\n",
                     NULL);
    assert_int_equal(lt_policy_parse(&policy, "heap>0"), 0);
    lt_policy_judge(&policy, &r.table, &r.model);
    assert_string_equal(lt_policy_verdict(&policy, &pool),
                        "breached: heap>0 (heap.blocks is 3, without 1 block that run-time libraries keep)");
    assert_int_equal(lt_policy_parse(&policy, "any.all.bytes>1M"), 0);
    lt_policy_judge(&policy, &r.table, &r.model);
    assert_string_equal(lt_policy_verdict(&policy, &pool),
                        "not breached: any.all.bytes>1M (any.all.bytes is 4024, 3.9 KiB)");
    assert_int_equal(lt_policy_parse(&policy, "file>=0"), 0);
    lt_policy_judge(&policy, &r.table, &r.model);
    assert_string_equal(lt_policy_verdict(&policy, &pool), "breached: file>=0 (file.count is 0)");
    assert_int_equal(lt_policy_parse(&policy, "close_wait>0"), 0);
    lt_policy_judge(&policy, &r.table, &r.model);
    assert_string_equal(lt_policy_verdict(&policy, &pool), "not breached: close_wait>0 (close_wait is 0)");
    lt_pool_free(&pool);
    fake_report_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_grammar),
        cmocka_unit_test(what_is_counted),
        cmocka_unit_test(facts_are_counted),
        cmocka_unit_test(the_operators),
        cmocka_unit_test(verdicts_say_what_was_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
