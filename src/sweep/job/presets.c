/* SPDX-License-Identifier: Apache-2.0 */
/* Recipes of training that a job file can name.
 *
 * To add a preset: a row of the table, with the phases, and with the settings of train: that the job does not give. */
#include "cnnsweep/file.h"
#include "job_reader.h"

#include <string.h>

typedef struct preset {
    const char *name;
    const char *train, *phases; /* in YAML */
} preset;

static const preset presets[] = {
    /* fastai 2.8 (callback/schedule.py): Learner.fine_tune(epochs, base_lr=2e-3, freeze_epochs=1, lr_mult=100,
     * pct_start=0.3, div=5). The optimizer is its Adam, with decoupled decay. fit_one_cycle's div_final is the highest
     * rate over the last one. In the second phase the highest rate is half of the first phase's. */
    {"fastai", "{optimizer: adamw, lr: 2e-3, beta_2: 0.99, epsilon: 1e-5, weight_decay: 0.01}",
     "[{epochs: 1, fine_tune: head, schedule: one_cycle, pct_start: 0.99, div_factor: 25, final_div_factor: 4000},"
     " {fine_tune: all, schedule: one_cycle, pct_start: 0.3, div_factor: 5, final_div_factor: 20000,"
     "  keep_optimizer: true, lr_mult: {head: 0.5, blocks: 0.005}}]"},
};
enum { N_PRESETS = sizeof presets / sizeof *presets };

cs_status cs_job_expand_preset(cs_node *root) {
    const cs_node *value = cs_node_get(root, "preset"), *phases = cs_node_get(root, "phases");
    const char *names[N_PRESETS];
    char source[CS_PATH_MAX], guess[64];
    if (!value || cs_node_is_null(value))
        return CS_OK;
    if (phases)
        return cs_node_fail(phases, CS_ERR_ARG, "phases: and preset: are both given, but a preset has phases");
    for (size_t i = 0; i < N_PRESETS; i++) {
        names[i] = presets[i].name;
        if (value->kind != CS_NODE_SCALAR || strcmp(value->text, names[i]) != 0)
            continue;
        CS_TRY(cs_path(source, sizeof source, "preset %s", names[i]));
        CS_TRY(cs_node_set(root, "phases", source, presets[i].phases));
        return cs_node_set(root, "preset", source, presets[i].train);
    }
    const char *text = value->kind == CS_NODE_SCALAR ? value->text : "";
    return cs_hint(cs_node_fail(value, CS_ERR_ARG, "unknown preset '%s'%s", text,
                                cs_did_you_mean(text, names, N_PRESETS, guess, sizeof guess)),
                   "presets: %s", names[0]);
}

/* What the job gives or sweeps counts. */
cs_status cs_job_read_preset(cs_job_reader *reader, const cs_node *key, const cs_node *map) {
    (void)key;
    for (int i = 0; i < map->n; i++) {
        const cs_option *option = NULL;
        CS_TRY(cs_option_find(map->keys[i]->text, &option));
        if (!cs_job_given(reader, option->key))
            CS_TRY(cs_job_set_option(reader, option, map->items[i], &reader->job->base));
    }
    return CS_OK;
}
