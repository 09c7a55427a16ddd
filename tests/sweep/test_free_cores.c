/* What /proc/stat says of the cores a program may use. */
/* sched.h: sets of cores */
#define _GNU_SOURCE
#include "test.h"

#include "run/free_cores.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char text[] = "cpu  999 0 999 99999 999 0 99 0 0 0\n"
                     "cpu0 100 0 50 300 20 0 3 0 0 0\n"
                     "cpu1 100 0 50 500 0 0 3 0 0 0\n"
                     "cpu12 100 0 50 7000 30 0 3 0 0 0\n"
                     "intr 1234 0 0\n"
                     "ctxt 1\n";

static double idle_of(const int *cores, int n) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < n; i++)
        CPU_SET((size_t)cores[i], &set);
    FILE *stat = fmemopen(text, strlen(text), "r");
    assert_non_null(stat);
    double idle = cs_idle_seconds(stat, &set);
    fclose(stat);
    return idle;
}

static void idle_and_waiting_time_of_the_given_cores_is_added(void **state) {
    (void)state;
    double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
    assert_float_equal(idle_of((int[]){0}, 1), 320 * tick, 1e-9);
    assert_float_equal(idle_of((int[]){0, 12}, 2), 7350 * tick, 1e-9);
}

static void cores_that_are_not_told_of_are_not_taken_for_busy(void **state) {
    (void)state;
    assert_float_equal(idle_of((int[]){2, 3}, 2), -1, 0);
}

static void the_cores_left_are_those_of_the_machine_at_most(void **state) {
    (void)state;
    cpu_set_t own;
    unsetenv("CNNSWEEP_FREE_CORES");
    assert_int_equal(sched_getaffinity(0, sizeof own, &own), 0);
    assert_in_range(cs_free_cores(&own), 0, CPU_COUNT(&own));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_and_waiting_time_of_the_given_cores_is_added),
        cmocka_unit_test(cores_that_are_not_told_of_are_not_taken_for_busy),
        cmocka_unit_test(the_cores_left_are_those_of_the_machine_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
