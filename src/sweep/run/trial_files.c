/* SPDX-License-Identifier: Apache-2.0 */
#include "trial_files.h"
#include "cnnsweep/file.h"
#include "cnnsweep/predictions.h"
#include "cnnsweep/trial_details.h"
#include "results/folder.h"

static cs_status keep_predictions(const cs_job *job, const char *folder, int trial,
                                  const cs_evaluation *const *evaluations, const cs_dataset *dataset) {
    const cs_folds folds = cs_trial_folds(&job->trials[trial]);
    char entry[CS_PATH_MAX], path[CS_PATH_MAX];
    if (folds.fold.count == 0)
        return CS_OK;
    CS_TRY(cs_results_entry(folder, "predictions", entry));
    CS_TRY(cs_folder_create(entry));
    CS_TRY(cs_results_file(folder, job, "predictions", trial, "csv", path));
    return cs_predictions_write(path, dataset, folds.held_out, evaluations[folds.held_out]);
}

static cs_status write_details(const char *path, const cs_evaluation *evaluation, const cs_dataset *dataset,
                               cs_split split, const cs_bootstrap *bootstrap) {
    cs_trial_details *details;
    cs_atomic_file *file;
    CS_TRY(cs_trial_details_make(evaluation, dataset, split, bootstrap, &details));
    cs_status status = cs_atomic_open(path, &file);
    if (status == CS_OK) {
        cs_trial_details_print(details, cs_atomic_stream(file));
        status = cs_atomic_commit(&file);
    }
    cs_trial_details_free(details);
    return status;
}

static cs_status write_misclassified(const char *path, const cs_evaluation *evaluation, const cs_dataset *dataset,
                                     cs_split split) {
    cs_atomic_file *file;
    CS_TRY(cs_atomic_open(path, &file));
    cs_misclassified_print(evaluation, dataset, split, cs_atomic_stream(file));
    return cs_atomic_commit(&file);
}

cs_status cs_trial_files_write(const cs_job *job, const char *folder, int trial,
                               const cs_evaluation *const *evaluations, const cs_bootstrap *bootstrap,
                               const cs_dataset *dataset) {
    char path[CS_PATH_MAX];
    if (cs_job_is_before(job, trial))
        return CS_OK;
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        const cs_evaluation *evaluation = evaluations[split];
        if (!evaluation)
            continue;
        CS_TRY(cs_results_split_file(folder, job, "details", trial, split, "json", path));
        CS_TRY(write_details(path, evaluation, dataset, split, &bootstrap[split]));
        CS_TRY(cs_results_split_file(folder, job, "misclassified", trial, split, "csv", path));
        if (evaluation->spec.needs & CS_NEEDS_LOGITS)
            CS_TRY(write_misclassified(path, evaluation, dataset, split));
    }
    return keep_predictions(job, folder, trial, evaluations, dataset);
}
