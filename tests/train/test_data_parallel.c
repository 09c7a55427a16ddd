/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks that share every batch, as threads of one process with an engine each, give the loss curve of one rank, and all
 * end together when one of them fails or stops. The ranks cache the trunk's outputs; the single rank does not. */
#include "augments.h"
#include "metric_value.h"
#include "ranks.h"
#include "toy.h"

#include "cnnsweep/file.h"
#include "cnnsweep/loader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* 41 images in batches of 8: the last batch has one row, so that all ranks but one have none. */
static const toy_spec uneven = {.counts = {41, 14, 11}, .contrast = 30};

typedef struct parallel {
    const char *device;
    const cs_trial_config *trials;
    int n;
    int stops;           /* the rank that sets its stop flag */
    int stops_after;     /* after so many steps; 0: never */
    unsigned test_needs; /* CS_NEEDS_* */
    int enough_after;    /* rank 0's listener ends the trial after so many epochs; 0: never */
    toy_record records[RANKS_MAX];
    cs_status status[RANKS_MAX];
    char text[RANKS_MAX][256];
    uint64_t states[RANKS_MAX]; /* the checksum of the last parameters that were evaluated */
    int steps[RANKS_MAX];
} parallel;

/* The comm of a rank, which counts the training steps: each ends with one wait. */
typedef struct counted {
    const cs_comm *inner;
    parallel *all;
} counted;

static cs_status count_sum(void *context, float *values, size_t n) {
    const cs_comm *inner = ((counted *)context)->inner;
    return inner->sum(inner->context, values, n);
}

static cs_status count_sum_double(void *context, double *values, size_t n) {
    const cs_comm *inner = ((counted *)context)->inner;
    return inner->sum_double(inner->context, values, n);
}

static cs_status count_sum_start(void *context, float *values, size_t n) {
    const cs_comm *inner = ((counted *)context)->inner;
    return inner->sum_start(inner->context, values, n);
}

static cs_status count_sum_wait(void *context) {
    counted *self = context;
    int rank = self->inner->rank;
    if (++self->all->steps[rank] == self->all->stops_after && rank == self->all->stops)
        self->all->records[rank].stop = 1;
    return self->inner->sum_wait(self->inner->context);
}

/* Which calls of one rank fail, counted from 1; 0: none (by the linker's --wrap, settings.cmake). */
static _Thread_local int this_rank = -1, loads, backwards;
static int faulty_rank = -1, faulty_load, faulty_backward;

cs_status __real_cs_loader_next(cs_loader *loader, cs_batch *batch);
cs_status __wrap_cs_loader_next(cs_loader *loader, cs_batch *batch);
cs_status __wrap_cs_loader_next(cs_loader *loader, cs_batch *batch) {
    if (this_rank == faulty_rank && ++loads == faulty_load)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "image 7 is damaged"), "pack it again");
    return __real_cs_loader_next(loader, batch);
}

cs_status __real_cs_program_backward(cs_program *program, int n);
cs_status __wrap_cs_program_backward(cs_program *program, int n);
cs_status __wrap_cs_program_backward(cs_program *program, int n) {
    if (this_rank == faulty_rank && ++backwards == faulty_backward)
        return cs_fail(CS_ERR_NO_MEMORY, "backward had no memory");
    return __real_cs_program_backward(program, n);
}

static _Thread_local uint64_t evaluated;

cs_status __real_cs_program_load(cs_program *program, cs_param_array array, const cs_params *params);
cs_status __wrap_cs_program_load(cs_program *program, cs_param_array array, const cs_params *params);
cs_status __wrap_cs_program_load(cs_program *program, cs_param_array array, const cs_params *params) {
    evaluated = cs_checksum(params->data, params->graph->n_values * sizeof *params->data);
    return __real_cs_program_load(program, array, params);
}

/* Initial values with batch norms that scale and shift: with Keras' mean 0 and variance 1 the outputs would hardly
 * depend on the images. */
void __real_cs_params_init(cs_params *params, uint64_t seed);
void __wrap_cs_params_init(cs_params *params, uint64_t seed);
void __wrap_cs_params_init(cs_params *params, uint64_t seed) {
    __real_cs_params_init(params, seed);
    for (int i = 0; i < params->graph->n_params; i++) {
        const cs_param *param = &params->graph->params[i];
        for (size_t k = 0; k < param->count; k++) {
            if (param->role == CS_PARAM_MOVING_VARIANCE)
                cs_params_at(params, param)[k] = 0.1f;
            if (param->role == CS_PARAM_BETA)
                cs_params_at(params, param)[k] = 0.2f * (float)(k % 5);
        }
    }
}

static cs_status train_as(const cs_comm *comm, parallel *all) {
    int rank = comm ? comm->rank : 0;
    counted context = {comm, all};
    cs_engine_options options = test_trainer_options(1);
    all->records[rank].enough_after = all->enough_after;
    all->records[rank].test_needs = all->test_needs;
    cs_train_events events = toy_events(&all->records[rank]);
    cs_comm own = {.context = &context,
                   .sum = count_sum,
                   .sum_double = count_sum_double,
                   .sum_start = count_sum_start,
                   .sum_wait = count_sum_wait};
    if (comm) {
        own.rank = rank;
        own.size = comm->size;
    }
    cs_group_config config = {.trials = all->trials,
                              .n = all->n,
                              .comm = comm ? &own : NULL,
                              .cache = {.memory = comm ? 1 << 24 : 0},
                              .events = &events,
                              .needs = {[CS_SPLIT_TEST] = all->test_needs},
                              .stop = &all->records[rank].stop};
    cs_engine *engine;
    CS_TRY(cs_engine_open(all->device, &options, &engine));
    cs_status status = cs_group_train(engine, &config);
    cs_engine_close(engine);
    return status;
}

static void train_rank(const cs_comm *comm, void *context) {
    parallel *all = context;
    this_rank = comm->rank;
    loads = backwards = 0;
    all->status[comm->rank] = train_as(comm, all);
    all->states[comm->rank] = evaluated;
    snprintf(all->text[comm->rank], sizeof all->text[0], "%.200s", cs_error_last()->text);
}

static parallel alone, together;

static void train_on(parallel *run, const char *device, const cs_trial_config *trials, int n, int size) {
    int stops = run->stops, stops_after = run->stops_after, enough_after = run->enough_after;
    unsigned test_needs = run->test_needs;
    memset(run, 0, sizeof *run);
    run->device = device;
    run->test_needs = test_needs;
    run->trials = trials;
    run->n = n;
    run->stops = stops;
    run->stops_after = stops_after;
    run->enough_after = enough_after;
    if (size == 0)
        run->status[0] = train_as(NULL, run);
    else
        ranks_run(size, train_rank, run);
}

static void assert_close(double got, double want, double tolerance, const char *what) {
    if (!(fabs(got - want) <= tolerance * fabs(want)))
        fail_msg("%s is %.9g, not %.9g", what, got, want);
}

static void assert_same_curve(const toy_trial_record *got, const toy_trial_record *want, double tolerance) {
    assert_int_equal(got->n_rows, want->n_rows);
    assert_true(want->n_rows > 0 && got->finished && want->finished);
    for (int i = 0; i < want->n_rows; i++) {
        assert_close(metric_value(got->rows[i].value, "loss"), metric_value(want->rows[i].value, "loss"), tolerance,
                     "loss");
        assert_close(metric_value(got->rows[i].value, "val_loss"), metric_value(want->rows[i].value, "val_loss"),
                     tolerance, "val_loss");
        assert_close(metric_value(got->rows[i].value, "accuracy"), metric_value(want->rows[i].value, "accuracy"), 1e-9,
                     "accuracy");
        assert_close(metric_value(got->rows[i].value, "val_accuracy"),
                     metric_value(want->rows[i].value, "val_accuracy"), 1e-9, "val_accuracy");
    }
    assert_close(metric_value(got->result.value, "test_loss"), metric_value(want->result.value, "test_loss"), tolerance,
                 "test_loss");
    assert_memory_equal(got->confusion, want->confusion, sizeof want->confusion);
    assert_int_equal(got->result.best_epoch, want->result.best_epoch);
}

/* Compares 2 and 3 ranks with 1. Only rank 0 gets events. */
static void check_ranks(const char *device, const cs_trial_config *trials, int n) {
    double tolerance = strcmp(device, "ref") == 0 ? 1e-5 : 1e-3;
    train_on(&alone, device, trials, n, 0);
    assert_ok(alone.status[0]);
    for (int size = 2; size <= 3; size++) {
        train_on(&together, device, trials, n, size);
        for (int r = 0; r < size; r++) {
            if (together.status[r] != CS_OK)
                fail_msg("rank %d of %d: %s", r, size, together.text[r]);
            assert_true(together.states[r] == together.states[0]);
            if (r > 0)
                assert_int_equal(together.records[r].trials[0].n_rows + together.records[r].steps, 0);
        }
        assert_int_equal(together.records[0].steps, alone.records[0].steps);
        for (int t = 0; t < n; t++)
            assert_same_curve(&together.records[0].trials[t], &alone.records[0].trials[t], tolerance);
    }
}

static cs_trial_config small_trial(const char *name) {
    cs_trial_config trial = toy_trial(toy_dataset(name, &uneven));
    trial.train.optimizer = (cs_optimizer){.kind = CS_OPTIMIZER_SGD, .lr = 1e-2f, .momentum = 0.9f};
    return trial;
}

static void set_fine_tune(cs_trial_config *trial, const char *depth) {
    snprintf(trial->fine_tune, sizeof trial->fine_tune, "%s", depth);
}

static cs_trial_config mobile_trial(const char *depth, bool sync_bn) {
    cs_trial_config trial = small_trial("mobile");
    snprintf(trial.model.arch, sizeof trial.model.arch, "mobilenet");
    trial.model.alpha = 0.25f;
    trial.train.sync_bn = sync_bn;
    set_fine_tune(&trial, depth);
    return trial;
}

static void ranks_give_the_curve_of_one(void **state) {
    cs_trial_config trial = small_trial("plain");
    check_ranks(*state, &trial, 1);
}

static void ranks_give_the_curve_of_one_with_rates_by_part(void **state) {
    cs_trial_config trial = small_trial("by_part");
    snprintf(trial.train.lr_mult, sizeof trial.train.lr_mult, "decay:0.7,head:3");
    check_ranks(*state, &trial, 1);
}

static void ranks_give_the_averaged_weights_of_one(void **state) {
    cs_trial_config trials[2] = {mobile_trial("14", true), mobile_trial("14", true)};
    for (int i = 0; i < 2; i++) {
        trials[i].train.swa = (cs_swa_config){.start = 1};
        trials[i].train.epochs = 3;
    }
    set_fine_tune(&trials[1], "head");
    check_ranks(*state, trials, 2);
}

static void ranks_give_the_curve_of_one_with_mixed_images(void **state) {
    cs_trial_config trial = small_trial("mixed");
    test_augment_mix(&trial.augment, &(cs_mix){{{CS_MIX_KERAS, 0.4f, 0.5f}, {CS_MIX_KERAS, 1, 0.5f}}});
    check_ranks(*state, &trial, 1);
}

/* The train split's are those of the rows that each rank has predicted while it trained. */
static void ranks_give_the_metrics_of_one(void **state) {
    static const char *const epoch_columns[] = {"macro_recall", "mcc", "log_loss", "brier", "val_mcc", "val_log_loss"},
                             *const result_columns[] = {"test_mcc", "test_log_loss", "final_mcc", "final_log_loss"};
    double tolerance = strcmp(*state, "ref") == 0 ? 1e-5 : 1e-3;
    cs_trial_config trial = small_trial("metrics");
    snprintf(trial.train.metrics, sizeof trial.train.metrics, "all");
    snprintf(trial.train.evaluate, sizeof trial.train.evaluate, "train,val,test");
    check_ranks(*state, &trial, 1);
    const toy_trial_record *got = &together.records[0].trials[0], *want = &alone.records[0].trials[0];
    for (int i = 0; i < want->n_rows; i++)
        for (size_t k = 0; k < sizeof epoch_columns / sizeof *epoch_columns; k++)
            assert_close(metric_value(got->rows[i].value, epoch_columns[k]),
                         metric_value(want->rows[i].value, epoch_columns[k]), tolerance, epoch_columns[k]);
    for (size_t k = 0; k < sizeof result_columns / sizeof *result_columns; k++)
        assert_close(metric_value(got->result.value, result_columns[k]),
                     metric_value(want->result.value, result_columns[k]), tolerance, result_columns[k]);
}

/* The mean of torch divides by the weights of all rows of the batch, which the ranks share unequally. */
static void ranks_give_the_curve_of_one_with_class_weights(void **state) {
    static const cs_train_dialect dialects[] = {CS_TRAIN_DIALECT_KERAS, CS_TRAIN_DIALECT_TORCH};
    for (int i = 0; i < 2; i++) {
        cs_trial_config trial = small_trial("weighted");
        trial.train.optimizer.dialect = dialects[i];
        trial.train.label_smoothing = 0.1;
        snprintf(trial.train.class_weight, sizeof trial.train.class_weight, "red:0.2,blue:4");
        check_ranks(*state, &trial, 1);
    }
}

static void the_logits_of_all_ranks_are_collected_when_needed(void **state) {
    cs_trial_config trial = small_trial("logits");
    together.test_needs = CS_NEEDS_LOGITS;
    for (int size = 0; size <= 3; size += 3) { /* 0: one rank without a comm */
        train_on(&together, *state, &trial, 1, size);
        const toy_trial_record *run = &together.records[0].trials[0];
        int64_t rows = 0;
        assert_ok(together.status[0]);
        for (int i = 0; i < TOY_CLASSES * TOY_CLASSES; i++)
            rows += run->from_logits[i];
        assert_int_equal(rows, uneven.counts[CS_SPLIT_TEST]);
        assert_memory_equal(run->from_logits, run->confusion, sizeof run->confusion);
    }
    together.test_needs = CS_NEEDS_TALLY;
}

static void ranks_give_the_curve_of_one_with_dropout_and_l2(void **state) {
    cs_trial_config trial = small_trial("dropout");
    trial.model.dropout = 0.4f;
    trial.model.l2 = 0.05f;
    check_ranks(*state, &trial, 1);
}

static void ranks_give_the_curve_of_one_after_frozen_batch_norms(void **state) {
    cs_trial_config trial = mobile_trial("head", false);
    check_ranks(*state, &trial, 1);
}

static void ranks_give_the_curves_of_a_group(void **state) {
    cs_trial_config trials[3];
    for (int i = 0; i < 3; i++)
        trials[i] = small_trial("several");
    set_fine_tune(&trials[1], "2");
    trials[1].train.epochs = 3;
    trials[2].train.epochs = 5;
    trials[2].train.patience = 1;
    trials[2].train.min_delta = 100;
    check_ranks(*state, trials, 3);
}

static void synchronised_batch_norms_give_the_curve_of_one(void **state) {
    cs_trial_config trial = mobile_trial("14", true);
    check_ranks(*state, &trial, 1);
}

static void local_batch_norms_give_another_curve_and_equal_states(void **state) {
    cs_trial_config trial = mobile_trial("14", false);
    trial.train.epochs = 3;
    train_on(&alone, *state, &trial, 1, 0);
    train_on(&together, *state, &trial, 1, 2);
    assert_ok(alone.status[0]);
    for (int r = 0; r < 2; r++)
        assert_ok(together.status[r]);
    assert_true(together.states[1] == together.states[0]);
    double got = metric_value(together.records[0].trials[0].rows[2].value, "loss"),
           want = metric_value(alone.records[0].trials[0].rows[2].value, "loss");
    assert_true(fabs(got - want) > 1e-4 * want);
    assert_true(fabs(got - want) < want);
}

static void one_rank_with_a_comm_equals_one_without(void **state) {
    cs_trial_config trial = small_trial("one");
    train_on(&alone, *state, &trial, 1, 0);
    train_on(&together, *state, &trial, 1, 1);
    assert_ok(together.status[0]);
    toy_assert_same(&together.records[0].trials[0], &alone.records[0].trials[0]);
    assert_int_equal(together.steps[0], 0);
}

static void a_stop_of_any_rank_stops_all_after_the_same_step(void **state) {
    cs_trial_config trial = small_trial("stop");
    together.stops_after = 4;
    for (together.stops = 0; together.stops < 3; together.stops++) {
        train_on(&together, *state, &trial, 1, 3);
        for (int r = 0; r < 3; r++) {
            assert_int_equal(together.status[r], CS_ERR_INTERRUPTED);
            /* The flag is read before the wait of the step, so the next step passes it to the other ranks. */
            assert_int_equal(together.steps[r], 5);
        }
        assert_int_equal(together.records[0].steps, 5);
    }
    together.stops_after = 0;
}

/* Only rank 0 decides that the trial has run enough. */
static void a_trial_that_has_run_enough_ends_on_all_ranks(void **state) {
    cs_trial_config trial = small_trial("enough");
    trial.train.epochs = 3;
    trial.train.patience = 3;
    alone.enough_after = together.enough_after = 2;
    train_on(&alone, *state, &trial, 1, 0);
    train_on(&together, *state, &trial, 1, 2);
    alone.enough_after = together.enough_after = 0;
    assert_true(together.status[0] == CS_OK && together.status[1] == CS_OK);
    assert_int_equal(together.records[0].trials[0].n_rows, 2);
    assert_same_curve(&together.records[0].trials[0], &alone.records[0].trials[0], 1e-3);
}

static void a_damaged_image_on_one_rank_ends_all_with_its_error(void **state) {
    const bool sync[] = {false, true};
    for (int i = 0; i < 2; i++) {
        cs_trial_config trial = mobile_trial("8", sync[i]);
        for (faulty_rank = 0; faulty_rank < 2; faulty_rank++) {
            faulty_load = 3;
            train_on(&together, *state, &trial, 1, 2);
            for (int r = 0; r < 2; r++) {
                assert_int_equal(together.status[r], CS_ERR_FORMAT);
                assert_string_equal(together.text[r], "image 7 is damaged");
                assert_int_equal(together.steps[r], 3);
            }
        }
    }
    faulty_rank = -1;
    faulty_load = 0;
}

/* In validation the ranks exchange errors at the end of the pass. 6 batches are for training, the 7th is the first of
 * val. */
static void a_damaged_image_in_validation_ends_all(void **state) {
    cs_trial_config trial = small_trial("bad_val");
    faulty_rank = 1;
    faulty_load = 7;
    train_on(&together, *state, &trial, 1, 2);
    for (int r = 0; r < 2; r++)
        assert_int_equal(together.status[r], CS_ERR_FORMAT);
    assert_int_equal(together.records[0].trials[0].n_rows, 0);
    faulty_rank = -1;
    faulty_load = 0;
}

/* The second tail fails in the second step; the first one goes on. */
static void a_trial_that_fails_on_one_rank_ends_on_all(void **state) {
    cs_trial_config trials[2] = {small_trial("fails"), small_trial("fails")};
    faulty_rank = 1;
    faulty_backward = 4;
    train_on(&together, *state, trials, 2, 2);
    faulty_rank = -1;
    faulty_backward = 0;
    train_on(&alone, *state, trials, 1, 0);
    for (int r = 0; r < 2; r++)
        assert_ok(together.status[r]);
    assert_int_equal(together.records[0].trials[1].failed, CS_ERR_NO_MEMORY);
    assert_string_equal(together.records[0].trials[1].failure, "backward had no memory");
    assert_int_equal(together.records[1].trials[1].failed, CS_OK);
    assert_same_curve(&together.records[0].trials[0], &alone.records[0].trials[0], 1e-3);
}

static void a_diverged_trial_ends_on_all_ranks(void **state) {
    cs_trial_config trials[2] = {small_trial("diverges"), small_trial("diverges")};
    trials[0].train.optimizer = (cs_optimizer){.kind = CS_OPTIMIZER_SGD, .lr = 1e30f, .weight_decay = 1e30f};
    train_on(&together, *state, trials, 2, 2);
    train_on(&alone, *state, trials, 2, 0);
    for (int r = 0; r < 2; r++)
        assert_ok(together.status[r]);
    const toy_trial_record *failed = &together.records[0].trials[0];
    assert_int_equal(failed->failed, CS_ERR_DIVERGED);
    assert_string_equal(failed->hint, alone.records[0].trials[0].hint);
    assert_same_curve(&together.records[0].trials[1], &alone.records[0].trials[1], 1e-3);
}

static void more_ranks_than_rows_can_train(void **state) {
    cs_trial_config trial = small_trial("few_rows");
    trial.train.batch = 2;
    train_on(&alone, *state, &trial, 1, 0);
    train_on(&together, *state, &trial, 1, 5);
    for (int r = 0; r < 5; r++)
        assert_ok(together.status[r]);
    assert_same_curve(&together.records[0].trials[0], &alone.records[0].trials[0], 1e-3);
}

static int run_on(const char *device) {
    char name[32];
    snprintf(name, sizeof name, "ranks on %s", device);
#define ON_DEVICE(f) cmocka_unit_test_prestate(f, (void *)(uintptr_t)device)
    const struct CMUnitTest tests[] = {
        ON_DEVICE(ranks_give_the_curve_of_one),
        ON_DEVICE(ranks_give_the_curve_of_one_with_rates_by_part),
        ON_DEVICE(ranks_give_the_averaged_weights_of_one),
        ON_DEVICE(ranks_give_the_curve_of_one_with_mixed_images),
        ON_DEVICE(ranks_give_the_metrics_of_one),
        ON_DEVICE(ranks_give_the_curve_of_one_with_class_weights),
        ON_DEVICE(the_logits_of_all_ranks_are_collected_when_needed),
        ON_DEVICE(ranks_give_the_curve_of_one_with_dropout_and_l2),
        ON_DEVICE(ranks_give_the_curve_of_one_after_frozen_batch_norms),
        ON_DEVICE(ranks_give_the_curves_of_a_group),
        ON_DEVICE(synchronised_batch_norms_give_the_curve_of_one),
        ON_DEVICE(local_batch_norms_give_another_curve_and_equal_states),
        ON_DEVICE(one_rank_with_a_comm_equals_one_without),
        ON_DEVICE(a_stop_of_any_rank_stops_all_after_the_same_step),
        ON_DEVICE(a_trial_that_has_run_enough_ends_on_all_ranks),
        ON_DEVICE(a_damaged_image_on_one_rank_ends_all_with_its_error),
        ON_DEVICE(a_damaged_image_in_validation_ends_all),
        ON_DEVICE(a_trial_that_fails_on_one_rank_ends_on_all),
        ON_DEVICE(a_diverged_trial_ends_on_all_ranks),
        ON_DEVICE(more_ranks_than_rows_can_train),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
    int failures = 0;
    for (const char *const *device = test_devices(); *device; device++)
        failures += run_on(*device);
    return failures;
}
