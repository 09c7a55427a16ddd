/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are cached in memory, in a file, or not at all. */
#include "test.h"

#include "cnnsweep/file.h"
#include "cnnsweep/row_cache.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

enum { WIDTH = 1000, ROWS = 23 };
static const size_t row_bytes = WIDTH * sizeof(float);

/* Value k of a row. */
static float value(int64_t row, int k) {
    return (float)(row * WIDTH + k);
}

static void put_all(cs_row_cache *cache) {
    float row[WIDTH];
    for (int64_t s = 0; s < ROWS; s++) {
        for (int k = 0; k < WIDTH; k++)
            row[k] = value(s, k);
        cs_row_cache_put(cache, s, row);
    }
}

static cs_row_cache *open_cache(size_t rows_in_memory, size_t rows_in_file) {
    const cs_cache_limits limits = {
        .memory = rows_in_memory * row_bytes + 1, .disk = rows_in_file * row_bytes + 1, .folder = test_scratch()};
    cs_row_cache *cache;
    assert_ok(cs_row_cache_open(&limits, ROWS, WIDTH, &cache));
    return cache;
}

static void rows_are_cached_while_there_is_room(void **state) {
    (void)state;
    static const int limits[][4] = {/* allowed in memory and in a file; then cached in each */
                                    {0, 0, 0, 0},       {5, 0, 5, 0},           {0, 7, 0, 7},       {5, 7, 5, 7},
                                    {ROWS, 7, ROWS, 0}, {5, ROWS, 5, ROWS - 5}, {900, 900, ROWS, 0}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        cs_row_cache *cache = open_cache((size_t)limits[i][0], (size_t)limits[i][1]);
        assert_int_equal(cs_row_cache_width(cache), WIDTH);
        assert_int_equal(cs_row_cache_in_memory(cache), limits[i][2]);
        assert_int_equal(cs_row_cache_in_file(cache), limits[i][3]);
        for (int64_t s = 0; s < ROWS; s++)
            assert_null(cs_row_cache_get(cache, s));
        put_all(cache);
        for (int64_t s = 0; s < ROWS; s++) {
            const float *row = cs_row_cache_get(cache, s);
            assert_int_equal(row != NULL, s < limits[i][2] + limits[i][3]);
            for (int k = 0; row && k < WIDTH; k++)
                assert_true(row[k] == value(s, k));
        }
        cs_row_cache_close(cache);
    }
}

static void the_file_has_no_name(void **state) {
    (void)state;
    cs_row_cache *cache = open_cache(0, ROWS);
    assert_int_equal(cs_row_cache_in_file(cache), ROWS);
    DIR *folder = opendir(test_scratch());
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        assert_null(strstr(entry->d_name, "cache"));
    closedir(folder);
    cs_row_cache_close(cache);
}

static void a_missing_folder_caches_no_row(void **state) {
    (void)state;
    const cs_cache_limits limits = {.memory = 2 * row_bytes, .disk = 1 << 20, .folder = "/nonexistent/folder"};
    cs_row_cache *cache;
    assert_ok(cs_row_cache_open(&limits, ROWS, WIDTH, &cache));
    assert_int_equal(cs_row_cache_in_memory(cache), 2);
    assert_int_equal(cs_row_cache_in_file(cache), 0);
    put_all(cache);
    assert_null(cs_row_cache_get(cache, 2));
    cs_row_cache_close(cache);
}

/* The limit on the size of files stands for a full disk. */
static void rows_that_do_not_fit_on_the_disk_are_not_cached(void **state) {
    (void)state;
    struct rlimit before, narrow;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    narrow = before;
    narrow.rlim_cur = 8 * row_bytes;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &narrow), 0);
    cs_row_cache *cache = open_cache(0, ROWS);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_in_range(cs_row_cache_in_file(cache), 4, 8);
    put_all(cache);
    for (int64_t s = 0; s < ROWS; s++)
        assert_int_equal(cs_row_cache_get(cache, s) != NULL, s < cs_row_cache_in_file(cache));
    cs_row_cache_close(cache);
}

static void rows_without_values_are_refused(void **state) {
    (void)state;
    const cs_cache_limits limits = {.memory = 1 << 20};
    cs_row_cache *cache;
    assert_fails(cs_row_cache_open(&limits, ROWS, 0, &cache), CS_ERR_ARG, "23 rows of 0 values");
    cs_row_cache_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_cached_while_there_is_room),
        cmocka_unit_test(the_file_has_no_name),
        cmocka_unit_test(a_missing_folder_caches_no_row),
        cmocka_unit_test(rows_that_do_not_fit_on_the_disk_are_not_cached),
        cmocka_unit_test(rows_without_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
