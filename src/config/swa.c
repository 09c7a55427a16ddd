/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/swa.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

bool cs_swa_is_on(const cs_train_config *config) {
    return config->swa.start > 0;
}

bool cs_swa_averages(const cs_train_config *config, int64_t epoch) {
    return cs_swa_is_on(config) && epoch >= config->swa.start;
}

bool cs_swa_sets_rate(const cs_train_config *config, int64_t epoch) {
    return cs_swa_averages(config, epoch) && config->swa.lr > 0;
}

double cs_swa_rate(const cs_train_config *config, double lr, int64_t epoch) {
    const cs_swa_config *swa = &config->swa;
    int64_t steps = epoch - swa->start;
    double progress = steps >= swa->anneal_epochs ? 1 : (double)steps / swa->anneal_epochs;
    double part = swa->anneal == CS_ANNEAL_COS ? (1 - cos(pi * progress)) / 2 : progress;
    return swa->lr * part + lr * (1 - part);
}

cs_status cs_swa_check(const cs_train_config *config) {
    if (!cs_swa_is_on(config))
        return CS_OK;
    if (config->swa.start >= config->epochs)
        return cs_hint(cs_fail(CS_ERR_ARG, "train.swa_start is %d, but the last of %d epochs is %d", config->swa.start,
                               config->epochs, config->epochs - 1),
                       "epochs are counted from 0; averaging often begins after three quarters of them");
    if (config->optimizer.ema > 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "train.swa_start and train.ema are both set"),
                       "both say which average of the weights is tested: leave one of them out");
    if (config->patience > 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "train.swa_start and train.patience are both set"),
                       "the weights of an epoch, by which early stopping decides, are not those that are tested: leave "
                       "one of them out");
    if (config->save_epoch != CS_SAVE_TESTED)
        return cs_hint(cs_fail(CS_ERR_ARG, "train.swa_start and train.save_epoch are both set"),
                       "with swa_start the average is tested and saved");
    return CS_OK;
}
