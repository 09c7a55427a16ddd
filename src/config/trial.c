/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from the settings of a trial. */
#include "cnnsweep/swa.h"

#include <string.h>

cs_folds cs_trial_folds(const cs_trial_config *trial) {
    const cs_data_config *data = &trial->data;
    const bool tests = strcmp(data->fold_split, cs_split_name(CS_SPLIT_TEST)) == 0;
    return (cs_folds){.fold = data->fold,
                      .rule = data->fold_rule,
                      .shuffle = data->fold_shuffle,
                      .seed = (uint64_t)trial->train.seed,
                      .held_out = tests ? CS_SPLIT_TEST : CS_SPLIT_VAL};
}

cs_train_dialect cs_trial_network_dialect(const cs_trial_config *trial) {
    return cs_model_dialect(&trial->model) == CS_DIALECT_TORCH ? CS_TRAIN_DIALECT_TORCH : CS_TRAIN_DIALECT_KERAS;
}

cs_status cs_trial_metrics(const cs_train_config *train, cs_metric_set *out) {
    const char *const names[] = {train->monitor, train->schedule.plateau_monitor};
    CS_TRY(cs_metric_set_read(train->metrics, out));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int monitored = cs_metric_find_column(names[i]);
        if (monitored >= 0) /* "auto" follows the monitor */
            out->has[monitored] = true;
    }
    return CS_OK;
}

bool cs_trial_evaluates(const cs_train_config *train, cs_split split) {
    const char *name = cs_split_name(split);
    size_t length = strlen(name);
    if (split == CS_SPLIT_VAL && cs_swa_is_on(train)) /* its epochs have metrics of other weights */
        return true;
    for (const char *at = train->evaluate; *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || !at[length]))
            return true;
    return false;
}

cs_metric_split cs_metrics_after_training(cs_split split) {
    static const cs_metric_split after[CS_SPLIT_COUNT] = {
        [CS_SPLIT_TRAIN] = CS_METRIC_FINAL, [CS_SPLIT_VAL] = CS_METRIC_VAL, [CS_SPLIT_TEST] = CS_METRIC_TEST};
    return after[split];
}

bool cs_trial_tests(const cs_train_config *train, cs_split split, const char *metric) {
    cs_metric_set set;
    int column = cs_metric_find_column(metric);
    return column >= 0 && cs_trial_metrics(train, &set) == CS_OK &&
           set.has[cs_metric_sibling(column, cs_metrics_after_training(split))];
}

const cs_augment *cs_trial_augment(const cs_trial_config *trial, cs_split split) {
    return split == CS_SPLIT_TRAIN ? &trial->augment : &trial->val_augment;
}
