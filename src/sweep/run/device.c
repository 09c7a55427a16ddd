/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include "cnnsweep/file.h"

#include <stdlib.h>
#include <string.h>

/* auto: the user's cache folder by the XDG base directory specification; without a home directory there is none. */
static cs_status find_plan_cache(const char *wanted, char out[CS_PATH_MAX]) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    out[0] = '\0';
    if (strcmp(wanted, "off") == 0)
        return CS_OK;
    if (strcmp(wanted, "auto") != 0)
        return cs_path(out, CS_PATH_MAX, "%s", wanted);
    if (cache && cache[0] == '/')
        return cs_path(out, CS_PATH_MAX, "%s/cnnsweep", cache);
    if (home && home[0] == '/')
        return cs_path(out, CS_PATH_MAX, "%s/.cache/cnnsweep", home);
    return CS_OK;
}

cs_status cs_job_open_engine(const cs_job *job, const cs_ranks *ranks, cs_engine **out) {
    const cs_run_config *run = &job->run;
    char plans[CS_PATH_MAX];
    *out = NULL;
    CS_TRY(find_plan_cache(run->plan_cache, plans));
    const cs_engine_options options = {.threads = cs_ranks_threads(ranks, run->threads),
                                       .precision = run->precision,
                                       .autotune = run->autotune,
                                       .deterministic = run->deterministic,
                                       .local_rank = cs_ranks_rank_on_node(ranks),
                                       .local_ranks = cs_ranks_on_node(ranks),
                                       .plan_cache = plans[0] ? plans : NULL};
    return cs_engine_open(run->device, &options, out);
}
