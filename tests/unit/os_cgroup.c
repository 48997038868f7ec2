/* Control groups in trees of files that a test writes: version 1, version 2, containers with and without a namespace.
 * And the group that the test itself is in, read once more by libc. */
#include "os/cgroup.h"

#include "unit.h"
#include "unit_files.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

static char root[64];
static struct lt_cgroup_room room;
static struct lt_cgroup cgroup;

static void put(const char *path, const char *text) {
    char whole[512];
    snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
}

static int begin(void **state) {
    (void)state;
    return scratch_new(root) ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    scratch_remove(root);
    return 0;
}

#define OTHER_MOUNTS                                                                                                   \
    "22 1 0:21 / /proc rw - proc proc rw\n"                                                                            \
    "30 23 0:27 / /sys/fs/cgroup rw shared:9 - tmpfs tmpfs rw\n"                                                       \
    "31 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"                                              \
    "a line that is none\n"

static void put_second(const char *group, const char *mount_root) {
    char line[1024];
    snprintf(line, sizeof line, "0::%s\n", group);
    put("/proc/thread-self/cgroup", line);
    snprintf(line, sizeof line, OTHER_MOUNTS "29 22 0:26 %s /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
             mount_root);
    put("/proc/thread-self/mountinfo", line);
}

static void put_second_files(const char *directory) {
    char path[256];
    snprintf(path, sizeof path, "%s/memory.current", directory);
    put(path, "851443712\n");
    snprintf(path, sizeof path, "%s/memory.max", directory);
    put(path, "1073741824\n");
    snprintf(path, sizeof path, "%s/memory.stat", directory);
    put(path, "anon 157286400\nfile 671088640\nkernel 23068672\nkernel_stack 1\nsock 4096\nshmem 8192\n"
              "inactive_anon 5\ninactive_file 655360000\nslab 1048576\n");
}

static void assert_second(void) {
    assert_int_equal(lt_cgroup_read(root, &room, &cgroup), 0);
    assert_int_equal(cgroup.version, 2);
    assert_int_equal(cgroup.used, 851443712);
    assert_int_equal(cgroup.limit, 1073741824);
    assert_int_equal(cgroup.anon, 157286400);
    assert_int_equal(cgroup.file, 671088640);
    assert_int_equal(cgroup.shmem, 8192);
    assert_int_equal(cgroup.inactive_file, 655360000);
    assert_int_equal(cgroup.kernel, 23068672);
    assert_int_equal(cgroup.slab, 1048576);
    assert_int_equal(cgroup.sock, 4096);
}

static void version_2_of_a_host(void **state) {
    (void)state;
    put_second("/system.slice/app.service", "/");
    put_second_files("/sys/fs/cgroup/system.slice/app.service");
    assert_second();
}

static void version_2_in_a_container_with_a_namespace(void **state) {
    (void)state;
    put_second("/", "/");
    put_second_files("/sys/fs/cgroup");
    assert_second();
}

static void version_2_in_a_container_that_sees_the_hosts_names(void **state) {
    (void)state;
    put_second("/kubepods/pod1/abc", "/kubepods/pod1/abc");
    put_second_files("/sys/fs/cgroup");
    assert_second();
}

static void the_least_limit_of_those_above_counts(void **state) {
    (void)state;
    put_second("/a/b/c", "/");
    put_second_files("/sys/fs/cgroup/a/b/c");
    put("/sys/fs/cgroup/a/b/memory.max", "536870912\n");
    put("/sys/fs/cgroup/a/memory.max", "max\n");
    put("/sys/fs/memory.max", "1\n"); /* not of the hierarchy */
    assert_int_equal(lt_cgroup_read(root, &room, &cgroup), 0);
    assert_int_equal(cgroup.limit, 536870912);
}

static void no_limit(void **state) {
    (void)state;
    put_second("/a", "/");
    put_second_files("/sys/fs/cgroup/a");
    put("/sys/fs/cgroup/a/memory.max", "max\n");
    assert_int_equal(lt_cgroup_read(root, &room, &cgroup), 0);
    assert_true(cgroup.limit == LT_CGROUP_UNKNOWN);
}

static void what_an_older_kernel_does_not_tell_is_unknown(void **state) {
    (void)state;
    put_second("/a", "/");
    put("/sys/fs/cgroup/a/memory.current", "4096\n");
    put("/sys/fs/cgroup/a/memory.stat", "anon 1\nfile 2\nslab 3\nno_number\n\n");
    assert_int_equal(lt_cgroup_read(root, &room, &cgroup), 0);
    assert_int_equal(cgroup.file, 2);
    assert_int_equal(cgroup.slab, 3);
    assert_true(cgroup.kernel == LT_CGROUP_UNKNOWN && cgroup.sock == LT_CGROUP_UNKNOWN);
}

static void put_first(const char *group, const char *mount_root) {
    char text[1024];
    snprintf(text, sizeof text, "9:name=systemd:/x\n4:cpuset,memory:%s\n3:cpu,cpuacct:/y\n0::/\n", group);
    put("/proc/thread-self/cgroup", text);
    snprintf(text, sizeof text,
             OTHER_MOUNTS "35 30 0:32 %s /sys/fs/cgroup/memory ro - cgroup cgroup rw,cpuset,memory\n"
                          "41 30 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
             mount_root);
    put("/proc/thread-self/mountinfo", text);
}

static void put_first_files(const char *directory, const char *limit) {
    char path[256], text[512];
    snprintf(path, sizeof path, "%s/memory.usage_in_bytes", directory);
    put(path, "9000\n");
    snprintf(path, sizeof path, "%s/memory.kmem.usage_in_bytes", directory);
    put(path, "700\n");
    snprintf(path, sizeof path, "%s/memory.kmem.tcp.usage_in_bytes", directory);
    put(path, "0\n");
    snprintf(path, sizeof path, "%s/memory.stat", directory);
    snprintf(text, sizeof text,
             "cache 1\nrss 2\nshmem 3\ninactive_file 4\nhierarchical_memory_limit %s\ntotal_cache 5000\n"
             "total_rss 3000\ntotal_shmem 100\ntotal_inactive_file 4000\n",
             limit);
    put(path, text);
}

static void version_1_beside_an_empty_version_2(void **state) {
    (void)state;
    put_first("/docker/abc", "/docker/abc");
    put_first_files("/sys/fs/cgroup/memory", "10000");
    assert_int_equal(lt_cgroup_read(root, &room, &cgroup), 0);
    assert_int_equal(cgroup.version, 1);
    assert_int_equal(cgroup.used, 9000);
    assert_int_equal(cgroup.limit, 10000);
    assert_int_equal(cgroup.anon, 3000);
    assert_int_equal(cgroup.file, 5000);
    assert_int_equal(cgroup.shmem, 100);
    assert_int_equal(cgroup.inactive_file, 4000);
    assert_int_equal(cgroup.kernel, 700);
    assert_int_equal(cgroup.sock, 0);
    assert_true(cgroup.slab == LT_CGROUP_UNKNOWN);
}

static void version_1_without_a_limit(void **state) {
    (void)state;
    put_first("/a", "/");
    put_first_files("/sys/fs/cgroup/memory/a", "9223372036854771712");
    assert_int_equal(lt_cgroup_read(root, &room, &cgroup), 0);
    assert_true(cgroup.limit == LT_CGROUP_UNKNOWN);
}

static void what_cannot_be_seen_is_not_there(void **state) {
    (void)state;
    assert_int_equal(lt_cgroup_read(root, &room, &cgroup), -ENOENT); /* no /proc */
    put_second("/", "/");
    assert_int_equal(lt_cgroup_read(root, &room, &cgroup), -ENOENT); /* the topmost group has no files */
    put_second("/../other", "/");
    put_second_files("/sys/fs/cgroup");
    put_second_files("/sys/fs/other");
    assert_int_equal(lt_cgroup_read(root, &room, &cgroup), -ENOENT); /* outside of the namespace */
    put_second("/kubepods2", "/kubepods");
    assert_int_equal(lt_cgroup_read(root, &room, &cgroup), -ENOENT); /* not below what is mounted */
    put("/proc/thread-self/cgroup", "0\n0:\n::\nmemory\n");
    assert_int_equal(lt_cgroup_read(root, &room, &cgroup), -ENOENT);
}

/* The judge reads the group's name by sscanf; where the hierarchy is mounted is taken as usual. */
static bool own_file(const char *name, char text[64]) {
    char line[512], path[1024], group[400] = "";
    FILE *groups = fopen("/proc/self/cgroup", "r");
    while (groups && !group[0] && fgets(line, sizeof line, groups))
        if (cgroup.version == 2)
            sscanf(line, "0::%399[^\n]", group);
        else
            sscanf(line, "%*d:memory:%399[^\n]", group);
    if (groups)
        fclose(groups);
    snprintf(path, sizeof path, "/sys/fs/cgroup%s%s/%s", cgroup.version == 1 ? "/memory" : "", group, name);
    FILE *file = fopen(path, "r");
    const bool told = file && fgets(text, 64, file);
    if (file)
        fclose(file);
    return told;
}

static void the_group_of_this_process(void **state) {
    char used[64], limit[64];
    (void)state;
    lt_skip_when(lt_cgroup_read("", &room, &cgroup) != 0, "this process is in no cgroup with the memory controller");
    const bool first = cgroup.version == 1;
    lt_skip_when(!own_file(first ? "memory.usage_in_bytes" : "memory.current", used) ||
                     !own_file(first ? "memory.limit_in_bytes" : "memory.max", limit),
                 "its files are not below /sys/fs/cgroup");
    const double judge = strtod(used, NULL); /* others of the group go on meanwhile */
    assert_true((double)cgroup.used > judge / 2 && (double)cgroup.used < judge * 2);
    assert_true(cgroup.file <= cgroup.used * 2 && cgroup.anon <= cgroup.used * 2);
    assert_true(strncmp(limit, "max", 3) == 0 || cgroup.limit <= strtoull(limit, NULL, 10) ||
                strtoull(limit, NULL, 10) > UINT64_C(1) << 62);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(version_2_of_a_host, begin, end),
        cmocka_unit_test_setup_teardown(version_2_in_a_container_with_a_namespace, begin, end),
        cmocka_unit_test_setup_teardown(version_2_in_a_container_that_sees_the_hosts_names, begin, end),
        cmocka_unit_test_setup_teardown(the_least_limit_of_those_above_counts, begin, end),
        cmocka_unit_test_setup_teardown(no_limit, begin, end),
        cmocka_unit_test_setup_teardown(what_an_older_kernel_does_not_tell_is_unknown, begin, end),
        cmocka_unit_test_setup_teardown(version_1_beside_an_empty_version_2, begin, end),
        cmocka_unit_test_setup_teardown(version_1_without_a_limit, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_seen_is_not_there, begin, end),
        cmocka_unit_test(the_group_of_this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
