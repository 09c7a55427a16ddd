/* SPDX-License-Identifier: Apache-2.0 */
/* How busy the cores are according to /proc/stat, and how many threads fit beside other programs. */
/* for sets of cores in sched.h */
#define _GNU_SOURCE
#include "test.h"

#include "run/busy_cores.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The columns: user nice system idle iowait irq softirq steal guest guest_nice. */
static char text[] = "cpu  99999 99999 99999 99999 99999 99999 99999 99999 0 0\n"
                     "cpu0 100 1000 50 300 20 1 2 3 0 0\n"
                     "cpu1 0 0 0 0 0 0 0 0 0 0\n"
                     "cpu12 7 1000 0 7000 30 0 0 0 0 0\n"
                     "intr 1234 0 0\n"
                     "ctxt 1\n";

static double busy_of(const int *cores, int n) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < n; i++)
        CPU_SET((size_t)cores[i], &set);
    FILE *stat = fmemopen(text, strlen(text), "r");
    assert_non_null(stat);
    double busy = cs_busy_seconds(stat, &set);
    fclose(stat);
    return busy;
}

static void work_of_the_given_cores_counts_but_not_nice_work(void **state) {
    (void)state;
    double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
    assert_float_equal(busy_of((int[]){0}, 1), 156 * tick, 1e-9);
    assert_float_equal(busy_of((int[]){0, 12}, 2), 163 * tick, 1e-9);
}

static void cores_without_a_line_are_not_busy(void **state) {
    (void)state;
    assert_float_equal(busy_of((int[]){1}, 1), 0, 0);
    assert_float_equal(busy_of((int[]){2, 3}, 2), 0, 0);
    assert_float_equal(busy_of(NULL, 0), 0, 0);
}

static void threads_fit_beside_other_programs(void **state) {
    (void)state;
    static const struct {
        int share, cores, busy, ranks, threads;
    } cases[] = {
        {2, 2, 0, 1, 2},  {2, 2, 1, 1, 1},   {2, 2, 2, 1, 1},   {16, 16, 3, 1, 13}, {4, 16, 0, 4, 4},
        {4, 16, 1, 4, 3}, {4, 16, 15, 4, 1}, {4, 16, 99, 4, 1}, {2, 16, 4, 3, 2},   {1, 1, 0, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(cs_threads_on_free_cores(cases[i].share, cases[i].cores, cases[i].busy, cases[i].ranks),
                         cases[i].threads);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_of_the_given_cores_counts_but_not_nice_work),
        cmocka_unit_test(cores_without_a_line_are_not_busy),
        cmocka_unit_test(threads_fit_beside_other_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
