/* SPDX-License-Identifier: Apache-2.0 */
/* Rank 0's coordinator: what it guarantees to be on the disk, and that the work for one trial does not grow with the
 * number of trials. Growth is measured in processor time with a wide margin, because work that does grow would differ
 * by a factor as large as the number of trials. */
#include "test.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "cnnsweep/text_table.h"
#include "fixture.h"
#include "job/scheduler.h"
#include "job_text.h"
#include "metric_value.h"
#include "run/coordinator.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int syncs, failing_syncs; /* failing_syncs: so many of the next syncs fail */

int __wrap_fsync(int file);
int __wrap_fsync(int file) {
    (void)file;
    syncs++;
    if (failing_syncs == 0)
        return 0;
    failing_syncs--;
    errno = EIO;
    return -1;
}

typedef struct setup {
    cs_job *job;
    cs_plan plan;
    cs_results *results;
    cs_coordinator *coordinator;
} setup;

static volatile sig_atomic_t stop;

/* A job with ten batch sizes and many seeds; its trials are handed out one by one. */
static cs_job *make_job(const char *more, int trials) {
    char text[1024];
    cs_job *job = NULL;
    snprintf(text, sizeof text,
             JOB_BASE "train: {epochs: 2}\n"
                      "sweep: {%srepeats: %d, parameters: {batch: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}\n",
             more, trials / 10);
    assert_ok(job_read_text(text, NULL, &job));
    assert_int_equal(job->n_trials, trials);
    return job;
}

static void open_setup(int trials, setup *o) {
    const fixture spec = {.h = 4, .w = 4, .counts = {3, 3, 3}, .shard_bytes = 1 << 20};
    size_t n = (size_t)trials;
    *o = (setup){.job = make_job("", trials)};
    fixture_write(fixture_path("d.h5"), &spec);
    o->plan = (cs_plan){.job = o->job, .rank_groups = 1, .n_costs = trials, .n_groups = trials};
    assert_ok(cs_dataset_open(fixture_path("d.h5"), &o->plan.dataset));
    assert_ok(cs_alloc(n, sizeof *o->plan.seconds, "seconds", &o->plan.seconds));
    assert_ok(cs_alloc(n, sizeof *o->plan.costs, "costs", &o->plan.costs));
    assert_ok(cs_alloc(n, sizeof *o->plan.groups, "groups", &o->plan.groups));
    for (int t = 0; t < trials; t++) {
        o->plan.costs[t].trial = t;
        o->plan.groups[t] = (cs_trial_group){.first = t, .n = 1, .seconds = 1};
    }
    const cs_results_config config = {.job = o->job,
                                      .dataset = o->plan.dataset,
                                      .folder = fixture_path("out"),
                                      .force = true,
                                      .ranks = 2,
                                      .threads = 1,
                                      .engine = "none"};
    stop = 0;
    assert_ok(cs_results_open(&config, &o->results));
    assert_ok(cs_coordinator_open(&o->plan, o->results, NULL, &stop, &o->coordinator));
    syncs = 0;
}

static void close_setup(setup *o) {
    cs_coordinator_close(o->coordinator);
    cs_results_close(o->results);
    cs_dataset_close(o->plan.dataset);
    free(o->plan.seconds);
    free(o->plan.costs);
    free(o->plan.groups);
    cs_job_free(o->job);
}

static cs_answer ask(setup *o) {
    const cs_message message = {.kind = CS_ASK_GROUP};
    cs_answer answer;
    cs_coordinator_handle(o->coordinator, 1, &message, NULL, &answer);
    return answer;
}

static cs_answer report_epoch(setup *o, int trial, int epoch, double seconds) {
    cs_message message = {.kind = CS_REPORT_EPOCH, .trial = trial};
    cs_answer answer;
    message.epoch = (cs_epoch_row){.epoch = epoch, .seconds = seconds};
    *metric_at(message.epoch.value, "loss") = 1.0 / 3;
    cs_coordinator_handle(o->coordinator, 1, &message, NULL, &answer);
    return answer;
}

static cs_answer report_finished(setup *o, int trial, double seconds) {
    double values[] = {0, 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1};
    const cs_evaluation test = {.spec = {.classes = 3, .needs = CS_NEEDS_CONFUSION}, .values = values};
    const cs_evaluation *evaluations[CS_SPLIT_COUNT] = {[CS_SPLIT_TEST] = &test};
    cs_message message = {.kind = CS_REPORT_FINISHED, .trial = trial};
    cs_answer answer;
    message.result = (cs_trial_result){.epochs_run = 2, .seconds = seconds};
    *metric_at(message.result.value, "test_accuracy") = 1;
    cs_coordinator_handle(o->coordinator, 1, &message, evaluations, &answer);
    return answer;
}

static void test_epochs_that_arrive_together_share_a_sync(void **state) {
    (void)state;
    enum { TOGETHER = 20 };
    setup o;
    open_setup(TOGETHER, &o);
    cs_answer answers[TOGETHER];
    for (int t = 0; t < TOGETHER; t++)
        answers[t] = report_epoch(&o, t, 0, 5);
    assert_int_equal(syncs, 0);
    cs_coordinator_commit(o.coordinator, answers, TOGETHER);
    assert_int_equal(syncs, 1);
    cs_coordinator_commit(o.coordinator, answers, TOGETHER);
    assert_int_equal(syncs, 1);
    for (int t = 0; t < TOGETHER; t++)
        assert_false(answers[t].refused || answers[t].stop);
    close_setup(&o);
}

static void test_less_than_a_second_of_training_is_not_synced(void **state) {
    (void)state;
    setup o;
    open_setup(10, &o);
    for (int t = 0; t < 10; t++) {
        cs_answer answer = report_epoch(&o, t, 0, 0.3);
        cs_coordinator_commit(o.coordinator, &answer, 1);
        assert_int_equal(syncs, (t + 1) / 4); /* after every fourth epoch it is more than a second */
    }
    close_setup(&o);
}

static void test_a_report_is_on_the_disk_before_it_is_answered(void **state) {
    (void)state;
    setup o;
    open_setup(10, &o);
    cs_answer answer = report_finished(&o, 0, 0.1);
    assert_int_equal(syncs, 1);
    failing_syncs = 1;
    answer = report_finished(&o, 1, 0.1);
    assert_true(answer.refused && answer.stop);
    assert_int_equal(cs_results_outcomes(o.results)[0].state, CS_TRIAL_OK);
    assert_int_equal(cs_results_outcomes(o.results)[1].state, CS_TRIAL_PENDING);
    close_setup(&o);
}

/* A system may drop data that it could not write, and still report success for the next sync. */
static void test_after_a_failed_sync_nothing_is_accepted(void **state) {
    (void)state;
    setup o;
    open_setup(10, &o);
    cs_answer answers[2] = {report_epoch(&o, 0, 0, 5), report_epoch(&o, 1, 0, 5)};
    failing_syncs = 1;
    cs_coordinator_commit(o.coordinator, answers, 2);
    assert_true(answers[0].refused && answers[0].stop && answers[1].refused && answers[1].stop && stop);
    assert_fails(cs_coordinator_error(o.coordinator), CS_ERR_IO, "journal.jsonl");
    cs_answer next = report_epoch(&o, 2, 0, 5);
    cs_coordinator_commit(o.coordinator, &next, 1);
    assert_true(next.refused && next.stop);
    close_setup(&o);
}

static double cpu(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The seconds of a hand-out; each trial is handed out once. */
static double hand_out_all(int trials) {
    setup o;
    open_setup(trials, &o);
    double begun = cpu();
    for (int t = 0; t < trials; t++) {
        cs_answer answer = ask(&o);
        assert_true(answer.n == 1 && answer.trials[0] == t);
    }
    double each = (cpu() - begun) / trials;
    assert_int_equal(ask(&o).n, 0);
    close_setup(&o);
    return each;
}

static void test_the_time_of_a_hand_out_does_not_grow_with_the_trials(void **state) {
    (void)state;
    const double margin = 15;
    double few = INFINITY;
    for (int i = 0; i < 3; i++)
        few = fmin(few, hand_out_all(1000));
    assert_true(hand_out_all(50000) < margin * few);
}

/* The bytes that this process has written with write(2) and similar calls. */
static long long written(void) {
    long long bytes = -1;
    char line[128];
    FILE *file = fopen("/proc/self/io", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "wchar: %lld", &bytes) == 1)
            break;
    fclose(file);
    assert_true(bytes >= 0);
    return bytes;
}

static long long written_for(setup *o, int first, int n) {
    long long before = written();
    for (int t = first; t < first + n; t++) {
        cs_answer answers[] = {report_epoch(o, t, 0, 5), report_epoch(o, t, 1, 5), report_finished(o, t, 10)};
        cs_coordinator_commit(o->coordinator, answers, 3);
        assert_false(answers[0].refused || answers[1].refused || answers[2].refused);
    }
    return written() - before;
}

static void test_the_last_trials_write_as_many_bytes_as_the_first(void **state) {
    (void)state;
    enum { TRIALS = 2000, LOOK = 100 };
    const double digits = 1.1; /* because names get longer */
    setup o;
    open_setup(TRIALS, &o);
    double first = (double)written_for(&o, 0, LOOK);
    written_for(&o, LOOK, TRIALS - 2 * LOOK);
    double last = (double)written_for(&o, TRIALS - LOOK, LOOK);
    assert_true(first > LOOK * 500 && last < digits * first);
    close_setup(&o);
}

static int ascending(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double seconds_to_sort(int n) {
    double *values = NULL;
    assert_ok(cs_alloc((size_t)n, sizeof *values, "values", &values));
    cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < n; i++)
        values[i] = (double)cs_rng_float(&rng);
    double begun = cpu();
    qsort(values, (size_t)n, sizeof *values, ascending);
    double seconds = cpu() - begun;
    free(values);
    return seconds;
}

/* A scheduler that sorted the other trials' values at each epoch would take the time of a sort for each. */
static void assert_deciding_sorts_nothing(const char *scheduler) {
    enum { TRIALS = 10000 };
    const double part = 0.1;
    char reason[256];
    cs_job *job = make_job(scheduler, TRIALS);
    cs_scheduler *rule = NULL;
    assert_ok(cs_scheduler_open(job, &rule));
    double sort = fmin(seconds_to_sort(TRIALS), seconds_to_sort(TRIALS)), begun = cpu();
    for (int t = 0; t < TRIALS; t++) {
        cs_rng rng = cs_rng_at(2, CS_PURPOSE_TEST, 0, (uint32_t)t);
        cs_epoch_row row = {.epoch = 0};
        *metric_at(row.value, "val_loss") = (double)cs_rng_float(&rng);
        (void)cs_scheduler_decide(rule, t, &row, reason, sizeof reason);
    }
    assert_true(cpu() - begun < part * TRIALS * sort);
    cs_scheduler_close(rule);
    cs_job_free(job);
}

static void test_a_scheduler_decides_without_sorting_the_trials(void **state) {
    (void)state;
    assert_deciding_sorts_nothing("metric: {name: val_loss}, scheduler: median, ");
    assert_deciding_sorts_nothing("metric: {name: val_loss}, scheduler: asha, ");
}

static double seconds_to_print(int rows) {
    cs_text_table table = {0};
    char text[32];
    FILE *nowhere = fopen("/dev/null", "w");
    assert_non_null(nowhere);
    assert_ok(cs_text_table_open(&table, rows, 2));
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < 2; c++) {
            snprintf(text, sizeof text, "%d", r * (c + 1));
            assert_ok(cs_text_table_set(&table, r, c, text));
        }
    double begun = cpu();
    cs_text_table_print(&table, nowhere);
    double seconds = cpu() - begun;
    cs_text_table_close(&table);
    fclose(nowhere);
    return seconds;
}

static void test_the_time_of_a_table_row_does_not_grow_with_the_table(void **state) {
    (void)state;
    enum { FEW = 1000, MANY = 50000 };
    const double margin = 10;
    double few = INFINITY;
    for (int i = 0; i < 5; i++)
        few = fmin(few, seconds_to_print(FEW) / FEW);
    assert_true(seconds_to_print(MANY) / MANY < margin * few);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epochs_that_arrive_together_share_a_sync),
        cmocka_unit_test(test_less_than_a_second_of_training_is_not_synced),
        cmocka_unit_test(test_a_report_is_on_the_disk_before_it_is_answered),
        cmocka_unit_test(test_after_a_failed_sync_nothing_is_accepted),
        cmocka_unit_test(test_the_time_of_a_hand_out_does_not_grow_with_the_trials),
        cmocka_unit_test(test_the_last_trials_write_as_many_bytes_as_the_first),
        cmocka_unit_test(test_a_scheduler_decides_without_sorting_the_trials),
        cmocka_unit_test(test_the_time_of_a_table_row_does_not_grow_with_the_table),
    };
    cs_log_set_level(CS_LOG_WARN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
