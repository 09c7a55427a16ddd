/* SPDX-License-Identifier: Apache-2.0 */
/* Are the settings of a schedule complete, and do they fit together? */
#include "cnnsweep/schedule.h"

#include <stdlib.h>
#include <string.h>

static int count_numbers(const char *list) {
    int n = list[0] != '\0';
    for (; *list; list++)
        n += *list == ',';
    return n;
}

/* The lengths of the same thing can be in epochs or in updates. */
static cs_status check_units(const cs_schedule_config *schedule) {
    const struct {
        const char *epochs, *steps;
        bool both;
    } pairs[] = {
        {"decay_epochs", "decay_steps", schedule->decay_epochs > 0 && schedule->decay_steps > 0},
        {"warmup_epochs", "warmup_steps", schedule->warmup_epochs > 0 && schedule->warmup_steps > 0},
        {"milestones", "boundaries", schedule->milestones[0] && schedule->boundaries[0]},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].both)
            return cs_hint(cs_fail(CS_ERR_ARG, "train.%s and train.%s are both set", pairs[i].epochs, pairs[i].steps),
                           "they are the same in two units: %s counts epochs, %s updates", pairs[i].epochs,
                           pairs[i].steps);
    return CS_OK;
}

static cs_status check_length(const cs_schedule *schedule, const cs_schedule_config *config) {
    if (schedule->length != CS_LENGTH_REQUIRED || config->decay_epochs > 0 || config->decay_steps > 0)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "train.schedule %s has no length", schedule->name),
                   "set train.decay_epochs, or train.decay_steps for a length in updates");
}

static cs_status check_decay_rate(const cs_schedule *schedule, const cs_schedule_config *config, bool is_plateau) {
    if (cs_schedule_uses(config->kind, "decay_rate") && !(config->decay_rate > 0) && schedule->decay_rate == 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "train.schedule %s has no decay_rate", schedule->name),
                       "set train.decay_rate, such as 0.95");
    if (is_plateau && config->decay_rate >= 1)
        return cs_hint(
            cs_fail(CS_ERR_ARG, "train.decay_rate is %g, which does not reduce the rate", config->decay_rate),
            "a plateau needs a factor below 1, such as 0.1");
    return CS_OK;
}

static cs_status check_milestones(const cs_schedule *schedule, const cs_schedule_config *config) {
    int n = count_numbers(config->milestones) + count_numbers(config->boundaries),
        values = count_numbers(config->values);
    if (!cs_schedule_uses(config->kind, "milestones"))
        return CS_OK;
    if (n == 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "train.schedule %s has no milestones", schedule->name),
                       "set train.milestones: [30, 60] in epochs, or train.boundaries in updates");
    if (cs_schedule_uses(config->kind, "values") && values != n + 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "train.values has %d numbers for %d milestones", values, n),
                       "it takes the rate before the first milestone and one after each: %d numbers", n + 1);
    return CS_OK;
}

/* A first epoch at a rate of 0 would be lost. */
static cs_status check_warmup(const cs_train_config *config) {
    const cs_schedule_config *schedule = &config->schedule;
    if (schedule->warmup_epochs == 0 || schedule->warmup_lr > 0 ||
        cs_schedule_resolve(config).interval != CS_INTERVAL_EPOCH)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG,
                           "train.warmup_lr is 0 and the rate changes once an epoch, so that the first epoch "
                           "would train nothing"),
                   "set train.warmup_lr, or schedule_interval: step, or give the warm-up as warmup_steps");
}

cs_status cs_schedule_check(const cs_train_config *config) {
    const cs_schedule_config *settings = &config->schedule;
    const cs_schedule *schedule = cs_schedule_at(settings->kind);
    CS_TRY(check_units(settings));
    CS_TRY(check_length(schedule, settings));
    CS_TRY(check_decay_rate(schedule, settings, cs_schedule_is_plateau(config)));
    CS_TRY(check_milestones(schedule, settings));
    return check_warmup(config);
}

cs_status cs_schedule_check_list(const char *key, const char *text, bool increases) {
    double last = 0;
    char *end;
    for (const char *next = text; *next; next = *end ? end + 1 : end) {
        double value = strtod(next, &end);
        if (end == next || (*end && (*end != ',' || !end[1])) || !(value > 0) || value > 1e15)
            return cs_hint(cs_fail(CS_ERR_ARG, "%s is '%s'", key, text), "it takes numbers above 0, such as %s",
                           increases ? "[30, 60]" : "[0.01, 0.001]");
        if (increases && value <= last)
            return cs_fail(CS_ERR_ARG, "%s is '%s': the numbers do not increase", key, text);
        last = value;
    }
    return CS_OK;
}
