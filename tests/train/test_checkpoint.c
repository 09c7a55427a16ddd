/* SPDX-License-Identifier: Apache-2.0 */
/* A run that is stopped and resumed from its checkpoints ends bit for bit like one that never stopped. Tests of
 * training run on every engine of this build. */
#include "augments.h"
#include "metric_value.h"
#include "ranks.h"
#include "toy.h"

#include "cnnsweep/file.h"
#include "cnnsweep/loader.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const toy_spec spec = {.counts = {14, 6, 6}, .contrast = 4};
enum { BATCHES = 4, N = 5 }; /* batches of an epoch; trials of the group */

/* What the trials reported, over all runs since `clear`. */
typedef struct history {
    toy_record record;
    uint64_t tested[N]; /* checksums of the tested weights */
    int numbers[N];     /* of the trials in the current group */
    double checkpoint_seconds;
    cs_cache_limits cache;
    int enough_at_epoch; /* > 0: the listener ends trial 0 after this epoch */
    int fail_at_epoch;   /* > 0: the listener fails at this epoch, which ends the run as a kill would */
} history;

static history undisturbed, disturbed;

/* The number, from 1, of the pass in whose first batch the run is stopped (by the linker's --wrap, settings.cmake). */
static int stop_at_pass;

cs_status __real_cs_loader_start(cs_loader *loader, int epoch, int first);
cs_status __wrap_cs_loader_start(cs_loader *loader, int epoch, int first);
cs_status __wrap_cs_loader_start(cs_loader *loader, int epoch, int first) {
    if (--stop_at_pass == 0)
        disturbed.record.stop = 1;
    return __real_cs_loader_start(loader, epoch, first);
}

/* The number, from 1, of the rename that fails. */
static int failing_rename;

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to) {
    if (--failing_rename != 0)
        return __real_rename(from, to);
    errno = ENOSPC;
    return -1;
}

static cs_train_events toys;

/* An epoch may be reported twice, but then with the same numbers. */
static cs_status on_epoch(void *context, int trial, const cs_epoch_row *row, bool *enough) {
    history *into = context;
    toy_trial_record *kept = &into->record.trials[into->numbers[trial]];
    *enough = into->numbers[trial] == 0 && into->enough_at_epoch > 0 && row->epoch >= into->enough_at_epoch;
    if (into->fail_at_epoch > 0 && row->epoch == into->fail_at_epoch)
        return cs_fail(CS_ERR_IO, "killed");
    assert_true(row->epoch <= kept->n_rows);
    if (row->epoch == kept->n_rows)
        kept->rows[kept->n_rows++] = *row;
    assert_memory_equal(kept->rows[row->epoch].value, row->value, sizeof row->value);
    return CS_OK;
}

static cs_status on_finished(void *context, int trial, const cs_trial_result *result,
                             const cs_evaluation *const *evaluations, const cs_params *params,
                             const cs_dataset *dataset) {
    history *into = context;
    assert_false(into->record.trials[into->numbers[trial]].finished);
    into->tested[into->numbers[trial]] = cs_checksum(params->data, params->graph->n_values * sizeof(float));
    return toys.finished(&into->record, into->numbers[trial], result, evaluations, params, dataset);
}

static cs_status on_failed(void *context, int trial, cs_status code) {
    history *into = context;
    return toys.failed(&into->record, into->numbers[trial], code);
}

static void on_step(void *context, int epoch, int batch, int batches) {
    toys.step(&((history *)context)->record, epoch, batch, batches);
}

static char files[N][CS_PATH_MAX], previous[N][CS_PATH_MAX], next[N][CS_PATH_MAX];

static void clear(history *into) {
    memset(into, 0, sizeof *into);
    toys = toy_events(&into->record);
    for (int i = 0; i < N; i++) {
        assert_ok(cs_path(files[i], sizeof files[i], "%s/%d.checkpoint", test_scratch(), i));
        assert_ok(cs_path(previous[i], sizeof previous[i], "%s.previous", files[i]));
        assert_ok(cs_path(next[i], sizeof next[i], "%s.next", files[i]));
        assert_ok(cs_remove_all(files[i]));
        assert_ok(cs_remove_all(previous[i]));
    }
}

/* Trains those of the trials [first, first + n) that have not finished, as one group. */
static cs_status train(const char *device, const cs_trial_config *trials, int first, int n, history *into) {
    cs_engine_options options = test_trainer_options(2);
    cs_engine *engine;
    const cs_train_events events = {
        .context = into, .epoch = on_epoch, .finished = on_finished, .failed = on_failed, .step = on_step};
    static cs_trial_config left[N];
    cs_trial_files left_files[N] = {{0}};
    cs_group_config config = {.trials = left,
                              .checkpoint_seconds = into->checkpoint_seconds,
                              .cache = into->cache,
                              .events = &events,
                              .stop = &into->record.stop};
    for (int i = first; i < first + n; i++)
        if (!into->record.trials[i].finished) {
            left[config.n] = trials[i];
            left_files[config.n].checkpoint = files[i];
            into->numbers[config.n++] = i;
        }
    if (into == &disturbed)
        config.files = left_files;
    into->record.steps = into->record.stop = 0;
    assert_ok(cs_engine_open(device, &options, &engine));
    cs_status status = cs_group_train(engine, &config);
    cs_engine_close(engine);
    into->record.stop_after = 0;
    return status;
}

static cs_status train_until(const char *device, const cs_trial_config *trials, int steps) {
    disturbed.record.stop_after = steps;
    return train(device, trials, 0, N, &disturbed);
}

/* Batch norms that train, a dropout, augmentations; three depths, two heads; two optimizers, with and without
 * momentum and rates by part, one that accumulates gradients and averages weights; the best weights kept and, of the
 * last trial, restored; the weights of two epochs averaged. */
static const cs_trial_config *make_trials(void) {
    static cs_trial_config trials[N];
    static const char *const depths[N] = {"all", "blocks:2", "head", "blocks:2", "all"};
    const cs_optimizer momentum = {.kind = CS_OPTIMIZER_SGD, .lr = 1e-2f, .momentum = 0.9f, .nesterov = true};
    const cs_optimizer plain = {
        .kind = CS_OPTIMIZER_SGD, .lr = 1e-2f, .weight_decay = 1e-3f, .accumulate = 3, .ema = 0.9};
    const char *path = toy_dataset("checkpoint", &spec);
    for (int i = 0; i < N; i++) {
        trials[i] = toy_trial(path);
        trials[i].augment = test_augment("horizontal_flip=true brightness_range=0.5:1.5");
        trials[i].train.epochs = 3;
        trials[i].train.batch = 4;
        snprintf(trials[i].train.metrics, sizeof trials[i].train.metrics, "all");
        snprintf(trials[i].train.evaluate, sizeof trials[i].train.evaluate, "train,val,test");
        snprintf(trials[i].model.arch, sizeof trials[i].model.arch, "basenet_deep_bn");
        snprintf(trials[i].model.head, sizeof trials[i].model.head, "dropout:0.3,dense");
        snprintf(trials[i].fine_tune, sizeof trials[i].fine_tune, "%s", depths[i]);
    }
    snprintf(trials[3].model.head, sizeof trials[3].model.head, "dense:20:relu,dropout:0.3,dense");
    trials[0].train.patience = 3;
    trials[1].train.optimizer = momentum;
    snprintf(trials[1].train.lr_mult, sizeof trials[1].train.lr_mult, "decay:0.7");
    trials[1].train.epochs = 4; /* early stopping waits for two of them */
    trials[1].train.patience = 2;
    trials[1].train.min_delta = 100;
    trials[2].train.optimizer = plain;
    trials[2].train.epochs = 2;
    trials[3].train.patience = 1;
    trials[3].train.min_delta = 100;
    trials[4].train.swa = (cs_swa_config){.start = 1};
    return trials;
}

/* Trains the undisturbed run on this device, if not done yet, and prepares a new disturbed one. */
static const cs_trial_config *prepare(const char *device) {
    static const char *done;
    const cs_trial_config *trials = make_trials();
    if (done != device) {
        clear(&undisturbed);
        assert_ok(train(device, trials, 0, N, &undisturbed));
        for (int i = 0; i < N; i++)
            assert_false(cs_file_exists(files[i]));
        done = device;
    }
    clear(&disturbed);
    return trials;
}

static void check_same(int i) {
    const toy_trial_record *run = &disturbed.record.trials[i];
    assert_true(run->finished);
    toy_assert_same(run, &undisturbed.record.trials[i]);
    assert_int_equal(run->result.epochs_run, undisturbed.record.trials[i].result.epochs_run);
    assert_true(metric_value(run->result.value, "val_loss") ==
                metric_value(undisturbed.record.trials[i].result.value, "val_loss"));
    assert_true(disturbed.tested[i] == undisturbed.tested[i]);
}

static void check_all_same(void) {
    for (int i = 0; i < N; i++) {
        check_same(i);
        assert_false(cs_file_exists(files[i]) || cs_file_exists(previous[i]) || cs_file_exists(next[i]));
    }
}

static void test_the_undisturbed_run_has_the_expected_epochs(void **state) {
    prepare(*state);
    assert_int_equal(undisturbed.record.trials[0].n_rows, 3);
    assert_int_equal(undisturbed.record.trials[1].n_rows, 3);
    assert_int_equal(undisturbed.record.trials[2].n_rows, 2);
    assert_int_equal(undisturbed.record.trials[3].n_rows, 2);
    assert_int_equal(undisturbed.record.trials[3].result.best_epoch, 0);
    for (int i = 0; i < N; i++)
        assert_true(undisturbed.tested[i] != undisturbed.tested[(i + 1) % N]);
}

static void test_a_run_stopped_every_few_steps_ends_the_same(void **state) {
    static const int steps[] = {1, 3, BATCHES, BATCHES + 1, 3 * BATCHES};
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
        const cs_trial_config *trials = prepare(*state);
        int stops = 0;
        while (train_until(*state, trials, steps[k]) != CS_OK) {
            assert_int_equal(cs_error_last()->code, CS_ERR_INTERRUPTED);
            stops++;
        }
        assert_int_equal(stops, 3 * BATCHES / steps[k]);
        check_all_same();
    }
}

/* Each row has the seconds of its epoch, and the result has those of all epochs, also from before a stop. */
static void test_seconds_are_carried_over(void **state) {
    const cs_trial_config *trials = prepare(*state);
    while (train_until(*state, trials, BATCHES - 1) != CS_OK)
        continue;
    for (int i = 0; i < N; i++) {
        const toy_trial_record *run = &disturbed.record.trials[i];
        double rows = 0;
        for (int k = 0; k < run->n_rows; k++)
            rows += run->rows[k].seconds;
        assert_true(run->rows[0].seconds > 0 && run->result.seconds > rows);
    }
}

/* The passes are: train, val; train, val, train, val and test of the trials that end; train, val, train for the batch
 * norms of averaged weights, train, val, test. */
static void test_a_run_stopped_in_any_pass_ends_the_same(void **state) {
    for (int pass = 1; pass <= 13; pass++) {
        const cs_trial_config *trials = prepare(*state);
        stop_at_pass = pass;
        assert_fails(train_until(*state, trials, 0), CS_ERR_INTERRUPTED, "stopped");
        assert_ok(train_until(*state, trials, 0));
        check_all_same();
    }
}

/* The listener ends the trial after its second epoch; then its best weights are tested. The passes are: train, val;
 * train, val, train, val, test. */
static void test_a_run_stopped_around_the_end_that_a_listener_chose_ends_the_same(void **state) {
    static history expected;
    for (int pass = 3; pass <= 8; pass++) {
        const cs_trial_config *trials = prepare(*state);
        clear(&expected);
        expected.enough_at_epoch = disturbed.enough_at_epoch = 1;
        assert_ok(train(*state, trials, 0, 1, &expected));
        assert_int_equal(expected.record.trials[0].n_rows, 2);
        stop_at_pass = pass;
        cs_status status = train(*state, trials, 0, 1, &disturbed);
        assert_int_equal(status, pass < 8 ? CS_ERR_INTERRUPTED : CS_OK);
        stop_at_pass = 0;
        if (status != CS_OK)
            assert_ok(train(*state, trials, 0, 1, &disturbed));
        toy_assert_same(&disturbed.record.trials[0], &expected.record.trials[0]);
        assert_true(disturbed.tested[0] == expected.tested[0]);
    }
}

static void test_a_run_killed_in_an_epoch_ends_the_same(void **state) {
    for (int epoch = 1; epoch < 3; epoch++) {
        const cs_trial_config *trials = prepare(*state);
        disturbed.fail_at_epoch = epoch;
        assert_fails(train_until(*state, trials, 0), CS_ERR_IO, "killed");
        disturbed.fail_at_epoch = 0;
        assert_ok(train_until(*state, trials, 0));
        check_all_same();
    }
}

static void test_no_checkpoint_is_written_before_its_time(void **state) {
    const cs_trial_config *trials = prepare(*state);
    disturbed.checkpoint_seconds = 1e6;
    disturbed.fail_at_epoch = 1;
    assert_fails(train_until(*state, trials, 0), CS_ERR_IO, "killed");
    for (int i = 0; i < N; i++)
        assert_false(cs_file_exists(files[i]));
}

static void test_a_group_can_be_resumed_alone_and_together_again(void **state) {
    const cs_trial_config *trials = prepare(*state);
    assert_fails(train_until(*state, trials, 2), CS_ERR_INTERRUPTED, "stopped");
    for (int i = 0; i < N; i++) { /* each trial alone, to a different step */
        disturbed.record.stop_after = 1 + i;
        assert_fails(train(*state, trials, i, 1, &disturbed), CS_ERR_INTERRUPTED, "stopped");
    }
    assert_fails(train_until(*state, trials, 3), CS_ERR_INTERRUPTED, "stopped");
    assert_ok(train(*state, trials, 1, 1, &disturbed));
    check_same(1);
    assert_ok(train(*state, trials, 0, 1, &disturbed));
    check_same(0);
    assert_ok(train(*state, trials, 2, N - 2, &disturbed));
    check_all_same();
}

static void copy_file(const char *from, const char *to) {
    char *bytes;
    size_t size;
    assert_ok(cs_file_read(from, (size_t)1 << 28, &bytes, &size));
    assert_ok(cs_file_write(to, bytes, size));
    free(bytes);
}

/* The trials' checkpoints are of different steps, as after a kill between the writing of two files, or further apart:
 * one trial at its beginning, one early, two late. */
static void test_trials_with_checkpoints_of_different_steps_join(void **state) {
    const cs_trial_config *trials = prepare(*state);
    char early[CS_PATH_MAX];
    assert_ok(cs_path(early, sizeof early, "%s/early", test_scratch()));
    assert_fails(train_until(*state, trials, 3), CS_ERR_INTERRUPTED, "stopped");
    copy_file(files[1], early);
    assert_fails(train_until(*state, trials, BATCHES), CS_ERR_INTERRUPTED, "stopped");
    copy_file(early, files[1]);
    assert_ok(cs_remove_all(previous[1]));
    assert_ok(cs_remove_all(files[0]));
    assert_ok(cs_remove_all(previous[0]));
    assert_fails(train_until(*state, trials, 5), CS_ERR_INTERRUPTED,
                 "stopped"); /* the late trials still wait for the others */
    assert_ok(train_until(*state, trials, 0));
    check_all_same();
}

/* Cuts the file to `keep_eighths` of its bytes, and flips a bit of the byte at `flip`, if there is one. */
static void damage(const char *path, size_t keep_eighths, long flip) {
    char *bytes;
    size_t size;
    assert_ok(cs_file_read(path, (size_t)1 << 28, &bytes, &size));
    if (flip >= 0)
        bytes[(size_t)flip % size] ^= 16;
    assert_ok(cs_file_write(path, bytes, size * keep_eighths / 8));
    free(bytes);
}

/* Leaves a newest file from the middle of the second epoch, and the previous one from the end of the first. */
static const cs_trial_config *stop_in_second_epoch(const char *device) {
    const cs_trial_config *trials = prepare(device);
    assert_fails(train_until(device, trials, BATCHES + 2), CS_ERR_INTERRUPTED, "stopped");
    for (int i = 0; i < N; i++)
        assert_true(cs_file_exists(files[i]) && cs_file_exists(previous[i]));
    return trials;
}

static void test_a_truncated_file_is_ignored(void **state) {
    for (size_t eighths = 0; eighths < 8; eighths++) {
        const cs_trial_config *trials = stop_in_second_epoch(*state);
        for (int i = 0; i < N; i++)
            damage(files[i], eighths, -1);
        assert_ok(train_until(*state, trials, 0));
        assert_int_equal(disturbed.record.steps, 2 * BATCHES);
        check_all_same();
    }
}

static void test_an_altered_file_is_ignored(void **state) {
    static const long flips[] = {0, 9, 60, 300, 5003, 100003};
    for (size_t k = 0; k < sizeof flips / sizeof *flips; k++) {
        const cs_trial_config *trials = stop_in_second_epoch(*state);
        for (int i = 0; i < N; i++)
            damage(files[i], 8, flips[k]);
        assert_ok(train_until(*state, trials, 0));
        assert_int_equal(disturbed.record.steps, 2 * BATCHES);
        check_all_same();
    }
}

static void test_without_an_intact_file_the_trial_begins_anew(void **state) {
    const cs_trial_config *trials = stop_in_second_epoch(*state);
    for (int i = 0; i < N; i++) {
        damage(files[i], 7, -1);
        damage(previous[i], 8, 5003);
    }
    assert_ok(train_until(*state, trials, 0));
    assert_int_equal(disturbed.record.steps, 3 * BATCHES);
    check_all_same();
}

/* The damaged file that was ignored must not replace the intact one, even when the next write fails at any step. */
static void test_an_intact_file_is_kept_whatever_fails(void **state) {
    for (int rename = 1; rename <= 2; rename++)
        for (int torn = 0; torn < 2; torn++) {
            const cs_trial_config *trials = stop_in_second_epoch(*state);
            for (int i = 0; i < N && torn; i++)
                damage(files[i], 4, -1);
            failing_rename = rename;
            assert_fails(train_until(*state, trials, 1), CS_ERR_NO_SPACE, ".checkpoint");
            failing_rename = 0;
            for (int i = 0; i < N; i++)
                assert_false(cs_file_exists(next[i]));
            assert_ok(train_until(*state, trials, 0));
            assert_true(disturbed.record.steps <= 2 * BATCHES);
            check_all_same();
        }
}

static void test_a_failed_trial_leaves_no_file(void **state) {
    prepare(*state);
    static cs_trial_config trials[N];
    memcpy(trials, make_trials(), sizeof trials);
    stop_at_pass = 3;
    assert_fails(train_until(*state, trials, 0), CS_ERR_INTERRUPTED, "stopped");
    trials[2].train.optimizer.lr = 1e30f;
    trials[2].train.optimizer.weight_decay = 1e30f;
    memset(&disturbed.record.trials[2], 0, sizeof disturbed.record.trials[2]);
    assert_ok(train_until(*state, trials, 0));
    assert_int_equal(disturbed.record.trials[2].failed, CS_ERR_DIVERGED);
    assert_false(cs_file_exists(files[2]) || cs_file_exists(previous[2]));
    check_same(0);
    check_same(1);
    check_same(3);
}

/* The file's layouts are no engine's own, so another engine can continue, with the same numbers except for rounding. */
static void test_another_engine_can_resume(void **state) {
    const char *other = strcmp(*state, "ref") == 0 ? test_device() : "ref";
    const cs_trial_config *trials = stop_in_second_epoch(*state);
    assert_ok(train_until(other, trials, 0));
    for (int i = 0; i < N; i++) {
        const toy_trial_record *run = &disturbed.record.trials[i], *whole = &undisturbed.record.trials[i];
        assert_int_equal(run->n_rows, whole->n_rows);
        for (int k = 0; k < run->n_rows; k++)
            assert_true(fabs(metric_value(run->rows[k].value, "loss") - metric_value(whole->rows[k].value, "loss")) <
                        1e-3 * metric_value(whole->rows[k].value, "loss"));
        assert_true(
            fabs(metric_value(run->result.value, "test_loss") - metric_value(whole->result.value, "test_loss")) <
            1e-2 * metric_value(whole->result.value, "test_loss"));
    }
}

/* The trials from `first` on are stopped every few steps, and one is trained alone in between: they end like an
 * undisturbed run. */
static void check_in_pieces(const char *device, const cs_trial_config *trials, int first, cs_cache_limits cache) {
    static history expected;
    clear(&expected);
    assert_ok(train(device, trials, first, N - first, &expected));
    clear(&disturbed);
    disturbed.cache = cache;
    disturbed.record.stop_after = 2;
    assert_fails(train(device, trials, N - 1, 1, &disturbed), CS_ERR_INTERRUPTED, "stopped");
    while (disturbed.record.stop_after = 2 * BATCHES - 1, train(device, trials, first, N - first, &disturbed) != CS_OK)
        assert_int_equal(cs_error_last()->code, CS_ERR_INTERRUPTED);
    for (int i = first; i < N; i++) {
        toy_assert_same(&disturbed.record.trials[i], &expected.record.trials[i]);
        assert_true(disturbed.tested[i] == expected.tested[i]);
    }
}

/* A resumed run must compute the trunk's outputs again. */
static void test_a_run_with_a_cache_ends_the_same(void **state) {
    static cs_trial_config trials[N];
    memcpy(trials, make_trials(), sizeof trials);
    for (int i = 0; i < N; i++)
        trials[i].augment = test_augment("horizontal_flip=true");
    for (int first = 0; first < 2; first++) { /* trial 0 reads the images itself */
        check_in_pieces(*state, trials, first, (cs_cache_limits){.memory = (size_t)1 << 24});
        assert_true(disturbed.record.trials[1].result.reused > 0);
    }
}

static void test_a_run_on_features_ends_the_same(void **state) {
    static cs_trial_config trials[N];
    memcpy(trials, make_trials(), sizeof trials);
    for (int i = 0; i < N; i++) {
        trials[i].train.mode = CS_TRAIN_FEATURES;
        trials[i].augment = (cs_augment){0};
        snprintf(trials[i].fine_tune, sizeof trials[i].fine_tune, "blocks:2");
    }
    check_in_pieces(*state, trials, 0, (cs_cache_limits){0});
}

/* Ranks that share batches: rank 0 writes the checkpoints, and all ranks resume from them. */
typedef struct team {
    const char *device;
    const cs_trial_config *trial;
    toy_record records[2];
    int stop_after;
    bool keeps;
    bool apart; /* each rank has its own folder */
    cs_status status[2];
} team;

static void train_rank(const cs_comm *comm, void *context) {
    team *all = context;
    toy_record *record = &all->records[comm->rank];
    cs_engine_options options = test_trainer_options(1);
    const cs_trial_files own = {.checkpoint = files[all->apart ? comm->rank : 0]};
    cs_engine *engine;
    record->stop_after = comm->rank == 0 ? all->stop_after : 0;
    cs_train_events events = toy_events(record);
    const cs_group_config config = {.trials = all->trial,
                                    .n = 1,
                                    .files = all->keeps ? &own : NULL,
                                    .comm = comm,
                                    .events = &events,
                                    .stop = &record->stop};
    assert_ok(cs_engine_open(all->device, &options, &engine));
    all->status[comm->rank] = cs_group_train(engine, &config);
    cs_engine_close(engine);
}

static void test_ranks_that_share_batches_are_resumed(void **state) {
    static team whole, stopped;
    const cs_trial_config *trials = prepare(*state);
    whole = (team){.device = *state, .trial = &trials[0]};
    stopped = (team){.device = *state, .trial = &trials[0], .stop_after = 2 * BATCHES + 1, .keeps = true};
    ranks_run(2, train_rank, &whole);
    ranks_run(2, train_rank, &stopped);
    assert_true(stopped.status[0] == CS_ERR_INTERRUPTED && stopped.status[1] == CS_ERR_INTERRUPTED);
    assert_true(cs_file_exists(files[0]));
    const toy_trial_record first = stopped.records[0].trials[0];
    stopped.stop_after = 0;
    ranks_run(2, train_rank, &stopped);
    assert_true(stopped.status[0] == CS_OK && stopped.status[1] == CS_OK);
    toy_trial_record joined = stopped.records[0].trials[0];
    assert_int_equal(first.n_rows + joined.n_rows, 3);
    memmove(joined.rows + first.n_rows, joined.rows, (size_t)joined.n_rows * sizeof *joined.rows);
    memcpy(joined.rows, first.rows, (size_t)first.n_rows * sizeof *joined.rows);
    joined.n_rows += first.n_rows;
    toy_assert_same(&joined, &whole.records[0].trials[0]);
    assert_false(cs_file_exists(files[0]));
}

static void test_ranks_that_find_different_files_refuse_to_train(void **state) {
    static team all;
    const cs_trial_config *trials = prepare(*state);
    all = (team){.device = *state, .trial = &trials[0], .stop_after = 1, .keeps = true, .apart = true};
    ranks_run(2, train_rank, &all);
    assert_true(cs_file_exists(files[0]) && !cs_file_exists(files[1]));
    ranks_run(2, train_rank, &all);
    assert_true(all.status[0] == CS_ERR_IO && all.status[1] == CS_ERR_IO);
    assert_true(cs_file_exists(files[0]));
}

static int run_on(const char *device) {
    char name[32];
    snprintf(name, sizeof name, "checkpoints on %s", device);
#define ON_DEVICE(f) cmocka_unit_test_prestate(f, (void *)(uintptr_t)device)
    const struct CMUnitTest tests[] = {
        ON_DEVICE(test_the_undisturbed_run_has_the_expected_epochs),
        ON_DEVICE(test_a_run_stopped_every_few_steps_ends_the_same),
        ON_DEVICE(test_seconds_are_carried_over),
        ON_DEVICE(test_a_run_stopped_in_any_pass_ends_the_same),
        ON_DEVICE(test_a_run_stopped_around_the_end_that_a_listener_chose_ends_the_same),
        ON_DEVICE(test_a_run_killed_in_an_epoch_ends_the_same),
        ON_DEVICE(test_no_checkpoint_is_written_before_its_time),
        ON_DEVICE(test_a_group_can_be_resumed_alone_and_together_again),
        ON_DEVICE(test_trials_with_checkpoints_of_different_steps_join),
        ON_DEVICE(test_a_failed_trial_leaves_no_file),
        ON_DEVICE(test_another_engine_can_resume),
        ON_DEVICE(test_a_run_with_a_cache_ends_the_same),
        ON_DEVICE(test_a_run_on_features_ends_the_same),
        ON_DEVICE(test_ranks_that_share_batches_are_resumed),
        ON_DEVICE(test_ranks_that_find_different_files_refuse_to_train),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

/* Tests of the files do not depend on the engine. */
static int run_files(void) {
    const char *device = "cpu";
    const struct CMUnitTest tests[] = {
        ON_DEVICE(test_a_truncated_file_is_ignored),
        ON_DEVICE(test_an_altered_file_is_ignored),
        ON_DEVICE(test_without_an_intact_file_the_trial_begins_anew),
        ON_DEVICE(test_an_intact_file_is_kept_whatever_fails),

    };
    return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}

int main(void) {
    int failures = run_files();
    for (const char *const *device = test_devices(); *device; device++)
        failures += run_on(*device);
    return failures;
}
