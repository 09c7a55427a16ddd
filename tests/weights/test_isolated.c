/* SPDX-License-Identifier: Apache-2.0 */
/* Work in a child process: its results, and how its end is reported. */
#include "isolated.h"
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char path[] = "some/file.h5";
static const cs_limits generous = {.cpu_seconds = 100, .wall_seconds = 100, .memory = (size_t)1 << 30};

static void assert_no_child_is_left(void) {
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static cs_status fill(void *context, FILE *text) {
    int *shared = context;
    shared[1000] = 7;
    fprintf(text, "pid %ld\n", (long)getpid());
    return CS_OK;
}

static void text_and_shared_memory_are_returned(void **state) {
    (void)state;
    char own[32], *text = NULL;
    int *shared;
    assert_ok(cs_shared_alloc(1001 * sizeof *shared, "numbers", &shared));
    assert_ok(cs_isolated(path, generous, fill, shared, &text));
    snprintf(own, sizeof own, "pid %ld\n", (long)getpid());
    assert_int_equal(shared[1000], 7);
    assert_memory_equal(text, "pid ", 4);
    assert_string_not_equal(text, own);
    assert_no_child_is_left();
    free(text);
    cs_shared_free(shared, 1001 * sizeof *shared);
}

static cs_status refuse(void *context, FILE *text) {
    fputs("so far", text);
    return cs_hint(cs_fail(CS_ERR_SHAPE, "%s is odd", (const char *)context), "make it even");
}

static void errors_are_returned_with_their_hint_and_the_text_so_far(void **state) {
    (void)state;
    char name[] = "the shape", *text = NULL;
    assert_fails(cs_isolated(path, generous, refuse, name, &text), CS_ERR_SHAPE, "the shape is odd");
    assert_string_equal(cs_error_last()->hint, "make it even");
    assert_string_equal(text, "so far");
    free(text);
}

static cs_status crash(void *context, FILE *text) {
    (void)text;
    raise(*(int *)context);
    return CS_OK;
}

static void a_crash_is_an_error_that_names_the_file(void **state) {
    (void)state;
    int deadly = SIGILL;
    char *text = NULL;
    assert_fails(cs_isolated(path, generous, crash, &deadly, &text), CS_ERR_FORMAT,
                 "some/file.h5: the HDF5 library crashed");
    assert_null(text);
    assert_no_child_is_left();
}

static void a_killed_child_is_an_error_that_suggests_lack_of_memory(void **state) {
    (void)state;
    int deadly = SIGKILL;
    char *text = NULL;
    assert_fails(cs_isolated(path, generous, crash, &deadly, &text), CS_ERR_NO_MEMORY,
                 "some/file.h5: the process that read it was killed");
    assert_non_null(strstr(cs_error_last()->hint, "memory"));
}

static cs_status spin(void *context, FILE *text) {
    volatile int *turns = context;
    (void)text;
    while (*turns >= 0)
        *turns ^= 1;
    return CS_OK;
}

static cs_status sleep_on(void *context, FILE *text) {
    (void)context, (void)text;
    while (pause() != 0)
        continue;
    return CS_OK;
}

/* The seconds that the error names. */
static double seconds_in_error(void) {
    const char *number = strstr(cs_error_last()->text, "after ");
    assert_non_null(number);
    return strtod(number + strlen("after "), NULL);
}

static void too_much_work_is_an_error_that_names_the_file(void **state) {
    (void)state;
    const cs_limits limits = {.cpu_seconds = 1, .wall_seconds = 100, .memory = 1 << 30};
    int turns = 0;
    char *text = NULL;
    assert_fails(cs_isolated(path, limits, spin, &turns, &text), CS_ERR_FORMAT,
                 "some/file.h5: the HDF5 library hung on it");
    assert_true(seconds_in_error() >= 0.9 && seconds_in_error() < 90);
    assert_no_child_is_left();
}

static void too_much_time_is_an_error_that_names_the_file(void **state) {
    (void)state;
    const cs_limits limits = {.cpu_seconds = 100, .wall_seconds = 0.5, .memory = 1 << 30};
    char *text = NULL;
    assert_fails(cs_isolated(path, limits, sleep_on, NULL, &text), CS_ERR_FORMAT,
                 "some/file.h5: the HDF5 library hung on it");
    assert_true(seconds_in_error() >= 0.5 && seconds_in_error() < 50);
    assert_no_child_is_left();
}

static void limits_grow_with_the_file(void **state) {
    (void)state;
    char large[4096];
    snprintf(large, sizeof large, "%s/large", test_scratch());
    FILE *file = fopen(large, "wb");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), 1 << 30), 0);
    fclose(file);
    cs_limits of_large = cs_limits_of(large), of_none = cs_limits_of("no such file");
    assert_true(of_none.cpu_seconds >= 10 && of_large.cpu_seconds >= of_none.cpu_seconds + 100);
    assert_true(of_large.wall_seconds > (double)of_large.cpu_seconds);
    assert_true(of_large.memory >= of_none.memory + ((size_t)1 << 30));
}

/* The child writes a byte to the pipe when it has started, and then hangs. */
static cs_status announce_and_sleep(void *context, FILE *text) {
    return write(((int *)context)[1], "", 1) == 1 ? sleep_on(context, text) : CS_ERR_IO;
}

/* Reading the pipe reaches the end when the last process that could write to it has ended. */
static void a_child_dies_with_its_parent(void **state) {
    (void)state;
    const int much_too_long = 60 * 1000; /* milliseconds */
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t parent = fork();
    assert_true(parent >= 0);
    if (parent == 0) {
        char *text;
        _exit(cs_isolated(path, generous, announce_and_sleep, ends, &text) == CS_OK);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_int_equal(poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, much_too_long), 1);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

static void ignoring_sigchld_does_not_matter(void **state) {
    (void)state;
    int deadly = SIGILL;
    char *text = NULL, name[] = "x";
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);
    assert_fails(cs_isolated(path, generous, refuse, name, &text), CS_ERR_SHAPE, "x is odd");
    free(text);
    assert_fails(cs_isolated(path, generous, crash, &deadly, &text), CS_ERR_FORMAT, "crashed");
    (void)signal(SIGCHLD, before);
}

static void work_in_this_process_gives_the_same(void **state) {
    (void)state;
    char name[] = "the shape", *text = NULL;
    assert_fails(cs_not_isolated(refuse, name, &text), CS_ERR_SHAPE, "the shape is odd");
    assert_string_equal(text, "so far");
    free(text);
}

static atomic_bool stop;

static void *allocate(void *unused) {
    while (!atomic_load(&stop))
        free(malloc(1 + (size_t)rand() % 4096));
    return unused;
}

static void other_threads_do_not_matter(void **state) {
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, allocate, NULL), 0);
    for (int i = 0; i < 50; i++) {
        int *shared;
        char *text = NULL;
        assert_ok(cs_shared_alloc(1001 * sizeof *shared, "numbers", &shared));
        assert_ok(cs_isolated(path, generous, fill, shared, &text));
        assert_int_equal(shared[1000], 7);
        free(text);
        cs_shared_free(shared, 1001 * sizeof *shared);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
}

static cs_status chatter(void *context, FILE *text) {
    for (int i = 0; i < 1 << 20; i++)
        fputs("more than comes back\n", text);
    return *(int *)context == 0 ? CS_OK : CS_ERR_IO;
}

static void endless_text_is_truncated(void **state) {
    (void)state;
    int zero = 0;
    char *text = NULL;
    assert_ok(cs_isolated(path, generous, chatter, &zero, &text));
    assert_true(strlen(text) == 4 << 20);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_shared_memory_are_returned),
        cmocka_unit_test(errors_are_returned_with_their_hint_and_the_text_so_far),
        cmocka_unit_test(a_crash_is_an_error_that_names_the_file),
        cmocka_unit_test(a_killed_child_is_an_error_that_suggests_lack_of_memory),
        cmocka_unit_test(too_much_work_is_an_error_that_names_the_file),
        cmocka_unit_test(too_much_time_is_an_error_that_names_the_file),
        cmocka_unit_test(limits_grow_with_the_file),
        cmocka_unit_test(a_child_dies_with_its_parent),
        cmocka_unit_test(work_in_this_process_gives_the_same),
        cmocka_unit_test(ignoring_sigchld_does_not_matter),
        cmocka_unit_test(other_threads_do_not_matter),
        cmocka_unit_test(endless_text_is_truncated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
