/* SPDX-License-Identifier: Apache-2.0 */
#include "model_args.h"

#include "cnnsweep/job.h"

#include <stdlib.h>
#include <string.h>

cs_status cs_parse_input(const char *text, void *target) {
    enum { LARGEST = 65535 };
    char *end;
    long h = strtol(text, &end, 10), w = 0, c = 3;
    if (*end == 'x')
        w = strtol(end + 1, &end, 10);
    if (*end == 'x')
        c = strtol(end + 1, &end, 10);
    if (*end || h < 1 || w < 1 || h > LARGEST || w > LARGEST || c != 3)
        return cs_hint(cs_fail(CS_ERR_ARG, "\"%s\" is not HxWx3", text), "such as 224x224x3");
    ((int *)target)[0] = (int)h;
    ((int *)target)[1] = (int)w;
    return CS_OK;
}

cs_status cs_set_option(const char *key, const char *text, cs_trial_config *trial) {
    const cs_option *option = NULL;
    if (!text)
        return CS_OK;
    CS_TRY(cs_option_find(key, &option));
    return cs_option_set(option, text, trial);
}

cs_status cs_model_args_arch(const char *arch, cs_trial_config *trial) {
    cs_model_config_init(&trial->model);
    CS_TRY(cs_set_option("model.arch", arch, trial));
    return cs_set_option("fine_tune", "all", trial);
}

cs_status cs_model_args_apply(const cs_model_args *args, cs_trial_config *trial) {
    if (args->input[0])
        memcpy(trial->data.image, args->input, sizeof trial->data.image);
    CS_TRY(cs_set_option("model.alpha", args->alpha, trial));
    CS_TRY(cs_set_option("model.dialect", args->dialect, trial));
    return cs_set_option("model.head", args->head, trial);
}
