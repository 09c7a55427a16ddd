/* SPDX-License-Identifier: Apache-2.0 */
/* The group trainer on small datasets. Each test runs on every engine of this build. */
#include "augments.h"
#include "metric_value.h"
#include "toy.h"

#include "cnnsweep/cost.h"
#include "cnnsweep/loader.h"
#include "cnnsweep/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const toy_spec easy = {.counts = {96, 30, 30}, .contrast = 60};
static const toy_spec hard = {.counts = {44, 30, 30}, .contrast = 4, .same_test = true};

static toy_record record, other;

static void test_training_on_a_separable_set_succeeds(void **state) {
    cs_trial_config trial = toy_trial(toy_dataset("easy", &easy));
    trial.train.epochs = 4;
    assert_ok(toy_train(*state, &trial, 1, &record));
    assert_true(record.trials[0].finished);
    assert_true(metric_value(record.trials[0].result.value, "test_accuracy") > 0.95);
    assert_true(metric_value(record.trials[0].result.value, "test_macro_f1") > 0.95);
    assert_true(metric_value(record.trials[0].rows[3].value, "loss") <
                metric_value(record.trials[0].rows[0].value, "loss"));
}

static void test_training_twice_gives_the_same_numbers(void **state) {
    cs_trial_config trial = toy_trial(toy_dataset("twice", &hard));
    trial.augment = test_augment("horizontal_flip=true");
    assert_ok(toy_train(*state, &trial, 1, &record));
    assert_ok(toy_train(*state, &trial, 1, &other));
    toy_assert_same(&record.trials[0], &other.trials[0]);
    trial.train.seed = 2;
    assert_ok(toy_train(*state, &trial, 1, &other));
    assert_true(metric_value(record.trials[0].rows[0].value, "loss") !=
                metric_value(other.trials[0].rows[0].value, "loss"));
}

static void set_fine_tune(cs_trial_config *trial, const char *depth) {
    snprintf(trial->fine_tune, sizeof trial->fine_tune, "%s", depth);
}

/* Trains all trials together, then each alone. */
static void check_alone_and_together(const char *device, const cs_trial_config *trials, int n) {
    assert_ok(toy_train(device, trials, n, &record));
    for (int i = 0; i < n; i++) {
        assert_ok(toy_train(device, &trials[i], 1, &other));
        assert_true(record.trials[i].finished);
        toy_assert_same(&record.trials[i], &other.trials[0]);
    }
}

static void test_basenet_grouped_equals_alone(void **state) {
    static const char *const depths[] = {"head", "2", "5", "all", "2"};
    enum { N = sizeof depths / sizeof *depths };
    cs_trial_config trials[N];
    for (int i = 0; i < N; i++) {
        trials[i] = toy_trial(toy_dataset("grouped", &hard));
        set_fine_tune(&trials[i], depths[i]);
    }
    trials[4].train.optimizer = (cs_optimizer){.kind = CS_OPTIMIZER_SGD, .lr = 1e-2f, .momentum = 0.9f};
    trials[4].train.epochs = 3;
    check_alone_and_together(*state, trials, N);
}

/* Initial values (by the linker's --wrap, settings.cmake) with batch norms that shift and scale: with Keras' mean 0 and
 * variance 1, the outputs of a MobileNet in inference mode would hardly depend on the images, and a wrong trunk would
 * not be noticed. */
static int draws;
void __real_cs_params_init(cs_params *params, uint64_t seed);
void __wrap_cs_params_init(cs_params *params, uint64_t seed);
void __wrap_cs_params_init(cs_params *params, uint64_t seed) {
    static const struct {
        float low, high;
    } ranges[CS_PARAM_ROLE_COUNT] = {[CS_PARAM_GAMMA] = {0.5f, 1.5f},        [CS_PARAM_BETA] = {0, 1},
                                     [CS_PARAM_MOVING_MEAN] = {-0.1f, 0.1f}, [CS_PARAM_MOVING_VARIANCE] = {0.05f, 0.2f},
                                     [CS_PARAM_MEAN] = {0.3f, 0.6f},         [CS_PARAM_VARIANCE] = {0.05f, 0.2f}};
    __real_cs_params_init(params, seed);
    draws++;
    for (int i = 0; i < params->graph->n_params; i++) {
        const cs_param *param = &params->graph->params[i];
        float low = ranges[param->role].low, high = ranges[param->role].high;
        cs_rng rng = cs_rng_at(seed, CS_PURPOSE_TEST, 1, (uint32_t)i);
        for (size_t k = 0; k < param->count && low < high; k++)
            cs_params_at(params, param)[k] = cs_rng_range(&rng, low, high);
    }
}

/* These numbers of layers cut before a pointwise convolution, its batch norm, a depthwise convolution and a padding. */
static void test_mobilenet_grouped_equals_alone(void **state) {
    static const char *const depths[] = {"2", "4", "6", "8", "conv_dw_12"};
    enum { N = sizeof depths / sizeof *depths };
    static const toy_spec few = {.counts = {20, 6, 6}, .contrast = 30};
    cs_trial_config trials[N];
    for (int i = 0; i < N; i++) {
        trials[i] = toy_trial(toy_dataset("mobilenet", &few));
        snprintf(trials[i].model.arch, sizeof trials[i].model.arch, "mobilenet");
        trials[i].model.alpha = 0.25f;
        trials[i].augment = test_augment("vertical_flip=true");
        set_fine_tune(&trials[i], depths[i]);
    }
    check_alone_and_together(*state, trials, N);
}

/* These depths begin inside residual blocks; their tails begin where no other branch is open. */
static void test_residual_blocks_grouped_equal_alone(void **state) {
    static const char *const depths[] = {"Conv_1", "block_15_project", "block_15_depthwise", "block_14_add"};
    enum { N = sizeof depths / sizeof *depths };
    static const toy_spec few = {.counts = {20, 6, 6}, .contrast = 30};
    cs_trial_config trials[N];
    for (int i = 0; i < N; i++) {
        trials[i] = toy_trial(toy_dataset("residual", &few));
        snprintf(trials[i].model.arch, sizeof trials[i].model.arch, "mobilenet_v2");
        trials[i].model.alpha = 0.35f;
        set_fine_tune(&trials[i], depths[i]);
    }
    check_alone_and_together(*state, trials, N);
}

static void set_head(cs_trial_config *trial, const char *head) {
    snprintf(trial->model.head, sizeof trial->model.head, "%s", head);
}

/* Every tail has its own layers after gap; a dropout with rate 0 is part of the trunk. */
static void test_heads_grouped_equal_alone(void **state) {
    static const struct {
        const char *head, *depth;
    } rows[] = {{"gap,dense", "head"},
                {"gap,dropout,dense:20:relu,dense", "blocks:1"},
                {"gap,dropout:0,dense", "head"},
                {"gap,dense:50:relu,dropout:0.2,dense", "4"},
                {"gap,dense", "5"},
                {"gap,dropout:0,dense", "1"}};
    enum { N = sizeof rows / sizeof *rows };
    static const toy_spec few = {.counts = {20, 6, 6}, .contrast = 30};
    cs_trial_config trials[N];
    for (int i = 0; i < N; i++) {
        trials[i] = toy_trial(toy_dataset("heads", &few));
        snprintf(trials[i].model.arch, sizeof trials[i].model.arch, "mobilenet");
        trials[i].model.alpha = 0.25f;
        set_head(&trials[i], rows[i].head);
        set_fine_tune(&trials[i], rows[i].depth);
    }
    trials[1].model.dropout = 0.3f;
    check_alone_and_together(*state, trials, N);
}

/* Trains one epoch of `arch` at `size` px on 8 images, with one trial for each depth. */
static void check_depths(const char *device, const char *arch, int size, const char *const *depths, int n) {
    static const toy_spec few = {.counts = {8, 3, 3}, .contrast = 30};
    cs_trial_config trials[TOY_MAX_TRIALS];
    for (int i = 0; i < n; i++) {
        trials[i] = toy_trial(toy_dataset(arch, &few));
        snprintf(trials[i].model.arch, sizeof trials[i].model.arch, "%s", arch);
        trials[i].data.image[0] = trials[i].data.image[1] = size;
        trials[i].train.epochs = 1;
        set_fine_tune(&trials[i], depths[i]);
    }
    check_alone_and_together(device, trials, n);
}

/* The plain loops of the ref engine take minutes under a sanitizer. */
static void skip_on_ref(const char *device) {
    if (strcmp(device, "ref") == 0)
        skip();
}

/* The cuts are after the last two convolutions, which are large enough, and after the network. */
static void test_a_convolution_is_shared_without_its_norm(void **state) {
    static const char *const depths[] = {"head", "4", "conv_pw_12_bn"};
    skip_on_ref(*state);
    check_depths(*state, "mobilenet", TOY_SIZE, depths, 3);
}

/* The depths begin at the gate of block7a and at the projection of block6d, which has a shortcut and a dropout. */
static void test_efficientnet_grouped_equals_alone(void **state) {
    static const char *const depths[] = {"head", "blocks:2", "9", "22", "all"};
    check_depths(*state, "efficientnet_b0", TOY_SIZE, depths, 5);
}

/* One depth begins between the two separable convolutions of block13, which has a shortcut. */
static void test_xception_grouped_equals_alone(void **state) {
    static const char *const depths[] = {"head", "blocks:1", "13", "all"};
    skip_on_ref(*state);
    check_depths(*state, "xception", 71, depths, 4);
}

/* One depth begins inside the last but one layer of the last dense block. */
static void test_densenet_grouped_equals_alone(void **state) {
    static const char *const depths[] = {"head", "blocks:1", "13", "all"};
    skip_on_ref(*state);
    check_depths(*state, "densenet121", TOY_SIZE, depths, 4);
}

static void test_a_diverged_trial_fails_alone(void **state) {
    cs_trial_config trials[3];
    for (int i = 0; i < 3; i++) {
        trials[i] = toy_trial(toy_dataset("diverged", &hard));
        set_fine_tune(&trials[i], i == 2 ? "head" : "all");
    }
    trials[1].train.optimizer = (cs_optimizer){.kind = CS_OPTIMIZER_SGD, .lr = 1e30f, .weight_decay = 1e30f};
    assert_ok(toy_train(*state, trials, 3, &record));
    const toy_trial_record *failed = &record.trials[1];
    assert_int_equal(failed->failed, CS_ERR_DIVERGED);
    assert_false(failed->finished);
    assert_non_null(strstr(failed->failure, "epoch 1 of 2, train step"));
    assert_non_null(strstr(failed->hint, "train.lr is 1e+30"));
    cs_trial_config rest[] = {trials[0], trials[2]};
    assert_ok(toy_train(*state, rest, 2, &other));
    toy_assert_same(&record.trials[0], &other.trials[0]);
    toy_assert_same(&record.trials[2], &other.trials[1]);
}

static void test_a_trial_that_cannot_be_built_fails_alone(void **state) {
    cs_trial_config trials[2];
    for (int i = 0; i < 2; i++)
        trials[i] = toy_trial(toy_dataset("unbuilt", &hard));
    set_fine_tune(&trials[0], "conv2d_7");
    assert_ok(toy_train(*state, trials, 2, &record));
    assert_int_equal(record.trials[0].failed, CS_ERR_NOT_FOUND);
    assert_non_null(strstr(record.trials[0].failure, "conv2d_7"));
    assert_true(record.trials[1].finished);
}

/* Val and test have the same images, so the tested loss shows which epoch's weights were tested. */
static void test_best_weights_are_restored(void **state) {
    cs_trial_config trial = toy_trial(toy_dataset("best", &hard));
    trial.train.optimizer.lr = 1e-2f;
    trial.train.epochs = 12;
    trial.train.patience = 3;
    assert_ok(toy_train(*state, &trial, 1, &record));
    const toy_trial_record *run = &record.trials[0];
    int best = run->result.best_epoch;
    assert_true(best < run->n_rows - 1);
    for (int i = 0; i < run->n_rows; i++)
        assert_true(metric_value(run->rows[best].value, "val_loss") <= metric_value(run->rows[i].value, "val_loss"));
    assert_true(metric_value(run->result.value, "test_loss") == metric_value(run->rows[best].value, "val_loss"));
    assert_true(metric_value(run->result.value, "test_accuracy") ==
                metric_value(run->rows[best].value, "val_accuracy"));
    assert_true(metric_value(run->result.value, "val_loss") == metric_value(run->rows[best].value, "val_loss"));
    assert_int_equal(run->result.epochs_run, run->n_rows);
    assert_int_equal(run->n_rows, best + 1 + trial.train.patience);
}

static void test_patience_0_tests_the_last_weights(void **state) {
    cs_trial_config trial = toy_trial(toy_dataset("last", &hard));
    trial.train.optimizer.lr = 1e-2f;
    trial.train.epochs = 6;
    assert_ok(toy_train(*state, &trial, 1, &record));
    const toy_trial_record *run = &record.trials[0];
    assert_int_equal(run->n_rows, 6);
    assert_int_equal(run->result.best_epoch, 5);
    assert_true(metric_value(run->result.value, "test_loss") == metric_value(run->rows[5].value, "val_loss"));
}

/* When one trial stops early, the others go on with the numbers that they have without it. */
static void test_a_stopped_trial_does_not_change_the_others(void **state) {
    cs_trial_config trials[2];
    for (int i = 0; i < 2; i++) {
        trials[i] = toy_trial(toy_dataset("leaves", &hard));
        trials[i].train.epochs = 5;
    }
    trials[0].train.patience = 1;
    trials[0].train.min_delta = 100;
    set_fine_tune(&trials[0], "head");
    assert_ok(toy_train(*state, trials, 2, &record));
    assert_int_equal(record.trials[0].n_rows, 2);
    assert_int_equal(record.trials[0].result.best_epoch, 0);
    assert_int_equal(record.trials[1].n_rows, 5);
    assert_ok(toy_train(*state, &trials[1], 1, &other));
    toy_assert_same(&record.trials[1], &other.trials[0]);
}

static void test_rows_have_the_columns_of_keras_history(void **state) {
    cs_trial_config trial = toy_trial(toy_dataset("rows", &easy));
    trial.train.epochs = 3;
    assert_ok(toy_train(*state, &trial, 1, &record));
    const toy_trial_record *run = &record.trials[0];
    assert_int_equal(run->n_rows, 3);
    for (int i = 0; i < 3; i++) {
        const cs_epoch_row *row = &run->rows[i];
        double right = metric_value(row->value, "accuracy") * easy.counts[CS_SPLIT_TRAIN];
        assert_int_equal(row->epoch, i);
        assert_true(isfinite(metric_value(row->value, "loss")) && isfinite(metric_value(row->value, "val_loss")));
        assert_true(fabs(right - round(right)) < 1e-9);
        assert_true(metric_value(row->value, "val_accuracy") >= 0 && metric_value(row->value, "val_accuracy") <= 1);
        assert_true(row->learning_rate == (double)trial.train.optimizer.lr);
        assert_true(row->seconds > 0);
    }
    int64_t tested = 0;
    for (int i = 0; i < TOY_CLASSES * TOY_CLASSES; i++)
        tested += run->confusion[i];
    assert_int_equal(tested, easy.counts[CS_SPLIT_TEST]);
    assert_true(run->result.images_per_second > 0 && run->result.seconds >= run->rows[0].seconds);
    assert_true(run->result.stall_fraction >= 0 && run->result.stall_fraction <= 1);
    assert_true(run->result.memory > 0);
}

static void test_a_dataset_may_lack_val_and_test_splits(void **state) {
    static const toy_spec only_train = {.counts = {30, 0, 0}, .contrast = 60};
    cs_trial_config trial = toy_trial(toy_dataset("only_train", &only_train));
    trial.train.patience = 1;
    trial.train.min_delta = 100;
    trial.train.epochs = 5;
    assert_ok(toy_train(*state, &trial, 1, &record));
    const toy_trial_record *run = &record.trials[0];
    assert_int_equal(run->n_rows, 2);
    assert_true(isnan(metric_value(run->rows[0].value, "val_loss")) &&
                isnan(metric_value(run->rows[0].value, "val_accuracy")));
    assert_true(run->finished && !run->tested);
    assert_true(isnan(metric_value(run->result.value, "test_loss")) &&
                isnan(metric_value(run->result.value, "test_accuracy")) &&
                isnan(metric_value(run->result.value, "test_macro_f1")));
}

static void test_stop_flag_ends_after_the_step(void **state) {
    cs_trial_config trial = toy_trial(toy_dataset("stop", &easy));
    record.stop_after = 5;
    assert_fails(toy_train(*state, &trial, 1, &record), CS_ERR_INTERRUPTED, "stopped");
    assert_int_equal(record.steps, 5);
    assert_int_equal(record.trials[0].n_rows, 0);
    record.stop_after = 0;
}

static void test_trials_with_other_augmentation_cannot_share(void **state) {
    cs_trial_config trials[2];
    for (int i = 0; i < 2; i++)
        trials[i] = toy_trial(toy_dataset("strangers", &hard));
    set_fine_tune(&trials[1], "head");
    assert_true(cs_trials_can_share(&trials[0], &trials[1]));
    trials[1].augment = test_augment("horizontal_flip=true");
    assert_false(cs_trials_can_share(&trials[0], &trials[1]));
    assert_fails(toy_train(*state, trials, 2, &record), CS_ERR_ARG, "do not share");
}

/* The trials differ in one option at a time. */
static void test_trials_share_if_they_differ_only_after_the_trunk(void **state) {
    (void)state;
    const cs_trial_config trial = toy_trial("unused.h5");
    cs_trial_config other_dialect = trial, other_dropout = trial, other_l2 = trial, other_mode = trial;
    cs_trial_config other_lr = trial, other_depth = trial;
    other_dialect.model.dialect = CS_DIALECT_TORCH;
    other_dropout.model.dropout = 0.25f;
    other_l2.model.l2 = 1e-4f;
    other_mode.train.mode = CS_TRAIN_FEATURES;
    other_lr.train.optimizer.lr = 0.5f;
    set_fine_tune(&other_depth, "2");
    assert_false(cs_trials_can_share(&trial, &other_dialect));
    assert_true(cs_trials_can_share(&trial, &other_dropout));
    assert_true(cs_trials_can_share(&trial, &other_l2));
    assert_false(cs_trials_can_share(&trial, &other_mode));
    assert_true(cs_trials_can_share(&trial, &other_lr));
    assert_true(cs_trials_can_share(&trial, &other_depth));
    other_depth.train.mode = other_l2.train.mode = CS_TRAIN_FEATURES;
    assert_false(cs_trials_can_share(&other_mode, &other_depth));
    assert_false(cs_trials_can_share(&other_mode, &other_l2));
    assert_true(cs_same_network(&other_mode, &other_depth));
    assert_false(cs_same_network(&trial, &other_dropout));
}

/* May trials with these heads and depths share? The answer must be the same with exchanged trials, and agree with the
 * share keys. */
static bool heads_share(cs_train_mode mode, const char *head, const char *depth, const char *other_head,
                        const char *other_depth) {
    cs_trial_config a = toy_trial("unused.h5"), b = a;
    a.train.mode = b.train.mode = mode;
    set_head(&a, head);
    set_fine_tune(&a, depth);
    set_head(&b, other_head);
    set_fine_tune(&b, other_depth);
    bool share = cs_trials_can_share(&a, &b);
    assert_int_equal(cs_trials_can_share(&b, &a), share);
    assert_int_equal(cs_trial_share_key(&a) == cs_trial_share_key(&b), share);
    assert_true(cs_trial_work_key(&a) != cs_trial_work_key(&b));
    return share;
}

static void test_heads_share_the_layers_before_any_dense_layer(void **state) {
    (void)state;
    assert_true(heads_share(CS_TRAIN_FINE_TUNE, "gap,dense", "head", "gap,dropout:0.5,dense:400:relu,dense", "head"));
    assert_true(heads_share(CS_TRAIN_FINE_TUNE, "gap,dense", "1", "gap,dropout:0.5,dense:400:relu,dense", "3"));
    assert_true(heads_share(CS_TRAIN_FINE_TUNE, "gap,dense:9,dense", "conv_pw_13", "gap,dense", "blocks:2"));
    assert_false(heads_share(CS_TRAIN_FINE_TUNE, "gap,dense", "head", "flatten,dense", "head"));
    assert_false(heads_share(CS_TRAIN_FINE_TUNE, "dropout,gap,dense", "head", "dropout,flatten,dense", "head"));
    assert_false(heads_share(CS_TRAIN_FINE_TUNE, "top", "head", "gap,dense", "head"));
}

static void test_trials_with_different_frozen_dense_layers_cannot_share(void **state) {
    (void)state;
    assert_false(heads_share(CS_TRAIN_FINE_TUNE, "gap,dense:9,dense", "1", "gap,dense:8,dense", "1"));
    assert_false(heads_share(CS_TRAIN_FINE_TUNE, "gap,dense:9,dense", "dense_1", "gap,dense", "head"));
}

/* Features are the input of the head, or of the last n layers if fine_tune is a number n. */
static void test_heads_share_features_of_one_depth(void **state) {
    (void)state;
    assert_true(heads_share(CS_TRAIN_FEATURES, "gap,dense", "head", "gap,dense:400:relu,dense", "head"));
    assert_false(heads_share(CS_TRAIN_FEATURES, "gap,dense", "4", "gap,dense:400:relu,dense", "4"));
}

static void test_nothing_to_train_is_refused(void **state) {
    cs_trial_config trial = toy_trial(toy_dataset("nothing", &hard));
    trial.train.epochs = 0;
    assert_ok(toy_train(*state, &trial, 1, &record));
    assert_int_equal(record.trials[0].failed, CS_ERR_ARG);
    assert_non_null(strstr(record.trials[0].failure, "train.epochs is 0"));
    trial.train.batch = 0;
    assert_fails(toy_train(*state, &trial, 1, &record), CS_ERR_ARG, "train.batch is 0");
}

/* Repeats the trainer's steps for one trial that trains everything, with batches of 8, 8, 8 and 6. */
static void test_partial_batch_is_trained_with_its_rows(void **state) {
    static const toy_spec uneven = {.counts = {30, 0, 0}, .contrast = 30};
    cs_trial_config trial = toy_trial(toy_dataset("uneven", &uneven));
    assert_ok(toy_train(*state, &trial, 1, &record));

    cs_engine_options options = test_trainer_options(2);
    cs_engine *engine;
    cs_dataset *dataset;
    cs_loader *loader;
    cs_graph *graph;
    cs_params *params;
    cs_segment *segment;
    cs_program *program;
    assert_ok(cs_engine_open(*state, &options, &engine));
    assert_ok(cs_dataset_open(trial.data.path, &dataset));
    assert_ok(cs_trial_resolve_image(dataset, &trial));
    assert_ok(cs_trial_network(&trial, TOY_CLASSES, &graph, &params));
    assert_ok(cs_segment_create(graph, 0, graph->n_layers, &segment));
    cs_program_spec spec = {.segment = segment,
                            .batch = trial.train.batch,
                            .mode = CS_MODE_TRAIN,
                            .resumable = true,
                            .optimizer = &trial.train.optimizer};
    assert_ok(cs_program_compile(engine, &spec, &program));
    assert_ok(cs_program_load(program, CS_ARRAY_VALUE, params));
    const float scale = 1 / 255.0f;
    cs_loader_config config = {.split = CS_SPLIT_TRAIN,
                               .batch = trial.train.batch,
                               .h = TOY_SIZE,
                               .w = TOY_SIZE,
                               .multiply = {scale, scale, scale},
                               .shuffle = true,
                               .seed = 1};
    assert_ok(cs_loader_open(dataset, &config, &loader));
    int64_t step = 0;
    for (int epoch = 0; epoch < 2; epoch++) {
        double loss = 0;
        assert_ok(cs_loader_start(loader, epoch, 0));
        for (int i = 0; i < 4; i++) {
            cs_batch batch;
            cs_loss sum;
            assert_ok(cs_loader_next(loader, &batch));
            assert_int_equal(batch.n, i < 3 ? 8 : 6);
            assert_ok(cs_program_set_input(program, 0, batch.images, batch.n));
            assert_ok(cs_program_forward(program, batch.n));
            assert_ok(cs_program_loss(program, &(cs_targets){.labels = batch.labels}, batch.n, NULL, &sum));
            assert_ok(cs_program_backward(program, batch.n));
            assert_ok(cs_program_update(program, &trial.train.optimizer, ++step));
            loss += sum.sum;
        }
        assert_true(metric_value(record.trials[0].rows[epoch].value, "loss") == loss / 30);
    }
    cs_loader_close(loader);
    cs_program_free(program);
    cs_segment_free(segment);
    cs_params_free(params);
    cs_graph_free(graph);
    cs_dataset_close(dataset);
    cs_engine_close(engine);
}

static void test_a_group_draws_its_initial_values_once(void **state) {
    static const char *const depths[] = {"nonsense", "head", "conv_pw_13", "2"};
    enum { N = sizeof depths / sizeof *depths };
    static const toy_spec few = {.counts = {8, 3, 3}, .contrast = 30};
    cs_trial_config trials[N];
    for (int i = 0; i < N; i++) {
        trials[i] = toy_trial(toy_dataset("draws", &few));
        snprintf(trials[i].model.arch, sizeof trials[i].model.arch, "mobilenet");
        trials[i].model.alpha = 0.25f;
        trials[i].train.epochs = 1;
        set_fine_tune(&trials[i], depths[i]);
    }
    draws = 0;
    assert_ok(toy_train(*state, trials, N, &record));
    assert_int_equal(draws,
                     2); /* once for the first trial, which fails for its unknown layer, and once for all others */
}

static int run_on(const char *device) {
    char name[32];
    snprintf(name, sizeof name, "group on %s", device);
#define ON_DEVICE(f) cmocka_unit_test_prestate(f, (void *)(uintptr_t)device)
    const struct CMUnitTest tests[] = {
        ON_DEVICE(test_training_on_a_separable_set_succeeds),
        ON_DEVICE(test_training_twice_gives_the_same_numbers),
        ON_DEVICE(test_basenet_grouped_equals_alone),
        ON_DEVICE(test_mobilenet_grouped_equals_alone),
        ON_DEVICE(test_residual_blocks_grouped_equal_alone),
        ON_DEVICE(test_heads_grouped_equal_alone),
        ON_DEVICE(test_a_convolution_is_shared_without_its_norm),
        ON_DEVICE(test_efficientnet_grouped_equals_alone),
        ON_DEVICE(test_xception_grouped_equals_alone),
        ON_DEVICE(test_densenet_grouped_equals_alone),
        ON_DEVICE(test_a_diverged_trial_fails_alone),
        ON_DEVICE(test_a_trial_that_cannot_be_built_fails_alone),
        ON_DEVICE(test_best_weights_are_restored),
        ON_DEVICE(test_patience_0_tests_the_last_weights),
        ON_DEVICE(test_a_stopped_trial_does_not_change_the_others),
        ON_DEVICE(test_rows_have_the_columns_of_keras_history),
        ON_DEVICE(test_a_dataset_may_lack_val_and_test_splits),
        ON_DEVICE(test_stop_flag_ends_after_the_step),
        ON_DEVICE(test_trials_with_other_augmentation_cannot_share),
        ON_DEVICE(test_trials_share_if_they_differ_only_after_the_trunk),
        ON_DEVICE(test_heads_share_the_layers_before_any_dense_layer),
        ON_DEVICE(test_trials_with_different_frozen_dense_layers_cannot_share),
        ON_DEVICE(test_heads_share_features_of_one_depth),
        ON_DEVICE(test_nothing_to_train_is_refused),
        ON_DEVICE(test_partial_batch_is_trained_with_its_rows),
        ON_DEVICE(test_a_group_draws_its_initial_values_once),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void) {
    int failures = 0;
    for (const char *const *device = test_devices(); *device; device++)
        failures += run_on(*device);
    return failures;
}
