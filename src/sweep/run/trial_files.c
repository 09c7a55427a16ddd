/* SPDX-License-Identifier: Apache-2.0 */
#include "trial_files.h"
#include "cnnsweep/file.h"
#include "cnnsweep/predictions.h"
#include "cnnsweep/trial_details.h"
#include "results/folder.h"
#include "results/text_buffer.h"

#include <unistd.h>

static cs_status keep_predictions(const cs_job *job, const char *folder, const cs_finished_trial *trial) {
    const cs_folds folds = cs_trial_folds(&job->trials[trial->trial]);
    char entry[CS_PATH_MAX], path[CS_PATH_MAX];
    if (folds.fold.count == 0)
        return CS_OK;
    CS_TRY(cs_results_entry(folder, "predictions", entry));
    CS_TRY(cs_folder_create(entry));
    CS_TRY(cs_results_file(folder, job, "predictions", trial->trial, "csv", path));
    return cs_predictions_write(path, trial->dataset, folds.held_out, trial->evaluations[folds.held_out]);
}

/* A sync takes milliseconds. After a crash of the machine the files of a shorter trial may be missing, although the
 * journal says that it is done; training it again would take less time than waiting for the disk in all of them. */
static const double seconds_worth_a_sync = 1; /* of the trial */

/* Writes a file of text, and waits for the disk, if the trial took long enough. */
static cs_status save(cs_text_buffer *text, const char *path, double seconds) {
    unlink(path); /* a program that was killed may have left it; if unlink fails, the append reports why */
    CS_TRY(cs_text_append(text, path));
    return seconds >= seconds_worth_a_sync ? cs_file_sync(path) : CS_OK;
}

static cs_status write_details(const char *path, const cs_finished_trial *trial, cs_split split) {
    cs_trial_details *details;
    cs_text_buffer text;
    CS_TRY(cs_trial_details_make(trial->evaluations[split], trial->dataset, split, &trial->bootstrap[split], &details));
    cs_status status = cs_text_open(&text);
    if (status == CS_OK) {
        cs_trial_details_print(details, text.stream);
        status = save(&text, path, trial->seconds);
    }
    cs_trial_details_free(details);
    return status;
}

static cs_status write_misclassified(const char *path, const cs_finished_trial *trial, cs_split split) {
    cs_text_buffer text;
    CS_TRY(cs_text_open(&text));
    cs_misclassified_print(trial->evaluations[split], trial->dataset, split, text.stream);
    return save(&text, path, trial->seconds);
}

cs_status cs_trial_files_write(const cs_job *job, const char *folder, const cs_finished_trial *trial) {
    char path[CS_PATH_MAX];
    if (cs_job_is_before(job, trial->trial))
        return CS_OK;
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        if (!trial->evaluations[split])
            continue;
        CS_TRY(cs_results_split_file(folder, "details", job->numbers[trial->trial], split, "json", path));
        CS_TRY(write_details(path, trial, split));
        CS_TRY(cs_results_split_file(folder, "misclassified", job->numbers[trial->trial], split, "csv", path));
        if (trial->evaluations[split]->spec.needs & CS_NEEDS_LOGITS)
            CS_TRY(write_misclassified(path, trial, split));
    }
    return keep_predictions(job, folder, trial);
}
