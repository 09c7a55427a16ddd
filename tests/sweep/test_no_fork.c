/* SPDX-License-Identifier: Apache-2.0 */
/* A fork waits for the work of other threads, so that no child process is made in the midst of it. */
#include "test.h"

#include "run/no_fork.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 2, FORKS = 50 };

static atomic_int working;
static atomic_bool over;

static void *work(void *argument) {
    (void)argument;
    while (!over) {
        cs_no_fork_begin();
        working++;
        sched_yield();
        working--;
        cs_no_fork_end();
        sched_yield();
    }
    return NULL;
}

static void test_a_child_is_made_while_no_thread_works(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    cs_no_fork_init();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, NULL), 0);
    for (int i = 0; i < FORKS; i++) {
        int how = -1;
        const pid_t child = fork();
        if (child == 0)
            _exit(working);
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFEXITED(how));
        assert_int_equal(WEXITSTATUS(how), 0);
    }
    over = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_child_is_made_while_no_thread_works)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
