/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cgroup.h"
#include "base/file.h"
#include "base/mem.h"

static char root[256];

static int
set_up(void **state)
{
    (void)state;
    test_make_dir(root);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    test_remove_dir(root);
    return 0;
}

/* The file PATH below the false root, with the folders above it. */
static void
put(const char *path, const char *text)
{
    struct err err = ERR_INIT;
    char *full = mem_printf("%s/%s", root, path);
    char *slash = strrchr(full, '/');
    FILE *f;

    *slash = '\0';
    assert_ok(file_make_dirs(AT_FDCWD, full, 0700, &err), &err);
    *slash = '/';
    f = fopen(full, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    free(full);
}

static void
cgroup_quota_cpus__no_files__is_no_limit(void **state)
{
    (void)state;
    assert_int_equal(cgroup_quota_cpus(root), 0);
    put("proc/self/cgroup", "0::/\n");
    assert_int_equal(cgroup_quota_cpus(root), 0);
}

static void
cgroup_quota_cpus__version_2__rounds_up(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "150000 100000\n");
    assert_int_equal(cgroup_quota_cpus(root), 2);
    put("sys/fs/cgroup/cpu.max", "20000 100000\n");
    assert_int_equal(cgroup_quota_cpus(root), 1);
    put("sys/fs/cgroup/cpu.max", "300000 100000\n");
    assert_int_equal(cgroup_quota_cpus(root), 3);
}

static void
cgroup_quota_cpus__version_2_max__is_no_limit(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/pod/box\n");
    put("sys/fs/cgroup/pod/box/cpu.max", "max 100000\n");
    assert_int_equal(cgroup_quota_cpus(root), 0);
}

static void
cgroup_quota_cpus__limit_on_a_parent__counts(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/pod/box\n");
    put("sys/fs/cgroup/pod/box/cpu.max", "800000 100000\n");
    put("sys/fs/cgroup/pod/cpu.max", "200000 100000\n");
    assert_int_equal(cgroup_quota_cpus(root), 2);
}

static void
cgroup_quota_cpus__version_1__reads_the_cpu_controller_only(void **state)
{
    (void)state;
    put("proc/self/cgroup", "5:cpuset:/a\n4:cpu,cpuacct:/a\n0::/\n");
    put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "250000\n");
    put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/cpuset/a/cpu.cfs_quota_us", "100000\n");
    put("sys/fs/cgroup/cpuset/a/cpu.cfs_period_us", "100000\n");
    assert_int_equal(cgroup_quota_cpus(root), 3);
    put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
    assert_int_equal(cgroup_quota_cpus(root), 0);
}

static void
cgroup_quota_cpus__path_of_the_host__falls_back_to_what_is_mounted(void **state)
{
    (void)state;
    put("proc/self/cgroup", "4:cpu:/kubepods/pod1/box\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    assert_int_equal(cgroup_quota_cpus(root), 1);
}

static void
cgroup_quota_cpus__nonsense__is_no_limit(void **state)
{
    (void)state;
    put("proc/self/cgroup", "nonsense\n0:\n0::/a\n");
    put("sys/fs/cgroup/a/cpu.max", "100000 0\n");
    put("sys/fs/cgroup/cpu.max", "?");
    assert_int_equal(cgroup_quota_cpus(root), 0);
}

static void
cgroup_cpus__quota_of_one__is_one(void **state)
{
    (void)state;
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "100000 100000\n");
    assert_int_equal(cgroup_cpus(root), 1);
    put("sys/fs/cgroup/cpu.max", "max 100000\n");
    assert_true(cgroup_cpus(root) >= 1);
}

static void
cgroup_memory__no_files__is_not_known(void **state)
{
    (void)state;
    assert_int_equal(cgroup_memory(root), 0);
    put("proc/self/cgroup", "0::/\n");
    put("proc/meminfo", "MemFree: 5 kB\n");
    assert_int_equal(cgroup_memory(root), 0);
}

static void
cgroup_memory__both_versions__the_least_counts(void **state)
{
    (void)state;
    put("proc/meminfo", "MemTotal:       1000 kB\nMemFree: 5 kB\n");
    put("proc/self/cgroup", "0::/pod/box\n4:cpu,memory:/a\n");
    assert_int_equal(cgroup_memory(root), 1024000);
    put("sys/fs/cgroup/cpu,memory/a/memory.limit_in_bytes", "9223372036854771712\n"); /* none */
    put("sys/fs/cgroup/pod/box/memory.max", "max\n");
    assert_int_equal(cgroup_memory(root), 1024000);
    put("sys/fs/cgroup/pod/memory.max", "900000\n");
    assert_int_equal(cgroup_memory(root), 900000);
    put("sys/fs/cgroup/cpu,memory/memory.limit_in_bytes", "800000\n");
    assert_int_equal(cgroup_memory(root), 800000);
}

static void
cgroup_is_shared__same_program_in_the_same_group__only(void **state)
{
    (void)state;
    put("proc/self/cgroup", "4:memory:/pod/box\n0::/\n");
    put("proc/41/cgroup", "4:memory:/pod/box\n0::/\n");
    put("proc/41/comm", "redis-server\n");
    assert_true(cgroup_is_shared(root, 41, "redis-server"));
    assert_false(cgroup_is_shared(root, 41, "redis"));
    assert_false(cgroup_is_shared(root, 41, "valkey-server"));
    assert_false(cgroup_is_shared(root, 41, ""));
    assert_false(cgroup_is_shared(root, 42, "redis-server"));
    assert_false(cgroup_is_shared(root, 0, "redis-server"));
    /* In a sidecar the server's number 1 is our own container's first process here. */
    put("proc/1/cgroup", "4:memory:/pod/box\n0::/\n");
    put("proc/1/comm", "remora\n");
    assert_false(cgroup_is_shared(root, 1, "redis-server"));
    /* A container of the pod with a group of its own. */
    put("proc/41/cgroup", "4:memory:/pod/server\n0::/\n");
    assert_false(cgroup_is_shared(root, 41, "redis-server"));
    put("proc/41/cgroup", "");
    assert_false(cgroup_is_shared(root, 41, "redis-server"));
}

static void
cgroup_is_shared__nothing_to_be_seen_of_ourselves__is_no(void **state)
{
    (void)state;
    put("proc/41/cgroup", "");
    put("proc/41/comm", "redis-server\n");
    assert_false(cgroup_is_shared(root, 41, "redis-server"));
    put("proc/self/cgroup", "");
    assert_false(cgroup_is_shared(root, 41, "redis-server"));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(cgroup_quota_cpus__no_files__is_no_limit),
        TEST(cgroup_quota_cpus__version_2__rounds_up),
        TEST(cgroup_quota_cpus__version_2_max__is_no_limit),
        TEST(cgroup_quota_cpus__limit_on_a_parent__counts),
        TEST(cgroup_quota_cpus__version_1__reads_the_cpu_controller_only),
        TEST(cgroup_quota_cpus__path_of_the_host__falls_back_to_what_is_mounted),
        TEST(cgroup_quota_cpus__nonsense__is_no_limit),
        TEST(cgroup_cpus__quota_of_one__is_one),
        TEST(cgroup_memory__no_files__is_not_known),
        TEST(cgroup_memory__both_versions__the_least_counts),
        TEST(cgroup_is_shared__same_program_in_the_same_group__only),
        TEST(cgroup_is_shared__nothing_to_be_seen_of_ourselves__is_no),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
