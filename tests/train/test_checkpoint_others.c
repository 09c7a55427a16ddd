/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint that has the name of a trial's, but is of something else, is ignored: the trial begins anew. */
#include "metric_value.h"
#include "toy.h"

#include "cnnsweep/file.h"
#include "cnnsweep/weights.h"

#include <stdio.h>

static const toy_spec spec = {.counts = {14, 6, 6}, .contrast = 4};
enum { BATCHES = 4 }; /* batches of an epoch */

static cs_trial_config make_trial(const char *depth) {
    cs_trial_config trial = toy_trial(toy_dataset("others", &spec));
    snprintf(trial.fine_tune, sizeof trial.fine_tune, "%s", depth);
    trial.train.batch = 4;
    return trial;
}

/* Trains, stops after `steps` steps if that is not 0, and writes no checkpoints if `file` is NULL. */
static cs_status train(const cs_trial_config *trial, const char *file, int steps, toy_record *record) {
    cs_engine *engine;
    cs_train_events events = toy_events(record);
    const cs_trial_files files = {.checkpoint = file};
    const cs_group_config config = {
        .trials = trial, .n = 1, .files = file ? &files : NULL, .events = &events, .stop = &record->stop};
    record->stop_after = steps;
    const cs_engine_options options = test_trainer_options(2);
    assert_ok(cs_engine_open(test_device(), &options, &engine));
    cs_status status = cs_group_train(engine, &config);
    cs_engine_close(engine);
    return status;
}

/* `change` makes it another trial, or replaces the contents of its files. */
static void check_begins_anew(cs_trial_config *trial, void (*change)(cs_trial_config *trial)) {
    static toy_record before, after, expected;
    char file[CS_PATH_MAX];
    assert_ok(cs_path(file, sizeof file, "%s/checkpoint", test_scratch()));
    assert_fails(train(trial, file, BATCHES + 2, &before), CS_ERR_INTERRUPTED, "stopped");
    assert_true(cs_file_exists(file));
    change(trial);
    assert_ok(train(trial, file, 0, &after));
    assert_false(cs_file_exists(file));
    assert_ok(train(trial, NULL, 0, &expected));
    toy_assert_same(&after.trials[0], &expected.trials[0]);
    assert_true(metric_value(before.trials[0].rows[0].value, "loss") !=
                metric_value(expected.trials[0].rows[0].value, "loss"));
}

static void change_rate(cs_trial_config *trial) {
    trial->train.optimizer.lr *= 2;
}

static void test_a_checkpoint_of_another_trial_is_ignored(void **state) {
    (void)state;
    cs_trial_config trial = make_trial("all");
    check_begins_anew(&trial, change_rate);
}

/* The metrics are no part of the trial, but in the middle of an epoch the file has what they need of its predictions.
 */
static void change_metrics(cs_trial_config *trial) {
    snprintf(trial->train.metrics, sizeof trial->train.metrics, "macro_recall");
}

/* The file before it, of the end of an epoch, serves any metrics. */
static void test_other_metrics_go_on_from_the_end_of_an_epoch(void **state) {
    (void)state;
    static toy_record before, after, expected;
    cs_trial_config trial = make_trial("all");
    char file[CS_PATH_MAX];
    assert_ok(cs_path(file, sizeof file, "%s/checkpoint", test_scratch()));
    assert_fails(train(&trial, file, BATCHES + 2, &before), CS_ERR_INTERRUPTED, "stopped");
    change_metrics(&trial);
    assert_ok(train(&trial, file, 0, &after));
    assert_ok(train(&trial, NULL, 0, &expected));
    assert_int_equal(before.trials[0].n_rows, 1);
    assert_int_equal(after.trials[0].n_rows, trial.train.epochs - 1);
    assert_memory_equal(after.trials[0].rows[0].value, expected.trials[0].rows[1].value,
                        sizeof expected.trials[0].rows[1].value);
}

/* Writes initial values to the trial's weights file. */
static void write_weights(const cs_trial_config *trial, int seed) {
    cs_trial_config initial = *trial;
    cs_graph *graph;
    cs_params *params;
    initial.weights[0] = '\0';
    initial.train.seed = seed;
    initial.data.image[0] = initial.data.image[1] = TOY_SIZE;
    assert_ok(cs_trial_network(&initial, TOY_CLASSES, &graph, &params));
    assert_ok(cs_weights_write(trial->weights, params));
    cs_params_free(params);
    cs_graph_free(graph);
}

static void change_weights(cs_trial_config *trial) {
    write_weights(trial, 2);
}

static void test_a_checkpoint_of_other_weights_is_ignored(void **state) {
    (void)state;
    static const char *const depths[] = {"all", "head"};
    for (int i = 0; i < 2; i++) {
        cs_trial_config trial = make_trial(depths[i]);
        assert_ok(cs_path(trial.weights, sizeof trial.weights, "%s/changing.h5", test_scratch()));
        write_weights(&trial, 1);
        check_begins_anew(&trial, change_weights);
    }
}

static void change_samples(cs_trial_config *trial) {
    toy_spec changed = spec;
    changed.contrast++;
    assert_string_equal(toy_dataset("others", &changed), trial->data.path);
}

static void test_a_checkpoint_of_other_samples_is_ignored(void **state) {
    (void)state;
    cs_trial_config trial = make_trial("all");
    check_begins_anew(&trial, change_samples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_checkpoint_of_another_trial_is_ignored),
        cmocka_unit_test(test_other_metrics_go_on_from_the_end_of_an_epoch),
        cmocka_unit_test(test_a_checkpoint_of_other_weights_is_ignored),
        cmocka_unit_test(test_a_checkpoint_of_other_samples_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
