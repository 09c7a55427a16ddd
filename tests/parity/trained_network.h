/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs share that train a network for a parity script: its settings, and files for the script. */
#ifndef CNNSWEEP_TESTS_TRAINED_NETWORK_H
#define CNNSWEEP_TESTS_TRAINED_NETWORK_H

#include "cnnsweep/config.h"
#include "cnnsweep/file.h"
#include "cnnsweep/graph.h"

#include <stdio.h>
#include <string.h>

static inline cs_status write_array(const char *folder, const char *name, const void *values, size_t size) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s/%s", folder, name));
    return cs_file_write(path, values, size);
}

static inline cs_status open_file(const char *folder, const char *name, FILE **out) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s/%s", folder, name));
    *out = fopen(path, "w");
    return *out ? CS_OK : cs_fail_errno("%s", path);
}

/* Writes params.txt: layer, role and dimensions of each parameter. */
static inline cs_status write_names(const cs_graph *graph, const char *folder) {
    FILE *out;
    CS_TRY(open_file(folder, "params.txt", &out));
    for (int i = 0; i < graph->n_params; i++) {
        const cs_param *param = &graph->params[i];
        fprintf(out, "%s %s", graph->layers[param->layer].name, cs_param_role_name(param->role));
        for (int d = 0; d < param->rank; d++)
            fprintf(out, " %d", param->dims[d]);
        fputc('\n', out);
    }
    return fclose(out) == 0 ? CS_OK : cs_fail_errno("%s/params.txt", folder);
}

/* Sets the options of network and training from words KEY=VALUE, those that are not named to their defaults. */
static inline cs_status set_options(cs_trial_config *trial, char **words) {
    size_t n;
    const cs_option *options = cs_options(&n), *option = NULL;
    for (size_t i = 0; i < n; i++)
        if (strncmp(options[i].key, "train.", 6) == 0 || strncmp(options[i].key, "model.", 6) == 0)
            CS_TRY(cs_option_set(&options[i], options[i].fallback, trial));
    for (; *words; words++) {
        char *value = strchr(*words, '=');
        if (!value)
            return cs_fail(CS_ERR_ARG, "'%s' is not KEY=VALUE", *words);
        *value++ = '\0';
        CS_TRY(cs_option_find(*words, &option));
        CS_TRY(cs_option_set(option, value, trial));
    }
    cs_optimizer_resolve(&trial->train.optimizer);
    return CS_OK;
}

#endif
