/* Work in a child process: what comes back from it, and what its end tells. */
#include "isolated.h"
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char path[] = "some/file.h5";

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

static void text_and_shared_memory_come_back(void **state) {
    (void)state;
    char own[32], *text = NULL;
    int *shared;
    assert_ok(cs_shared_alloc(1001 * sizeof *shared, "numbers", &shared));
    assert_ok(cs_isolated(path, fill, shared, &text));
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

static void errors_come_back_with_their_hint_and_the_text_so_far(void **state) {
    (void)state;
    char name[] = "the shape", *text = NULL;
    assert_fails(cs_isolated(path, refuse, name, &text), CS_ERR_SHAPE, "the shape is odd");
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
    int deadly = SIGKILL;
    char *text = NULL;
    assert_fails(cs_isolated(path, crash, &deadly, &text), CS_ERR_FORMAT, "some/file.h5: the HDF5 library crashed");
    assert_null(text);
    assert_no_child_is_left();
}

/* One second of the processor, as the real limit would take long to reach. */
static cs_status spin(void *context, FILE *text) {
    struct rlimit second = {1, 2};
    volatile int *turns = context;
    (void)text;
    if (setrlimit(RLIMIT_CPU, &second) != 0)
        return CS_ERR_IO;
    for (;;)
        ++*turns;
}

static void a_hang_is_an_error_that_names_the_file(void **state) {
    (void)state;
    int turns = 0;
    char *text = NULL;
    assert_fails(cs_isolated(path, spin, &turns, &text), CS_ERR_FORMAT, "some/file.h5: the HDF5 library hung");
    assert_int_equal(turns, 0);
    assert_no_child_is_left();
}

static void a_process_that_ignores_its_children_learns_as_much(void **state) {
    (void)state;
    int deadly = SIGKILL;
    char *text = NULL, name[] = "x";
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);
    assert_fails(cs_isolated(path, refuse, name, &text), CS_ERR_SHAPE, "x is odd");
    free(text);
    assert_fails(cs_isolated(path, crash, &deadly, &text), CS_ERR_FORMAT, "crashed");
    (void)signal(SIGCHLD, before);
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
        assert_ok(cs_isolated(path, fill, shared, &text));
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

static void endless_text_is_cut(void **state) {
    (void)state;
    int zero = 0;
    char *text = NULL;
    assert_ok(cs_isolated(path, chatter, &zero, &text));
    assert_true(strlen(text) == 4 << 20);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_shared_memory_come_back),
        cmocka_unit_test(errors_come_back_with_their_hint_and_the_text_so_far),
        cmocka_unit_test(a_crash_is_an_error_that_names_the_file),
        cmocka_unit_test(a_hang_is_an_error_that_names_the_file),
        cmocka_unit_test(a_process_that_ignores_its_children_learns_as_much),
        cmocka_unit_test(other_threads_do_not_matter),
        cmocka_unit_test(endless_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
