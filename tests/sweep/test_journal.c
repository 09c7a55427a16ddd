/* SPDX-License-Identifier: Apache-2.0 */
/* A journal is read as it was written; one that is cut at any byte is read to its last whole line. */
#include "test.h"

#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "job/column.h"
#include "job_text.h"
#include "results/origin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers that are not exact in a few decimals. */
static const double odd[] = {1.0 / 3, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 0.69314718055994529, NAN};
enum { N_ODD = sizeof odd / sizeof *odd };

static bool same_bits(double a, double b) {
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static cs_epoch_row row_of(int epoch) {
    const double *values = odd;
    int n, n_epoch;
    (void)cs_metric_columns(&n, &n_epoch);
    cs_epoch_row row = {.epoch = epoch,
                        .learning_rate = values[(epoch + n_epoch) % N_ODD],
                        .seconds = values[(epoch + n_epoch + 1) % N_ODD]};
    for (int i = 0; i < n_epoch; i++)
        row.value[i] = values[(epoch + i) % N_ODD];
    return row;
}

static cs_trial_result result_of(int trial) {
    cs_trial_result result = {.epochs_run = 7 + trial, .best_epoch = trial, .params_total = (size_t)1 << 40};
    size_t n;
    const cs_column *metrics = cs_columns(&n);
    for (size_t i = 0; i < n; i++)
        if (metrics[i].type == CS_COLUMN_DOUBLE)
            cs_column_set(&metrics[i], odd[((size_t)trial + i) % N_ODD], &result);
    return result;
}

static cs_job *read_job(const char *text) {
    cs_job *job = NULL;
    assert_ok(job_read_text(text, NULL, &job));
    return job;
}

static const char *folder(void) {
    return test_scratch();
}

static const char *journal_path(void) {
    static char path[CS_PATH_MAX];
    assert_ok(cs_path(path, sizeof path, "%s/journal.jsonl", folder()));
    return path;
}

static void write_outcome(const cs_job *job, int trial, cs_trial_state state, const char *reason) {
    char name[32];
    cs_outcome outcome = {.state = state, .rank = 3};
    if (state == CS_TRIAL_OK)
        outcome.result = result_of(trial);
    snprintf(outcome.reason, sizeof outcome.reason, "%s", reason);
    cs_job_trial_name(job, trial, name, sizeof name);
    assert_ok(cs_journal_trial(folder(), name, job, trial, &outcome, NULL));
}

#define GRID JOB_BASE "sweep: {parameters: {lr: [0.1, 0.2, 0.3, 0.4]}}\n"

/* Trial 0 has succeeded, 1 has failed, 2 is being trained, 3 waits. The start and plan lines are as cs_journal_start
 * writes them; that function itself would need a dataset. */
static cs_job *write_journal(void) {
    cs_job *job = read_job(GRID);
    FILE *file = fopen(journal_path(), "w");
    assert_non_null(file);
    fputs("{\"event\":\"start\",\"job\":\"t\",\"checksum\":\"00000000000000ff\",\"goal\":\"minimize\",\"trials\":4}\n",
          file);
    for (int t = 0; t < job->n_trials; t++)
        fprintf(file,
                "{\"event\":\"plan\",\"trial\":\"t%03d\",\"key\":\"%016llx\",\"options\":{\"train.lr\":\"%d\"}}\n", t,
                (unsigned long long)cs_trial_key(&job->trials[t]), t);
    assert_int_equal(fclose(file), 0);
    for (int epoch = 0; epoch < 2 * N_ODD; epoch++) {
        cs_epoch_row row = row_of(epoch);
        assert_ok(cs_journal_epoch(folder(), "t000", 1, &row, &job->metrics));
        if (epoch < 3)
            assert_ok(cs_journal_epoch(folder(), "t002", 2, &row, &job->metrics));
    }
    write_outcome(job, 0, CS_TRIAL_OK, "");
    write_outcome(job, 1, CS_TRIAL_FAILED, "diverged: \"epoch\" 3\n\xff");
    return job;
}

static cs_journal *read_back(void) {
    cs_journal *journal = NULL;
    assert_ok(cs_journal_read(folder(), CS_LOG_WARN, &journal));
    assert_non_null(journal);
    return journal;
}

/* Metrics that were not chosen are not written. */
static void test_every_number_is_read_back_bit_for_bit(void **state) {
    (void)state;
    cs_job *job = write_journal();
    cs_journal *journal = read_back();
    const cs_record *record = &journal->records[0];
    cs_trial_result written = result_of(0);
    size_t n;
    const cs_column *metrics = cs_columns(&n);
    int n_metrics, n_epoch;
    (void)cs_metric_columns(&n_metrics, &n_epoch);
    assert_int_equal(journal->checksum, 0xff);
    assert_false(journal->maximize);
    assert_int_equal(record->n_epochs, 2 * N_ODD);
    for (int epoch = 0; epoch < 2 * N_ODD; epoch++) {
        cs_epoch_row row = row_of(epoch);
        const cs_epoch_row *seen = &record->epochs[epoch];
        assert_int_equal(seen->epoch, epoch);
        assert_true(same_bits(seen->learning_rate, row.learning_rate) && same_bits(seen->seconds, row.seconds));
        for (int i = 0; i < n_epoch; i++)
            assert_true(same_bits(seen->value[i], job->metrics.has[i] ? row.value[i] : (double)NAN));
    }
    assert_int_equal(record->outcome.state, CS_TRIAL_OK);
    assert_int_equal(record->outcome.rank, 3);
    for (size_t i = 0; i < n; i++)
        assert_true(same_bits(cs_column_value(&metrics[i], &record->outcome.result),
                              cs_column_is_in(&metrics[i], &job->metrics) ? cs_column_value(&metrics[i], &written)
                                                                          : (double)NAN));
    assert_int_equal(journal->records[1].outcome.state, CS_TRIAL_FAILED);
    assert_string_equal(journal->records[1].outcome.reason, "diverged: \"epoch\" 3\n?");
    cs_journal_free(journal);
    cs_job_free(job);
}

static void test_of_a_repeated_epoch_the_first_row_is_kept(void **state) {
    (void)state;
    cs_job *job = write_journal();
    cs_epoch_row again = row_of(2), next = row_of(3);
    again.value[0] = 42;
    assert_ok(cs_journal_epoch(folder(), "t002", 0, &again, &job->metrics));
    assert_ok(cs_journal_epoch(folder(), "t002", 0, &next, &job->metrics));
    cs_journal *journal = read_back();
    const cs_record *record = &journal->records[2];
    assert_int_equal(record->n_epochs, 4);
    assert_true(same_bits(record->epochs[2].value[0], row_of(2).value[0]));
    assert_int_equal(record->epochs[3].epoch, 3);
    cs_journal_free(journal);
    cs_job_free(job);
}

static void test_a_job_finds_its_trials_by_their_keys(void **state) {
    (void)state;
    cs_job_free(write_journal());
    cs_journal *journal = read_back();
    /* The grid is reduced, in another order, and extended. */
    cs_job *job = read_job(JOB_BASE "sweep: {parameters: {lr: [0.9, 0.3, 0.2, 0.8, 0.1]}}\n");
    const int numbers[] = {4, 2, 1, 5, 0};
    const bool done[] = {false, false, true, false, true}, again[] = {false, false, false, false, true};
    assert_ok(cs_journal_match(journal, folder(), &(cs_sweep_options){0}, job));
    for (int t = 0; t < job->n_trials; t++) {
        assert_int_equal(job->numbers[t], numbers[t]);
        assert_int_equal(job->done[t], done[t]);
        assert_int_equal(cs_journal_record(journal, job, t) != NULL, numbers[t] < 4);
    }
    cs_job_free(job);
    job = read_job(JOB_BASE "sweep: {parameters: {lr: [0.9, 0.3, 0.2, 0.8, 0.1]}}\n");
    assert_ok(cs_journal_match(journal, folder(), &(cs_sweep_options){.retry_failed = true}, job));
    for (int t = 0; t < job->n_trials; t++)
        assert_int_equal(job->done[t], again[t]);
    cs_job_free(job);
    cs_journal_free(journal);
}

static void test_equal_trials_take_the_records_of_their_key_in_order(void **state) {
    (void)state;
    cs_job_free(write_journal());
    cs_journal *journal = read_back();
    cs_job *job = read_job(GRID);
    job->trials[2] = job->trials[0];
    journal->records[2].key = journal->records[0].key;
    assert_ok(cs_journal_match(journal, folder(), &(cs_sweep_options){0}, job));
    for (int t = 0; t < 4; t++)
        assert_int_equal(job->numbers[t], t);
    assert_true(job->done[0] && !job->done[2]);
    cs_job_free(job);
    cs_journal_free(journal);
}

static void test_the_last_start_that_names_a_file_gives_its_checksum(void **state) {
    (void)state;
    const char starts[] = "{\"event\":\"start\",\"format\":3,\"files\":{\"a.h5\":\"1\",\"b.h5\":\"2\"}}\n"
                          "{\"event\":\"start\",\"format\":3,\"files\":{\"a.h5\":\"3\"}}\n"
                          "{\"event\":\"start\",\"format\":3,\"files\":7}\n";
    assert_ok(cs_file_write(journal_path(), starts, strlen(starts)));
    cs_journal *journal = read_back();
    assert_int_equal(journal->format, CS_JOURNAL_FORMAT);
    assert_string_equal(cs_origin_checksum(journal, "a.h5"), "3");
    assert_string_equal(cs_origin_checksum(journal, "b.h5"), "2");
    assert_null(cs_origin_checksum(journal, "c.h5"));
    cs_journal_free(journal);
}

/* The job's only file with its checksum, and whether a journal is resumed in which a.h5 had the checksum 1. */
static const struct {
    const char *path;
    uint64_t checksum;
    int format;
    cs_status status;
} origins[] = {
    {"a.h5", 1, CS_JOURNAL_FORMAT, CS_OK},
    {"a.h5", 2, CS_JOURNAL_FORMAT, CS_ERR_ARG},
    {"b.h5", 1, CS_JOURNAL_FORMAT, CS_OK},
    {"b.h5", 2, CS_JOURNAL_FORMAT, CS_OK},
    {"a.h5", 0, CS_JOURNAL_FORMAT, CS_OK},
    {"a.h5", 1, CS_JOURNAL_FORMAT - 1, CS_ERR_FORMAT},
    {"a.h5", 1, CS_JOURNAL_FORMAT + 1, CS_ERR_FORMAT},
};

static void test_a_replaced_file_is_refused_and_other_files_are_not(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        char start[256];
        snprintf(start, sizeof start, "{\"event\":\"start\",\"format\":%d,\"files\":{\"a.h5\":\"%016x\"}}\n",
                 origins[i].format, 1);
        assert_ok(cs_file_write(journal_path(), start, strlen(start)));
        cs_journal *journal = read_back();
        cs_job *job = read_job(JOB_BASE);
        snprintf(job->trials[0].weights, sizeof job->trials[0].weights, "%s", origins[i].path);
        job->trials[0].weights_checksum = origins[i].checksum;
        assert_int_equal(cs_origin_check(journal, folder(), job), origins[i].status);
        cs_job_free(job);
        cs_journal_free(journal);
    }
}

static void count_epoch(void *context, int trial, const cs_epoch_row *row) {
    int *epochs = context;
    assert_int_equal(row->epoch, epochs[trial]++);
}

static void test_epochs_that_a_trial_does_not_have_are_dropped(void **state) {
    (void)state;
    cs_job *job = write_journal();
    cs_epoch_row late = row_of(0);
    late.epoch = job->trials[2].train.epochs;
    assert_ok(cs_journal_epoch(folder(), "t002", 0, &late, &job->metrics));
    cs_journal *journal = read_back();
    const cs_record *record = &journal->records[2];
    size_t before = record->n_epochs;
    int replayed[4] = {0};
    assert_int_equal(record->epochs[before - 1].epoch, late.epoch);
    assert_ok(cs_journal_match(journal, folder(), &(cs_sweep_options){0}, job));
    assert_int_equal(record->n_epochs, before - 1);
    assert_ok(cs_journal_replay(journal, job, count_epoch, replayed));
    assert_int_equal(replayed[2], before - 1);
    cs_journal_free(journal);
    cs_job_free(job);
}

static void test_a_journal_cut_at_any_byte_is_read_to_its_last_whole_line(void **state) {
    (void)state;
    char *bytes = NULL;
    size_t size = 0;
    cs_job_free(write_journal());
    assert_ok(cs_file_read(journal_path(), 1 << 20, &bytes, &size));
    for (size_t cut = 0; cut <= size; cut += 1 + (cut > 2000 ? 6 : 0)) {
        FILE *file = fopen(journal_path(), "w");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, cut, file), cut);
        assert_int_equal(fclose(file), 0);
        size_t whole = cut;
        while (whole > 0 && bytes[whole - 1] != '\n')
            whole--;
        cs_journal *journal = read_back();
        assert_int_equal(journal->complete, whole);
        assert_ok(cs_journal_repair(folder(), journal));
        cs_journal_free(journal);
        char *left = NULL;
        size_t n = 0;
        assert_ok(cs_file_read(journal_path(), 1 << 20, &left, &n));
        assert_int_equal(n, whole);
        free(left);
    }
    free(bytes);
}

static void test_a_journal_with_any_byte_altered_does_no_harm(void **state) {
    (void)state;
    char *bytes = NULL;
    size_t size = 0;
    cs_job_free(write_journal());
    assert_ok(cs_file_read(journal_path(), 1 << 20, &bytes, &size));
    cs_job *job = read_job(GRID);
    cs_log_set_level(CS_LOG_ERROR); /* each damaged journal would log a warning */
    for (size_t at = 0; at < size; at += 3) {
        char kept = bytes[at];
        bytes[at] = (char)(kept ^ (1 << (at % 7)));
        FILE *file = fopen(journal_path(), "w");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
        bytes[at] = kept;
        cs_journal *journal = read_back();
        assert_ok(cs_journal_match(journal, folder(), &(cs_sweep_options){0}, job));
        for (int t = 0; t < job->n_trials; t++)
            for (int other = 0; other < t; other++)
                assert_int_not_equal(job->numbers[t], job->numbers[other]);
        cs_journal_free(journal);
    }
    cs_job_free(job);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_number_is_read_back_bit_for_bit),
        cmocka_unit_test(test_of_a_repeated_epoch_the_first_row_is_kept),
        cmocka_unit_test(test_a_job_finds_its_trials_by_their_keys),
        cmocka_unit_test(test_equal_trials_take_the_records_of_their_key_in_order),
        cmocka_unit_test(test_the_last_start_that_names_a_file_gives_its_checksum),
        cmocka_unit_test(test_a_replaced_file_is_refused_and_other_files_are_not),
        cmocka_unit_test(test_epochs_that_a_trial_does_not_have_are_dropped),
        cmocka_unit_test(test_a_journal_cut_at_any_byte_is_read_to_its_last_whole_line),
        cmocka_unit_test(test_a_journal_with_any_byte_altered_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
