/* SPDX-License-Identifier: Apache-2.0 */
/* The folder in which the CUDA engine stores plans. The tests need no GPU. */
#include "test.h"

#include "cuda/plan_cache.h"

#include "cnnsweep/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char key[] = "NVIDIA H200 with 132 SM; cuDNN 91900; bf16 forward 32x8x8x3 to 8x8x4";
static const char plan[] = "engine 7\n{\"knobs\": [1, 2, 3]}";

static const char *folder(const char *name) {
    static char path[CS_PATH_MAX];
    assert_ok(cs_path(path, sizeof path, "%s/%s", test_scratch(), name));
    return path;
}

/* The only file of a folder. */
static const char *only_file(const char *in) {
    static char path[CS_PATH_MAX];
    int n = 0;
    DIR *dir = opendir(in);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        if (entry->d_name[0] != '.') {
            assert_ok(cs_path(path, sizeof path, "%s/%s", in, entry->d_name));
            n++;
        }
    closedir(dir);
    assert_int_equal(n, 1);
    return path;
}

static void assert_found(const cu_plan_cache *cache, const char *wanted) {
    char *found = cu_plan_cache_find(cache, key);
    assert_non_null(found);
    assert_string_equal(found, wanted);
    free(found);
}

static void a_stored_plan_is_found_again(void **state) {
    (void)state;
    cu_plan_cache cache = {.folder = folder("kept/deeper")};
    assert_null(cu_plan_cache_find(&cache, key));
    cu_plan_cache_keep(&cache, key, plan);
    assert_found(&(cu_plan_cache){.folder = cache.folder}, plan);
}

static void another_key_finds_nothing(void **state) {
    (void)state;
    cu_plan_cache cache = {.folder = folder("keys")};
    cu_plan_cache_keep(&cache, key, plan);
    assert_null(cu_plan_cache_find(&cache, "NVIDIA A100"));
    assert_null(cu_plan_cache_find(&cache, "NVIDIA H200 with 132 SM")); /* a prefix of the key */
}

/* Two keys with the same checksum would share a file. The test simulates this by renaming a file. */
static void a_file_of_another_key_counts_as_absent(void **state) {
    (void)state;
    cu_plan_cache cache = {.folder = folder("foreign")};
    char name[CS_PATH_MAX];
    cu_plan_cache_keep(&cache, key, plan);
    assert_ok(cs_path(name, sizeof name, "%s", only_file(cache.folder)));
    assert_int_equal(unlink(name), 0);
    cu_plan_cache_keep(&cache, "NVIDIA A100", "engine 9\n{}");
    assert_int_equal(rename(only_file(cache.folder), name), 0);
    assert_null(cu_plan_cache_find(&cache, key));
    cu_plan_cache_keep(&cache, key, plan);
    assert_found(&cache, plan);
}

static void a_truncated_file_is_replaced(void **state) {
    (void)state;
    cu_plan_cache cache = {.folder = folder("cut")};
    cu_plan_cache_keep(&cache, key, plan);
    char *bytes;
    size_t size;
    assert_ok(cs_file_read(only_file(cache.folder), 1 << 16, &bytes, &size));
    free(bytes);
    for (size_t length = 0; length < size; length++) {
        assert_int_equal(truncate(only_file(cache.folder), (off_t)length), 0);
        assert_null(cu_plan_cache_find(&cache, key));
        cu_plan_cache_keep(&cache, key, plan);
        assert_found(&cache, plan);
    }
}

static void a_file_with_any_byte_changed_counts_as_absent(void **state) {
    (void)state;
    cu_plan_cache cache = {.folder = folder("changed")};
    cu_plan_cache_keep(&cache, key, plan);
    char path[CS_PATH_MAX], *bytes;
    size_t size;
    assert_ok(cs_path(path, sizeof path, "%s", only_file(cache.folder)));
    assert_ok(cs_file_read(path, 1 << 16, &bytes, &size));
    for (size_t i = 0; i < size; i++) {
        char was = bytes[i];
        bytes[i] ^= i % 2 ? was : 1; /* every other byte becomes a NUL */
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
        assert_null(cu_plan_cache_find(&cache, key));
        bytes[i] = was;
    }
    free(bytes);
}

/* Processes that store plans of different lengths with the same key leave one complete plan at any time. */
static void concurrent_writers_leave_complete_plans(void **state) {
    (void)state;
    enum { WRITERS = 3, TIMES = 60, LONG = 100000 };
    static char long_plan[LONG + 1];
    memset(long_plan, 'x', LONG);
    const char *plans[2] = {long_plan, "engine 1\n{}"};
    cu_plan_cache cache = {.folder = folder("writers")};
    cu_plan_cache_keep(&cache, key, plans[0]);
    for (int w = 0; w < WRITERS; w++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (int i = 0; i < TIMES; i++)
                cu_plan_cache_keep(&cache, key, plans[(w + i) % 2]);
            _exit(cache.failed);
        }
    }
    for (int ended = 0; ended < WRITERS;) {
        char *found = cu_plan_cache_find(&cache, key);
        assert_non_null(found);
        assert_true(strcmp(found, plans[0]) == 0 || strcmp(found, plans[1]) == 0);
        free(found);
        int status;
        if (waitpid(-1, &status, WNOHANG) > 0) {
            assert_int_equal(status, 0);
            ended++;
        }
    }
}

/* Returns what is printed to stderr while two plans are stored in a folder that cannot be created. */
static char *said_without_a_folder(cu_plan_cache *cache) {
    char *text;
    size_t size;
    const char *log = folder("log");
    fflush(stderr);
    int was = dup(STDERR_FILENO);
    FILE *file = fopen(log, "w");
    assert_non_null(file);
    dup2(fileno(file), STDERR_FILENO);
    cu_plan_cache_keep(cache, key, plan);
    cu_plan_cache_keep(cache, key, plan);
    fflush(stderr);
    dup2(was, STDERR_FILENO);
    close(was);
    fclose(file);
    assert_ok(cs_file_read(log, 1 << 16, &text, &size));
    return text;
}

/* A folder inside a file cannot be created, not even by root, whom permissions do not restrict. */
static void a_folder_that_cannot_be_written_gives_one_warning(void **state) {
    (void)state;
    char path[CS_PATH_MAX];
    assert_ok(cs_path(path, sizeof path, "%s/file/plans", test_scratch()));
    assert_ok(cs_file_write(folder("file"), "", 0));
    cu_plan_cache cache = {.folder = path};
    char *said = said_without_a_folder(&cache);
    char *first = strstr(said, "plans of convolutions are not kept");
    assert_non_null(first);
    assert_null(strstr(first + 1, "plans of convolutions are not kept"));
    assert_non_null(strstr(said, path));
    free(said);
    assert_null(cu_plan_cache_find(&cache, key));
}

static void without_a_folder_nothing_is_stored_or_printed(void **state) {
    (void)state;
    cu_plan_cache cache = {0};
    char *said = said_without_a_folder(&cache);
    assert_string_equal(said, "");
    free(said);
    assert_null(cu_plan_cache_find(&cache, key));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stored_plan_is_found_again),
        cmocka_unit_test(another_key_finds_nothing),
        cmocka_unit_test(a_file_of_another_key_counts_as_absent),
        cmocka_unit_test(a_truncated_file_is_replaced),
        cmocka_unit_test(a_file_with_any_byte_changed_counts_as_absent),
        cmocka_unit_test(concurrent_writers_leave_complete_plans),
        cmocka_unit_test(a_folder_that_cannot_be_written_gives_one_warning),
        cmocka_unit_test(without_a_folder_nothing_is_stored_or_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
