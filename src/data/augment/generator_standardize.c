/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of Keras' ImageDataGenerator that standardize the images of every split. */
#include "rules.h"

#include "cnnsweep/log.h"

void cs_era_standardize(const float *number, cs_standardize *settings) {
    settings->is_of_keras_2_8 = number[0] != 0;
}

void cs_rescale_standardize(const float *number, cs_standardize *settings) {
    settings->rescale = number[0];
}

void cs_samplewise_center_standardize(const float *number, cs_standardize *settings) {
    settings->samplewise_center = number[0] != 0;
}

void cs_samplewise_std_standardize(const float *number, cs_standardize *settings) {
    settings->samplewise_std = number[0] != 0;
}

void cs_featurewise_center_standardize(const float *number, cs_standardize *settings) {
    settings->featurewise_center = number[0] != 0;
}

void cs_featurewise_std_standardize(const float *number, cs_standardize *settings) {
    settings->featurewise_std = number[0] != 0;
}

void cs_zca_standardize(const float *number, cs_standardize *settings) {
    settings->zca = number[0] != 0;
}

void cs_zca_epsilon_standardize(const float *number, cs_standardize *settings) {
    settings->zca_epsilon = number[0];
}

/* If `is_on` and what it needs is off, switches that on. */
static void imply(bool is_on, const char *name, bool *needed, const char *needed_name, bool log) {
    if (is_on && !*needed && log)
        cs_log(CS_LOG_INFO, "%s needs %s, which is switched on", name, needed_name);
    *needed |= is_on;
}

cs_standardize cs_augment_standardize(const cs_augment *augment, bool log) {
    cs_standardize settings = {.zca_epsilon = 1e-6f};
    for (int i = 0; i < augment->n; i++)
        if (augment->steps[i].rule->standardize)
            augment->steps[i].rule->standardize(augment->steps[i].number, &settings);
    if (settings.zca && settings.featurewise_std && log)
        cs_log(CS_LOG_INFO, "zca_whitening switches featurewise_std_normalization off");
    settings.featurewise_std &= !settings.zca;
    imply(settings.zca, "zca_whitening", &settings.featurewise_center, "featurewise_center", log);
    imply(settings.featurewise_std, "featurewise_std_normalization", &settings.featurewise_center, "featurewise_center",
          log);
    imply(settings.samplewise_std, "samplewise_std_normalization", &settings.samplewise_center, "samplewise_center",
          log);
    return settings;
}
