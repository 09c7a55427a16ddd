/* SPDX-License-Identifier: Apache-2.0 */
/* Reads phases: of a job file. */
#include "job_reader.h"
#include "phases.h"
#include "population.h"

#include <stdio.h>
#include <string.h>

static const char keep_optimizer[] = "keep_optimizer";

static bool is_keep_optimizer(const cs_node *key) {
    return strcmp(key->text, keep_optimizer) == 0;
}

static cs_status read_keep_optimizer(const cs_node *value, bool *out) {
    const cs_option option = {.key = keep_optimizer, .type = CS_OPTION_BOOL, .size = sizeof(bool)};
    if (value->kind != CS_NODE_SCALAR)
        return cs_node_fail(value, CS_ERR_ARG, "%s takes a single value", keep_optimizer);
    cs_status status = cs_option_set(&option, value->text, out);
    return status == CS_OK ? CS_OK : cs_node_context(value, status);
}

static cs_status set_key(const cs_job_reader *reader, const cs_node *key, const cs_node *value,
                         cs_trial_config *trial) {
    const cs_option *option = NULL;
    if (is_keep_optimizer(key))
        return read_keep_optimizer(value, &trial->phase.keep_optimizer);
    cs_status status = cs_option_find(key->text, &option);
    if (status == CS_OK)
        status = cs_phase_check_option(option);
    return status == CS_OK ? cs_job_set_option(reader, option, value, trial) : cs_node_context(key, status);
}

cs_status cs_phase_apply(const cs_job_reader *reader, int phase, cs_trial_config *trial) {
    const cs_node *map = reader->phases ? reader->phases->items[phase - 1] : NULL;
    if (reader->job->scheduler.kind == CS_SCHEDULER_PBT)
        cs_generation_apply(reader->job, phase, trial);
    for (int i = 0; map && i < map->n; i++)
        CS_TRY(set_key(reader, map->keys[i], map->items[i], trial));
    return CS_OK;
}

/* Appends what the phase changes to the text of all phases. */
static void append_text(cs_job *job, const cs_node *map, int phase, const cs_trial_config *trial) {
    char *out = job->phases, text[CS_VALUE_MAX * 2];
    for (int i = 0; i < map->n; i++) {
        const cs_option *option = NULL;
        size_t used = strlen(out);
        const char *before = i > 0 ? " " : phase > 1 ? ", then " : "";
        if (is_keep_optimizer(map->keys[i]))
            snprintf(text, sizeof text, "%s", trial->phase.keep_optimizer ? "true" : "false");
        else if (cs_option_find(map->keys[i]->text, &option) == CS_OK)
            cs_option_get(option, trial, text, sizeof text);
        snprintf(out + used, sizeof job->phases - used, "%s%s=%s", before, map->keys[i]->text, text);
    }
}

static cs_status read_phase(cs_job_reader *reader, int phase) {
    const cs_node *map = reader->phases->items[phase - 1];
    cs_trial_config trial = reader->job->base;
    if (map->kind != CS_NODE_MAP)
        return cs_hint(cs_node_fail(map, CS_ERR_ARG, "phases: item %d is not a map of options", phase),
                       "such as {epochs: 5, fine_tune: head, lr: 1e-3}");
    CS_TRY(cs_phase_apply(reader, phase, &trial));
    if (phase == 1 && trial.phase.keep_optimizer)
        return cs_node_fail(cs_node_get(map, keep_optimizer), CS_ERR_ARG,
                            "%s: the first phase has no optimizer before it", keep_optimizer);
    append_text(reader->job, map, phase, &trial);
    return CS_OK;
}

cs_status cs_job_read_phases(cs_job_reader *reader, const cs_node *key, const cs_node *value) {
    if (cs_node_is_null(value))
        return CS_OK;
    if (value->kind != CS_NODE_LIST || value->n == 0)
        return cs_hint(cs_node_fail(value, CS_ERR_ARG, "%s: is not a list of phases", key->text),
                       "write phases: [{epochs: 5, fine_tune: head}, {epochs: 10, fine_tune: all, lr: 1e-5}]");
    if (reader->job->base.train.mode == CS_TRAIN_FEATURES)
        return cs_hint(cs_node_fail(key, CS_ERR_ARG, "phases: with train.mode: features"),
                       "features are computed once, by a trunk that never changes: use mode: fine_tune");
    reader->phases = value;
    reader->job->n_phases = value->n;
    for (int phase = 1; phase <= value->n; phase++)
        CS_TRY(read_phase(reader, phase));
    return CS_OK;
}

const cs_node *cs_phase_given(const cs_job_reader *reader, int phase, const cs_option *option) {
    const cs_node *map = reader->phases ? reader->phases->items[phase - 1] : NULL;
    const cs_option *found = NULL;
    for (int i = 0; map && i < map->n; i++)
        if (!is_keep_optimizer(map->keys[i]) && cs_option_find(map->keys[i]->text, &found) == CS_OK &&
            found->offset == option->offset)
            return map->items[i];
    return NULL;
}
