/* SPDX-License-Identifier: Apache-2.0 */
/* What the control groups and the affinity of a process let it use. The files of /proc and /sys are made by the test.
 */
#define _GNU_SOURCE
#include "test.h"

#include "cnnsweep/file.h"
#include "cnnsweep/resources.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

static char root[CS_PATH_MAX];

/* Writes a file below `root`, and its folders. */
static void write_file(const char *name, const char *text) {
    char path[CS_PATH_MAX];
    assert_ok(cs_path(path, sizeof path, "%s/%s", root, name));
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        assert_ok(cs_folder_create(path));
        *slash = '/';
    }
    assert_ok(cs_file_write(path, text, strlen(text)));
}

/* Begins a machine without files. */
static int fresh(void **state) {
    static int n;
    (void)state;
    assert_ok(cs_path(root, sizeof root, "%s/%d", test_scratch(), n++));
    assert_ok(cs_folder_create(root));
    return 0;
}

static void without_control_groups_there_are_no_limits(void **state) {
    (void)state;
    assert_true(cs_memory_limit(root) == -1);
    assert_true(cs_processor_limit(root) == -1);
}

static void the_least_limit_of_a_group_and_its_parents_counts(void **state) {
    (void)state;
    write_file("proc/self/cgroup", "0::/slurm/job7/step0\n");
    write_file("sys/fs/cgroup/slurm/memory.max", "max\n");
    write_file("sys/fs/cgroup/slurm/job7/memory.max", "8000000000\n");
    write_file("sys/fs/cgroup/slurm/job7/step0/memory.max", "9000000000\n");
    write_file("sys/fs/cgroup/slurm/cpu.max", "250000 100000\n");
    write_file("sys/fs/cgroup/slurm/job7/cpu.max", "max 100000\n");
    assert_true(cs_memory_limit(root) == 8e9);
    assert_true(cs_processor_limit(root) == 2.5);
}

static void the_group_of_a_container_is_the_top(void **state) {
    (void)state;
    write_file("proc/self/cgroup", "0::/\n");
    write_file("sys/fs/cgroup/memory.max", "4000000\n");
    write_file("sys/fs/cgroup/cpu.max", "150000 100000\n");
    assert_true(cs_memory_limit(root) == 4e6);
    assert_true(cs_processor_limit(root) == 1.5);
}

static void version_1_has_a_hierarchy_for_each_resource(void **state) {
    (void)state;
    write_file("proc/self/cgroup", "11:cpuset:/other\n4:cpu,cpuacct:/job\n3:memory:/job\n");
    write_file("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1000000\n");
    write_file("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "300000\n");
    write_file("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
    assert_true(cs_memory_limit(root) == 1e6);
    assert_true(cs_processor_limit(root) == 3);
    write_file("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
    assert_true(cs_processor_limit(root) == -1);
}

static void broken_files_are_no_limits(void **state) {
    (void)state;
    write_file("proc/self/cgroup", "no colon\n0::/a\n");
    write_file("sys/fs/cgroup/a/cpu.max", "150000 0\n");
    write_file("sys/fs/cgroup/a/memory.max", "");
    assert_true(cs_memory_limit(root) == -1);
    assert_true(cs_processor_limit(root) == -1);
}

static void cores_are_those_of_the_affinity_and_of_the_limit(void **state) {
    cpu_set_t before, one;
    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    int cores = CPU_COUNT(&before), first = 0;
    while (!CPU_ISSET(first, &before))
        first++;
    assert_int_equal(cs_usable_cores(root), cores);
    write_file("proc/self/cgroup", "0::/\n");
    write_file("sys/fs/cgroup/cpu.max", "150000 100000\n");
    assert_int_equal(cs_usable_cores(root), cores < 2 ? cores : 2);
    write_file("sys/fs/cgroup/cpu.max", "20000 100000\n");
    assert_int_equal(cs_usable_cores(root), 1);
    write_file("sys/fs/cgroup/cpu.max", "max 100000\n");
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(cs_usable_cores(root), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_control_groups_there_are_no_limits, fresh),
        cmocka_unit_test_setup(the_least_limit_of_a_group_and_its_parents_counts, fresh),
        cmocka_unit_test_setup(the_group_of_a_container_is_the_top, fresh),
        cmocka_unit_test_setup(version_1_has_a_hierarchy_for_each_resource, fresh),
        cmocka_unit_test_setup(broken_files_are_no_limits, fresh),
        cmocka_unit_test_setup(cores_are_those_of_the_affinity_and_of_the_limit, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
