/* SPDX-License-Identifier: Apache-2.0 */
#include "kept_files.h"
#include "best.h"
#include "cnnsweep/memory.h"
#include "folder.h"

#include <stdlib.h>

cs_status cs_kept_files_open(const cs_job *job, const char *entry, const char *suffix, int most, cs_kept_files *out) {
    *out = (cs_kept_files){.entry = entry, .suffix = suffix, .most = most};
    return cs_alloc((size_t)job->n_trials, sizeof *out->trials, "results", &out->trials);
}

void cs_kept_files_close(cs_kept_files *kept) {
    free(kept->trials);
}

cs_status cs_kept_files_add(cs_kept_files *kept, const char *folder, const cs_job *job, const cs_outcome *outcomes,
                            int trial) {
    char path[CS_PATH_MAX];
    int worst = 0;
    bool better = false;
    if (kept->most <= 0 || cs_job_is_before(job, trial))
        return CS_OK;
    kept->trials[kept->n++] = trial;
    if (kept->n <= kept->most)
        return CS_OK;
    for (int i = 1; i < kept->n; i++) {
        CS_TRY(cs_trial_beats(job, outcomes, kept->trials[worst], kept->trials[i], &better));
        worst = better ? i : worst;
    }
    CS_TRY(cs_results_file(folder, job, kept->entry, kept->trials[worst], kept->suffix, path));
    kept->trials[worst] = kept->trials[--kept->n];
    return cs_remove_all(path);
}
