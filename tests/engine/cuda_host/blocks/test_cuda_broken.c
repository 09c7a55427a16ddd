/* SPDX-License-Identifier: Apache-2.0 */
/* Running blocks with many threads on the host detects errors in kernels. */
#include "broken.h"
#include "test.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The number of threads that got their neighbour's number. */
static int right_neighbours(bool barrier) {
    float out[BROKEN_THREADS];
    int right = 0;
    launch_neighbours(barrier, out);
    for (int t = 0; t < BROKEN_THREADS; t++)
        right += out[t] == (float)((t + 1) % BROKEN_THREADS);
    return right;
}

static void a_barrier_waits_for_all_threads(void **state) {
    (void)state;
    assert_int_equal(right_neighbours(true), BROKEN_THREADS);
}

static void a_missing_barrier_gives_wrong_results(void **state) {
    (void)state;
    assert_true(right_neighbours(false) < BROKEN_THREADS);
}

static void shared_memory_begins_each_block_as_nans(void **state) {
    (void)state;
    float out[2];
    launch_never_written(out);
    assert_true(out[0] == 1 && isnan(out[1]));
}

/* The second sum uses the same shared memory as the first. */
static void two_sums_of_a_block_do_not_mix(void **state) {
    (void)state;
    float out[BROKEN_THREADS];
    launch_two_sums(out);
    for (int t = 0; t < BROKEN_THREADS; t++)
        assert_true(out[t] == BROKEN_THREADS * (BROKEN_THREADS - 1) / 2 - BROKEN_THREADS);
}

/* The launch must end the program with the message `what`. */
static void assert_refused(void (*launch)(void), const char *what) {
    char said[1024];
    int ends[2], status;
    size_t length = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        launch();
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t n; length < sizeof said - 1 && (n = read(ends[0], said + length, sizeof said - 1 - length)) > 0;)
        length += (size_t)n;
    said[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    if (!strstr(said, what))
        fail_msg("\"%s\" does not say \"%s\"", said, what);
}

static void a_barrier_that_some_threads_do_not_reach_is_refused(void **state) {
    (void)state;
    assert_refused(launch_half_a_barrier, "half_a_barrier, block 0,0,0, thread 0: waits for threads that do not come");
}

static void two_barriers_at_once_are_refused(void **state) {
    (void)state;
    assert_refused(launch_two_barriers, "others wait elsewhere");
}

static void a_shuffle_of_half_a_warp_is_refused(void **state) {
    (void)state;
    assert_refused(launch_half_a_warp, "half_a_warp, block 0,0,0, thread 1: waits for threads that do not come");
}

static void grids_that_cannot_be_launched_are_refused(void **state) {
    (void)state;
    assert_refused(launch_no_blocks, "cannot be started");
    assert_refused(launch_a_high_grid, "cannot be started");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_barrier_waits_for_all_threads),
        cmocka_unit_test(a_missing_barrier_gives_wrong_results),
        cmocka_unit_test(shared_memory_begins_each_block_as_nans),
        cmocka_unit_test(two_sums_of_a_block_do_not_mix),
        cmocka_unit_test(a_barrier_that_some_threads_do_not_reach_is_refused),
        cmocka_unit_test(two_barriers_at_once_are_refused),
        cmocka_unit_test(a_shuffle_of_half_a_warp_is_refused),
        cmocka_unit_test(grids_that_cannot_be_launched_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
