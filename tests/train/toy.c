/* SPDX-License-Identifier: Apache-2.0 */
#include "toy.h"

#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void paint(uint8_t *pixels, int label, int contrast, uint32_t item) {
    enum { NOISE = 64, MIDDLE = 128 };
    cs_rng rng = cs_rng_at(7, CS_PURPOSE_TEST, 0, item);
    for (int i = 0; i < TOY_SIZE * TOY_SIZE * 3; i++) {
        int level = MIDDLE - NOISE + (int)cs_rng_below(&rng, 2 * NOISE);
        pixels[i] = (uint8_t)(i % 3 == label ? level + contrast : level);
    }
}

const char *toy_dataset(const char *name, const toy_spec *spec) {
    static char path[CS_PATH_MAX];
    static const char *const classes[TOY_CLASSES] = {"red", "green", "blue"};
    static uint8_t pixels[TOY_SIZE * TOY_SIZE * 3];
    cs_dataset_layout layout = {.encoding = CS_ENCODING_RAW,
                                .resize = {CS_BILINEAR, CS_ASPECT_STRETCH},
                                .h = TOY_SIZE,
                                .w = TOY_SIZE,
                                .classes = classes,
                                .n_classes = TOY_CLASSES};
    cs_dataset_writer *writer;
    for (int split = 0; split < CS_SPLIT_COUNT; split++)
        layout.counts[split] = spec->counts[split];
    assert_ok(cs_path(path, sizeof path, "%s/%s.h5", test_scratch(), name));
    assert_ok(cs_remove_all(path));
    assert_ok(cs_dataset_create(path, &layout, &writer));
    for (int split = 0; split < CS_SPLIT_COUNT; split++)
        for (int i = 0; i < spec->counts[split]; i++) {
            char id[32];
            uint32_t stream = (uint32_t)(spec->same_test && split == CS_SPLIT_TEST ? CS_SPLIT_VAL : split);
            paint(pixels, i % TOY_CLASSES, spec->contrast, stream << 16 | (uint32_t)i);
            snprintf(id, sizeof id, "%s/%d.png", cs_split_name((cs_split)split), i);
            assert_ok(cs_dataset_append(writer, (cs_split)split, i % TOY_CLASSES, id, pixels, sizeof pixels));
        }
    assert_ok(cs_dataset_commit(&writer));
    return path;
}

cs_trial_config toy_trial(const char *dataset_path) {
    cs_trial_config trial = {
        .fine_tune = "all",
        .augment_name = "none",
        .train = {.epochs = 2,
                  .batch = 8,
                  .baseline = (double)NAN,
                  .optimizer = {.kind = CS_OPTIMIZER_ADAM, .lr = 1e-3, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7},
                  .seed = 1,
                  .shuffle = true,
                  .monitor = "val_loss",
                  .metrics = "test_macro_f1,test_weighted_f1",
                  .evaluate = "val,test",
                  .restore_best_weights = true},
    };
    cs_model_config_init(&trial.model);
    snprintf(trial.model.arch, sizeof trial.model.arch, "basenet");
    snprintf(trial.data.path, sizeof trial.data.path, "%s", dataset_path);
    return trial;
}

static cs_status on_epoch(void *context, int trial, const cs_epoch_row *row, bool *enough) {
    toy_record *record = context;
    toy_trial_record *kept = &record->trials[trial];
    assert_true(kept->n_rows < TOY_MAX_EPOCHS);
    kept->rows[kept->n_rows++] = *row;
    *enough = kept->n_rows == record->enough_after;
    return CS_OK;
}

static void count_logits(const cs_evaluation *test, int64_t *counts) {
    for (int64_t row = 0; row < cs_evaluation_tally(test).rows; row++) {
        const double *logits = cs_evaluation_logits(test, row);
        int largest = 0;
        for (int k = 1; k < TOY_CLASSES; k++)
            if (logits[k] > logits[largest])
                largest = k;
        counts[cs_evaluation_label(test, row) * TOY_CLASSES + largest]++;
    }
}

static cs_status on_finished(void *context, int trial, const cs_trial_result *result,
                             const cs_evaluation *const *evaluations, const cs_params *params,
                             const cs_dataset *dataset) {
    (void)dataset;
    toy_record *record = context;
    toy_trial_record *kept = &record->trials[trial];
    const cs_evaluation *test = evaluations[CS_SPLIT_TEST];
    kept->finished = params != NULL;
    kept->result = *result;
    kept->tested = test != NULL;
    for (int i = 0; test && i < TOY_CLASSES * TOY_CLASSES; i++)
        kept->confusion[i] = cs_evaluation_count(test, i / TOY_CLASSES, i % TOY_CLASSES);
    if (test && record->test_needs & CS_NEEDS_LOGITS)
        count_logits(test, kept->from_logits);
    return CS_OK;
}

static cs_status on_failed(void *context, int trial, cs_status code) {
    toy_record *record = context;
    toy_trial_record *kept = &record->trials[trial];
    kept->failed = code;
    snprintf(kept->failure, sizeof kept->failure, "%s", cs_error_last()->text);
    snprintf(kept->hint, sizeof kept->hint, "%s", cs_error_last()->hint);
    return CS_OK;
}

static void on_step(void *context, int epoch, int batch, int batches) {
    toy_record *record = context;
    assert_true(epoch >= 0 && batch >= 1 && batch <= batches);
    if (++record->steps == record->stop_after)
        record->stop = 1;
}

cs_train_events toy_events(toy_record *record) {
    int stop_after = record->stop_after, enough_after = record->enough_after;
    unsigned test_needs = record->test_needs;
    memset(record, 0, sizeof *record);
    record->stop_after = stop_after;
    record->enough_after = enough_after;
    record->test_needs = test_needs;
    return (cs_train_events){
        .context = record, .epoch = on_epoch, .finished = on_finished, .failed = on_failed, .step = on_step};
}

cs_status toy_train(const char *device, const cs_trial_config *trials, int n, toy_record *record) {
    cs_engine_options options = test_trainer_options(2);
    cs_train_events events = toy_events(record);
    cs_engine *engine;
    CS_TRY(cs_engine_open(device, &options, &engine));
    const cs_group_config config = {.trials = trials,
                                    .n = n,
                                    .events = &events,
                                    .needs = {[CS_SPLIT_TEST] = record->test_needs},
                                    .stop = &record->stop};
    cs_status status = cs_group_train(engine, &config);
    cs_engine_close(engine);
    return status;
}

/* Two NaNs are equal. */
#define assert_same_bits(a, b) assert_memory_equal(&(a), &(b), sizeof(a))

void toy_assert_same(const toy_trial_record *a, const toy_trial_record *b) {
    assert_int_equal(a->failed, b->failed);
    assert_int_equal(a->n_rows, b->n_rows);
    for (int i = 0; i < a->n_rows; i++) {
        assert_same_bits(a->rows[i].value, b->rows[i].value);
    }
    assert_int_equal(a->finished, b->finished);
    assert_int_equal(a->result.best_epoch, b->result.best_epoch);
    assert_same_bits(a->result.value, b->result.value);
    assert_same_bits(a->confusion, b->confusion);
}
