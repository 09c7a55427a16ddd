/* How much of the machine a cache may take. */
#include "test.h"

#include "cache_limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

static const cs_run_config automatic = {.cache = CS_CACHE_AUTO}, off = {.cache = CS_CACHE_OFF},
                           sized = {.cache = CS_CACHE_SIZE, .cache_bytes = 12345678};

static int use_scratch(void **state) {
    (void)state;
    return setenv("TMPDIR", test_scratch(), 1);
}

static double scratch_free(void) {
    struct statvfs about;
    assert_int_equal(statvfs(test_scratch(), &about), 0);
    return (double)about.f_bavail * (double)about.f_frsize;
}

static double total_memory(void) {
    long long kib = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "MemTotal: %lld", &kib), 1);
    fclose(file);
    return (double)kib * 1024;
}

static void off_is_nothing(void **state) {
    (void)state;
    cs_cache_limits limits = cs_limits_of_cache(&off, 1);
    assert_int_equal(limits.memory, 0);
    assert_int_equal(limits.disk, 0);
}

static void a_size_is_that_much_memory(void **state) {
    (void)state;
    cs_cache_limits limits = cs_limits_of_cache(&sized, 3);
    assert_int_equal(limits.memory, 12345678);
    assert_string_equal(limits.folder, test_scratch());
    assert_true((double)limits.disk < 0.55 / 3 * scratch_free()); /* others write there meanwhile */
}

static void auto_is_a_quarter_of_the_memory_between_the_ranks(void **state) {
    (void)state;
    double one = (double)cs_limits_of_cache(&automatic, 1).memory,
           four = (double)cs_limits_of_cache(&automatic, 4).memory;
    assert_true(one > 0 && one <= total_memory() / 4);
    assert_true(4 * four > one / 2 && 4 * four < one * 2);
}

/* A limit on the size of files is one on the cache's, too: going over it would end the process. */
static void no_file_is_larger_than_it_may_be(void **state) {
    (void)state;
    enum { LARGEST = 1 << 20 };
    struct rlimit before, narrow;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    narrow = before;
    narrow.rlim_cur = LARGEST;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &narrow), 0);
    size_t disk = cs_limits_of_cache(&sized, 1).disk;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(disk <= LARGEST);
}

static void a_folder_that_is_not_there_has_no_room(void **state) {
    (void)state;
    assert_int_equal(setenv("TMPDIR", "/nonexistent/folder", 1), 0);
    assert_int_equal(cs_limits_of_cache(&sized, 1).disk, 0);
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_string_equal(cs_limits_of_cache(&sized, 1).folder, "/tmp");
}

static void memory_that_looks_like_a_disk_is_none(void **state) {
    (void)state;
    struct statvfs about;
    if (statvfs("/dev/shm", &about) != 0)
        skip();
    assert_int_equal(setenv("TMPDIR", "/dev/shm", 1), 0);
    assert_int_equal(cs_limits_of_cache(&sized, 1).disk, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(off_is_nothing, use_scratch),
        cmocka_unit_test_setup(a_size_is_that_much_memory, use_scratch),
        cmocka_unit_test_setup(auto_is_a_quarter_of_the_memory_between_the_ranks, use_scratch),
        cmocka_unit_test_setup(no_file_is_larger_than_it_may_be, use_scratch),
        cmocka_unit_test_setup(a_folder_that_is_not_there_has_no_room, use_scratch),
        cmocka_unit_test_setup(memory_that_looks_like_a_disk_is_none, use_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
