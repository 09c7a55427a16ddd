/* SPDX-License-Identifier: Apache-2.0 */
/* Early stopping stops as keras.callbacks.EarlyStopping does, in cases that were worked out by hand, and a plateau
 * reduces the rate as its dialect does. tests/parity/ compares both with the frameworks. */
#include "metric_value.h"
#include "test.h"

#include "cnnsweep/schedule.h"
#include "early_stopping.h"
#include "plateau.h"

#include <math.h>
#include <stdio.h>

/* Passes `values` until early stopping stops; returns the number of epochs, and the best one in `best`. */
static int epochs_until_stop(cs_early_stopping *stopping, const char *column, const double *values, int n, int *best) {
    for (int i = 0; i < n; i++) {
        cs_epoch_row row = {.epoch = i};
        *metric_at(row.value, column) = values[i];
        cs_stopping_decision decision = cs_early_stopping_decide(stopping, &row);
        if (decision.best)
            *best = i;
        if (decision.stop)
            return i + 1;
    }
    return n;
}

static const struct scenario {
    const char *monitor;
    const char *column;
    bool validated;
    int patience;
    float min_delta;
    double values[8];
    int epochs, best;
} scenarios[] = {
    /* It waits exactly `patience` epochs after the best one. */
    {"val_loss", "val_loss", true, 2, 0, {5, 4, 4.5, 4.25, 1, 1, 1, 1}, 4, 1},
    {"val_loss", "val_loss", true, 1, 0, {5, 4, 4.5, 4.25, 1, 1, 1, 1}, 3, 1},
    /* After an improvement it waits again. */
    {"val_loss", "val_loss", true, 2, 0, {5, 6, 4, 6, 3, 6, 6, 0}, 7, 4},
    /* An equal value is no improvement. */
    {"val_loss", "val_loss", true, 3, 0, {5, 5, 5, 5, 0, 0, 0, 0}, 4, 0},
    /* A change of min_delta or less is no improvement, and the best value stays. */
    {"val_loss", "val_loss", true, 3, 0.5f, {5, 4.75, 4.5, 4.25, 0, 0, 0, 0}, 8, 4},
    {"val_loss", "val_loss", true, 2, 0.5f, {5, 4.75, 4.5, 4.25, 0, 0, 0, 0}, 3, 0},
    /* The sign of min_delta does not matter. */
    {"val_loss", "val_loss", true, 2, -0.5f, {5, 4.75, 4.5, 4.25, 0, 0, 0, 0}, 3, 0},
    /* An accuracy improves by rising. */
    {"val_accuracy", "val_accuracy", true, 2, 0, {0.5, 0.75, 0.75, 0.5, 1, 1, 1, 1}, 4, 1},
    {"accuracy", "accuracy", true, 2, 0.125f, {0.5, 0.75, 0.875, 0.8125, 1, 1, 1, 1}, 4, 1},
    {"loss", "loss", true, 1, 0, {2, 1, 1.5, 0, 0, 0, 0, 0}, 3, 1},
    /* Without a validation split it monitors the training loss. */
    {"val_loss", "loss", false, 1, 0, {2, 1, 1.5, 0, 0, 0, 0, 0}, 3, 1},
    {"val_accuracy", "accuracy", false, 1, 0, {0, 0.5, 0.25, 1, 1, 1, 1, 1}, 3, 1},
    /* With patience 0 it never stops. */
    {"val_loss", "val_loss", true, 0, 0, {1, 2, 3, 4, 5, 6, 7, 8}, 8, 0},
};

static void test_stops_when_keras_does(void **state) {
    (void)state;
    enum { EPOCHS = 8 };
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        const struct scenario *wanted = &scenarios[i];
        cs_train_config config = {
            .patience = wanted->patience, .min_delta = (double)wanted->min_delta, .baseline = (double)NAN};
        snprintf(config.monitor, sizeof config.monitor, "%s", wanted->monitor);
        cs_early_stopping stopping;
        int best = -1;
        assert_ok(cs_early_stopping_init(&stopping, &config, wanted->validated));
        int epochs = epochs_until_stop(&stopping, wanted->column, wanted->values, EPOCHS, &best);
        if (epochs != wanted->epochs || best != wanted->best)
            fail_msg("scenario %zu: %d epochs, best %d; wanted %d, best %d", i, epochs, best, wanted->epochs,
                     wanted->best);
    }
}

/* The rate is reduced after `patience` epochs in Keras' dialect and after one more in torch's. */
static void test_a_plateau_waits_as_its_dialect_does(void **state) {
    (void)state;
    const int patience = 3;
    for (cs_train_dialect dialect = CS_TRAIN_DIALECT_KERAS; dialect <= CS_TRAIN_DIALECT_TORCH; dialect++) {
        cs_train_config config = {.monitor = "val_loss", .optimizer = {.dialect = dialect, .lr = 1}};
        config.schedule = (cs_schedule_config){.plateau_monitor = "auto", .plateau_patience = patience};
        while (!cs_schedule_is_plateau(&config))
            config.schedule.kind++;
        cs_plateau plateau;
        assert_ok(cs_plateau_init(&plateau, &config, true));
        int epochs = 0;
        for (; plateau.state.rate == 1; epochs++) {
            cs_epoch_row row = {.epoch = epochs};
            *metric_at(row.value, "val_loss") = 2;
            cs_plateau_decide(&plateau, &row);
        }
        assert_int_equal(epochs, 1 + patience + (dialect == CS_TRAIN_DIALECT_TORCH));
        assert_true(fabs(plateau.state.rate - 0.1) < 1e-7);
    }
}

static void test_unknown_monitor_is_named(void **state) {
    (void)state;
    cs_train_config config = {.patience = 1, .monitor = "val_los"};
    cs_early_stopping stopping;
    assert_fails(cs_early_stopping_init(&stopping, &config, true), CS_ERR_ARG, "did you mean 'val_loss'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stops_when_keras_does),
        cmocka_unit_test(test_a_plateau_waits_as_its_dialect_does),
        cmocka_unit_test(test_unknown_monitor_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
