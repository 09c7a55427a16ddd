/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of a cache: how much memory and disk it may take. */
#include "test.h"

#include "plan/cache_limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

static const cs_run_config automatic = {.cache = {.mode = CS_CACHE_AUTO}}, off = {.cache = {.mode = CS_CACHE_OFF}},
                           sized = {.cache = {.mode = CS_CACHE_SIZE, .bytes = 12345678}};

static cs_engine *engine; /* a CPU engine whose stores the functions below replace */
static size_t room;

bool __wrap_cs_engine_has_stores(const cs_engine *asked);
bool __wrap_cs_engine_has_stores(const cs_engine *asked) {
    return asked == engine && room > 0;
}

size_t __wrap_cs_engine_free_bytes(const cs_engine *asked);
size_t __wrap_cs_engine_free_bytes(const cs_engine *asked) {
    assert_ptr_equal(asked, engine);
    return room;
}

static int open_engine(void **state) {
    (void)state;
    const cs_engine_options options = {.threads = 1};
    return cs_engine_open("ref", &options, &engine) == CS_OK ? 0 : -1;
}

static int close_engine(void **state) {
    (void)state;
    cs_engine_close(engine);
    return 0;
}

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

static void off_allows_nothing(void **state) {
    (void)state;
    cs_cache_limits limits = cs_limits_of_cache(&off, 1, engine);
    assert_int_equal(limits.memory, 0);
    assert_int_equal(limits.disk, 0);
}

static void a_size_allows_that_much_memory(void **state) {
    (void)state;
    cs_cache_limits limits = cs_limits_of_cache(&sized, 3, engine);
    assert_int_equal(limits.memory, 12345678);
    assert_string_equal(limits.folder, test_scratch());
    assert_true((double)limits.disk < 0.55 / 3 * scratch_free()); /* other programs may write to it meanwhile */
}

static void auto_allows_a_quarter_of_the_memory_for_all_ranks(void **state) {
    (void)state;
    double one = (double)cs_limits_of_cache(&automatic, 1, engine).memory,
           four = (double)cs_limits_of_cache(&automatic, 4, engine).memory;
    assert_true(one > 0 && one <= total_memory() / 4);
    assert_true(4 * four > one / 2 && 4 * four < one * 2);
}

/* A limit on the size of files applies to the cache's file too: exceeding it would end the process. */
static void the_file_stays_below_the_limit_on_file_sizes(void **state) {
    (void)state;
    enum { LARGEST = 1 << 20 };
    struct rlimit before, narrow;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    narrow = before;
    narrow.rlim_cur = LARGEST;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &narrow), 0);
    size_t disk = cs_limits_of_cache(&sized, 1, engine).disk;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(disk <= LARGEST);
}

static void a_missing_folder_has_no_room(void **state) {
    (void)state;
    assert_int_equal(setenv("TMPDIR", "/nonexistent/folder", 1), 0);
    assert_int_equal(cs_limits_of_cache(&sized, 1, engine).disk, 0);
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_string_equal(cs_limits_of_cache(&sized, 1, engine).folder, "/tmp");
}

static void a_disk_in_memory_does_not_count_as_disk(void **state) {
    (void)state;
    struct statvfs about;
    if (statvfs("/dev/shm", &about) != 0)
        skip();
    assert_int_equal(setenv("TMPDIR", "/dev/shm", 1), 0);
    assert_int_equal(cs_limits_of_cache(&sized, 1, engine).disk, 0);
}

/* The engine reports how much of its memory each rank may use. */
static void the_cache_of_a_device_is_in_its_memory(void **state) {
    (void)state;
    room = 4000;
    cs_cache_limits limits[] = {cs_limits_of_cache(&automatic, 2, engine), cs_limits_of_cache(&sized, 2, engine),
                                cs_limits_of_cache(&off, 2, engine)};
    double available = cs_available_memory(2, engine);
    room = 0;
    static const size_t memory[] = {1000, 12345678, 0};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(limits[i].memory, memory[i]);
        assert_int_equal(limits[i].disk, 0);
    }
    assert_true(available == 4000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(off_allows_nothing, use_scratch),
        cmocka_unit_test_setup(a_size_allows_that_much_memory, use_scratch),
        cmocka_unit_test_setup(auto_allows_a_quarter_of_the_memory_for_all_ranks, use_scratch),
        cmocka_unit_test_setup(the_file_stays_below_the_limit_on_file_sizes, use_scratch),
        cmocka_unit_test_setup(a_missing_folder_has_no_room, use_scratch),
        cmocka_unit_test_setup(a_disk_in_memory_does_not_count_as_disk, use_scratch),
        cmocka_unit_test_setup(the_cache_of_a_device_is_in_its_memory, use_scratch),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
