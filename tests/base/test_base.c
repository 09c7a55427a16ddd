/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "cnnsweep/text.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *in_scratch(const char *name) {
    static char path[CS_PATH_MAX];
    assert_ok(cs_path(path, sizeof path, "%s/%s", test_scratch(), name));
    return path;
}

static cs_status fail_deep(void) {
    return cs_hint(cs_fail(CS_ERR_SHAPE, "layer '%s' has %d rows", "conv1", 3), "use %d", 4);
}

static cs_status relay(void) {
    CS_TRY(fail_deep());
    return CS_OK;
}

static void an_error_carries_text_hint_place_and_context(void **state) {
    (void)state;
    cs_status status = cs_context(relay(), "trial %d", 7);
    const cs_error *error = cs_error_last();
    assert_int_equal(status, CS_ERR_SHAPE);
    assert_string_equal(error->text, "trial 7: layer 'conv1' has 3 rows");
    assert_string_equal(error->hint, "use 4");
    assert_non_null(strstr(error->where, "test_base.c:"));
}

static void a_full_disk_has_a_code_of_its_own(void **state) {
    (void)state;
    errno = ENOSPC;
    assert_int_equal(cs_fail_errno("out.h5: cannot write"), CS_ERR_NO_SPACE);
    errno = EACCES;
    assert_int_equal(cs_fail_errno("out.h5: cannot write"), CS_ERR_IO);
    assert_string_equal(cs_error_last()->text, "out.h5: cannot write: Permission denied");
}

static void *fail_elsewhere(void *error) {
    (void)fail_deep();
    *(cs_error *)error = *cs_error_last();
    return NULL;
}

static void an_error_of_another_thread_is_not_seen_until_restored(void **state) {
    (void)state;
    cs_error carried;
    pthread_t thread;
    cs_error_clear();
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &carried), 0);
    pthread_join(thread, NULL);
    assert_int_equal(cs_error_last()->code, CS_OK);
    assert_int_equal(cs_error_restore(&carried), CS_ERR_SHAPE);
    assert_string_equal(cs_error_last()->text, "layer 'conv1' has 3 rows");
}

static void a_misspelt_name_gets_the_nearest_name_and_an_unlike_one_none(void **state) {
    (void)state;
    static const char *const names[] = {"epochs", "batch", "optimizer"};
    char text[64];
    assert_string_equal(cs_did_you_mean("epohcs", names, 3, text, sizeof text), "; did you mean 'epochs'?");
    assert_string_equal(cs_did_you_mean("zzzzzzz", names, 3, text, sizeof text), "");
}

static void an_atomic_file_is_absent_until_committed(void **state) {
    (void)state;
    const char *path = in_scratch("atomic");
    cs_atomic_file *file;
    assert_ok(cs_atomic_open(path, &file));
    fputs("whole", cs_atomic_stream(file));
    assert_false(cs_file_exists(path));
    assert_ok(cs_atomic_commit(&file));
    assert_null(file);
    char *bytes;
    size_t size;
    assert_ok(cs_file_read(path, 100, &bytes, &size));
    assert_int_equal(size, 5);
    assert_string_equal(bytes, "whole");
    free(bytes);
}

static void a_published_file_is_absent_until_it_is_complete(void **state) {
    char path[CS_PATH_MAX];
    cs_atomic_file *file;
    char *bytes;
    size_t size;
    (void)state;
    assert_ok(cs_path(path, sizeof path, "%s/published.txt", test_scratch()));
    assert_ok(cs_atomic_open(path, &file));
    fputs("whole", cs_atomic_stream(file));
    assert_false(cs_file_exists(path));
    assert_ok(cs_atomic_publish(&file));
    assert_null(file);
    assert_ok(cs_file_read(path, 100, &bytes, &size));
    assert_string_equal(bytes, "whole");
    free(bytes);
}

static void an_aborted_file_keeps_the_old_one(void **state) {
    (void)state;
    const char *path = in_scratch("kept");
    cs_atomic_file *file;
    assert_ok(cs_file_write(path, "old", 3));
    assert_ok(cs_atomic_open(path, &file));
    fputs("new", cs_atomic_stream(file));
    cs_atomic_abort(&file);
    char *bytes;
    size_t size;
    assert_ok(cs_file_read(path, 100, &bytes, &size));
    assert_string_equal(bytes, "old");
    free(bytes);
}

static void a_full_disk_leaves_the_old_file(void **state) {
    (void)state;
    if (!cs_file_exists("/dev/full"))
        skip();
    cs_atomic_file *file;
    assert_ok(cs_atomic_open(in_scratch("never"), &file));
    FILE *full = freopen("/dev/full", "w", cs_atomic_stream(file));
    assert_non_null(full);
    fputs("does not fit", full);
    assert_fails(cs_atomic_commit(&file), CS_ERR_NO_SPACE, "No space left");
    assert_false(cs_file_exists(in_scratch("never")));
}

/* The child takes the lock, creates the file "held", and then holds the lock until it is killed. */
static pid_t start_holder(const char *path) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        cs_file_lock *lock = NULL;
        if (cs_file_lock_try(path, &lock) != CS_OK || !lock || cs_file_write(in_scratch("held"), "", 0) != CS_OK)
            _exit(1);
        for (;;)
            pause();
    }
    while (!cs_file_exists(in_scratch("held")))
        assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    return child;
}

static void a_lock_belongs_to_one_process_and_ends_with_it(void **state) {
    (void)state;
    char path[CS_PATH_MAX];
    cs_file_lock *lock = NULL;
    assert_ok(cs_path(path, sizeof path, "%s", in_scratch("lock")));
    pid_t holder = start_holder(path);
    assert_ok(cs_file_lock_try(path, &lock));
    assert_null(lock);
    kill(holder, SIGKILL);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    assert_ok(cs_file_lock_try(path, &lock));
    assert_non_null(lock);
    cs_file_lock_release(lock);
    assert_false(cs_file_exists(path));
}

static void a_lock_in_a_missing_folder_is_an_error(void **state) {
    (void)state;
    cs_file_lock *lock = NULL;
    assert_fails(cs_file_lock_try(in_scratch("none/lock"), &lock), CS_ERR_IO, "none/lock: cannot write");
    assert_null(lock);
}

static void a_file_over_the_limit_and_a_missing_file_are_refused(void **state) {
    (void)state;
    char *bytes;
    size_t size;
    assert_ok(cs_file_write(in_scratch("long"), "12345678", 8));
    assert_fails(cs_file_read(in_scratch("long"), 7, &bytes, &size), CS_ERR_FORMAT, "8 bytes");
    assert_fails(cs_file_read(test_scratch(), 7, &bytes, &size), CS_ERR_IO, "not a regular file");
    assert_fails(cs_file_read(in_scratch("absent"), 7, &bytes, &size), CS_ERR_IO, "No such file");
}

static void folders_are_made_and_removed_with_what_is_in_them(void **state) {
    (void)state;
    assert_ok(cs_folder_create(in_scratch("a/b/c")));
    assert_ok(cs_folder_create(in_scratch("a/b/c")));
    assert_ok(cs_file_write(in_scratch("a/b/file"), "x", 1));
    assert_ok(cs_remove_all(in_scratch("a")));
    assert_false(cs_file_exists(in_scratch("a")));
    assert_ok(cs_remove_all(in_scratch("a")));
}

/* XXH3-64 of an empty input, from the xxHash specification's reference implementation. */
static void the_checksum_is_xxh3_and_the_same_in_pieces(void **state) {
    (void)state;
    assert_true(cs_checksum("", 0) == 0x2d06800538d394c2ull);
    char text[1000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 31);
    cs_checksum_stream *stream;
    assert_ok(cs_checksum_open(&stream));
    cs_checksum_add(stream, text, 333);
    cs_checksum_add(stream, text + 333, sizeof text - 333);
    assert_true(cs_checksum_close(stream) == cs_checksum(text, sizeof text));
}

static void the_checksum_of_a_file_is_that_of_its_bytes(void **state) {
    (void)state;
    enum { SIZE = 1000003 }; /* needs several reads, the last of which is short */
    char path[CS_PATH_MAX], *bytes = malloc(SIZE);
    uint64_t sum = 0;
    assert_non_null(bytes);
    for (int i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 31 % 251);
    assert_ok(cs_path(path, sizeof path, "%s/bytes", test_scratch()));
    assert_ok(cs_file_write(path, bytes, SIZE));
    assert_ok(cs_checksum_file(path, &sum));
    assert_true(sum == cs_checksum(bytes, SIZE));
    assert_ok(cs_file_write(path, bytes, 0));
    assert_ok(cs_checksum_file(path, &sum));
    assert_true(sum == cs_checksum("", 0));
    assert_int_not_equal(cs_checksum_file(test_scratch(), &sum), CS_OK);
    assert_int_not_equal(cs_checksum_file("/dev/zero", &sum), CS_OK);
    free(bytes);
}

static void absurd_sizes_are_an_error_that_says_what_they_were_for(void **state) {
    (void)state;
    void *block;
    assert_fails(cs_alloc_aligned(SIZE_MAX / 2, 4, "the trunk", &block), CS_ERR_NO_MEMORY, "the trunk");
    assert_fails(cs_alloc(SIZE_MAX / 2, 4, "the trunk", &block), CS_ERR_NO_MEMORY, "the trunk");
}

static void growing_keeps_items_and_zeroes_new_ones(void **state) {
    (void)state;
    int *items = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 100; i++) {
        assert_ok(cs_grow(&items, &capacity, (size_t)i + 1, sizeof *items, "items"));
        items[i] = i;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(items[i], i);
    for (size_t i = 100; i < capacity; i++)
        assert_int_equal(items[i], 0);
    free(items);
}

static void the_text_of_a_float_is_the_shortest_that_gives_it_back(void **state) {
    (void)state;
    static const struct {
        float value;
        const char *text;
    } rows[] = {{0.1f, "0.1"},    {0, "0"},        {-0.0f, "0"},          {1, "1"},
                {1e-5f, "1e-05"}, {-2.5f, "-2.5"}, {16777216, "16777216"}};
    cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 0, 0);
    char text[16];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cs_float_text(rows[i].value, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
    for (int i = 0; i < 10000; i++) {
        float value = -cs_rng_float(&rng) * 1e-37f;
        cs_float_text(value, text, sizeof text);
        assert_true(strtof(text, NULL) == value);
    }
}

static void the_text_of_a_double_is_the_shortest_that_gives_it_back(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0.1, "0.1"}, {-0.0, "0"}, {1.0 / 3, "0.3333333333333333"}, {0.1 + 0.2, "0.30000000000000004"}};
    cs_rng rng = cs_rng_at(2, CS_PURPOSE_TEST, 0, 0);
    char text[25];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cs_double_text(rows[i].value, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
    for (int i = 0; i < 10000; i++) {
        double value = -(double)cs_rng_float(&rng) * (double)cs_rng_float(&rng) * 1e-300;
        cs_double_text(value, text, sizeof text);
        assert_true(strtod(text, NULL) == value);
    }
}

static void seconds_are_shown_as_hours_minutes_and_seconds(void **state) {
    (void)state;
    const struct {
        double seconds;
        const char *text;
    } rows[] = {{0, "0:00:00"}, {59.4, "0:00:59"}, {59.6, "0:01:00"}, {3723, "1:02:03"}, {360000, "100:00:00"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[24];
        cs_clock_text(rows[i].seconds, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_carries_text_hint_place_and_context),
        cmocka_unit_test(a_full_disk_has_a_code_of_its_own),
        cmocka_unit_test(an_error_of_another_thread_is_not_seen_until_restored),
        cmocka_unit_test(a_misspelt_name_gets_the_nearest_name_and_an_unlike_one_none),
        cmocka_unit_test(an_atomic_file_is_absent_until_committed),
        cmocka_unit_test(a_published_file_is_absent_until_it_is_complete),
        cmocka_unit_test(an_aborted_file_keeps_the_old_one),
        cmocka_unit_test(a_full_disk_leaves_the_old_file),
        cmocka_unit_test(a_lock_belongs_to_one_process_and_ends_with_it),
        cmocka_unit_test(a_lock_in_a_missing_folder_is_an_error),
        cmocka_unit_test(a_file_over_the_limit_and_a_missing_file_are_refused),
        cmocka_unit_test(folders_are_made_and_removed_with_what_is_in_them),
        cmocka_unit_test(the_checksum_is_xxh3_and_the_same_in_pieces),
        cmocka_unit_test(the_checksum_of_a_file_is_that_of_its_bytes),
        cmocka_unit_test(absurd_sizes_are_an_error_that_says_what_they_were_for),
        cmocka_unit_test(growing_keeps_items_and_zeroes_new_ones),
        cmocka_unit_test(the_text_of_a_float_is_the_shortest_that_gives_it_back),
        cmocka_unit_test(the_text_of_a_double_is_the_shortest_that_gives_it_back),
        cmocka_unit_test(seconds_are_shown_as_hours_minutes_and_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
