/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the config room: the families of options of a trial, each a file that has its rows and their functions. */
#ifndef CNNSWEEP_OPTION_FAMILIES_H
#define CNNSWEEP_OPTION_FAMILIES_H

#include "cnnsweep/config.h"

typedef struct cs_option_family {
    const cs_option *rows;
    size_t n;
} cs_option_family;

/* In the order in which they are listed. */
extern const cs_option_family cs_model_options, cs_train_options, cs_optimizer_options, cs_schedule_options;

/* Parts of a row: the member of cs_trial_config that it fills, and what the rows of model. and train. have in common.
 */
#define FIELD(member) .offset = offsetof(cs_trial_config, member), .size = sizeof(((cs_trial_config *)0)->member)
#define MODEL(name, kind, member, what)                                                                                \
    .key = "model." name, .type = CS_OPTION_##kind, FIELD(model.member), .sweepable = true, .affects = CS_AFFECTS_##what
#define TRAINING(name, kind, member)                                                                                   \
    .key = "train." name, .type = CS_OPTION_##kind, FIELD(train.member), .sweepable = true,                            \
    .affects = CS_AFFECTS_TRAINING

/* OTHER: the name of a metric that can be monitored. */
CS_MUST_CHECK cs_status cs_option_parse_monitor(const cs_option *option, const char *text, void *field);

#endif
