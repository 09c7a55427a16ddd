/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/trained.h"
#include "best.h"
#include "cnnsweep/args.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/train.h"
#include "description.h"
#include "job/augmentations.h"

#include <stdlib.h>
#include <string.h>

typedef struct opening {
    const char *folder;
    cs_journal *journal;
    cs_job *job;
    cs_outcome *outcomes; /* [job->n_trials] */
    int trial;
    cs_trained *out;
} opening;

static cs_status read_journal(opening *o) {
    CS_TRY(cs_journal_read(o->folder, CS_LOG_DEBUG, &o->journal));
    if (!o->journal || o->journal->starts == 0)
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: no results of a sweep", o->folder),
                       "give the folder that `cnnsweep train` wrote, such as results/NAME");
    if (!o->journal->sweep)
        return cs_fail(CS_ERR_FORMAT, "%s: its journal does not describe the sweep: an earlier version wrote it",
                       o->folder);
    CS_TRY(cs_description_job(o->journal, &o->job));
    CS_TRY(cs_alloc((size_t)o->job->n_trials, sizeof *o->outcomes, "results", &o->outcomes));
    for (size_t i = 0; i < o->journal->n; i++)
        if (o->journal->records[i].start == o->journal->starts)
            o->outcomes[o->journal->records[i].index] = o->journal->records[i].outcome;
    return CS_OK;
}

/* Finds the file of a trial's weights; false: it kept none. */
static bool find_file(const char *folder, const char *trial, char path[CS_PATH_MAX]) {
    static const char *const endings[] = {"h5", "weights.h5", "safetensors"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (cs_path(path, CS_PATH_MAX, "%s/weights/%s.%s", folder, trial, endings[i]) == CS_OK && cs_file_exists(path))
            return true;
    return false;
}

bool cs_trained_kept_weights(const char *folder, const char *trial) {
    char path[CS_PATH_MAX];
    return find_file(folder, trial, path);
}

static bool find_weights(const opening *o, int trial, char path[CS_PATH_MAX]) {
    char name[32];
    cs_job_trial_name(o->job, trial, name, sizeof name);
    return find_file(o->folder, name, path);
}

static cs_status fail_without_weights(const opening *o, const char *what) {
    return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: %s kept no weights", o->folder, what),
                   "train with train.save_weights=h5, and --resume or --force");
}

static cs_status choose_best(opening *o) {
    char path[CS_PATH_MAX];
    o->trial = -1;
    for (int t = 0; t < o->job->n_trials; t++) {
        bool better = true;
        if (o->outcomes[t].state != CS_TRIAL_OK || cs_job_is_before(o->job, t) || !find_weights(o, t, path))
            continue;
        if (o->trial >= 0)
            CS_TRY(cs_trial_beats(o->job, o->outcomes, t, o->trial, &better));
        o->trial = better ? t : o->trial;
    }
    return o->trial < 0 ? fail_without_weights(o, "its trials") : CS_OK;
}

static cs_status find_trial(opening *o, const char *name) {
    for (o->trial = 0; o->trial < o->job->n_trials; o->trial++) {
        cs_job_trial_name(o->job, o->trial, o->out->name, sizeof o->out->name);
        if (strcmp(o->out->name, name) == 0)
            return CS_OK;
    }
    char first[32], last[32];
    cs_job_trial_name(o->job, 0, first, sizeof first);
    cs_job_trial_name(o->job, o->job->n_trials - 1, last, sizeof last);
    return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: there is no trial \"%s\"", o->folder, name), "there are %s to %s",
                   first, last);
}

static bool has_augmentation(const cs_trial_config *config) {
    return strcmp(config->augment_name, "none") != 0 || strcmp(config->val_augment_name, "none") != 0;
}

/* The journal has the names of augmentations, the job file what they are. Without it, a network that was trained on
 * standardized images is refused when its weights are read. */
static cs_status resolve_augmentations(const opening *o) {
    cs_trial_config *config = &o->out->config;
    cs_job *job = NULL;
    if (!has_augmentation(config))
        return CS_OK;
    cs_status status = cs_job_read(o->job->path, (const char *const *)o->job->sets, o->job->n_sets, &job);
    if (status == CS_OK)
        status = cs_augmentations_resolve(&job->augmentations, config);
    cs_job_free(job);
    if (status == CS_OK)
        return CS_OK;
    if (strcmp(config->val_augment_name, "none") != 0)
        return cs_context(status, "data.val_augment %s", config->val_augment_name);
    cs_log(CS_LOG_WARN, "augment %s: the job file cannot be read (%s); it matters only if it standardizes images",
           config->augment_name, cs_error_last()->text);
    return CS_OK;
}

static cs_status open_data(const opening *o, const char *path) {
    cs_trained *out = o->out;
    CS_TRY(cs_path(out->config.data.path, sizeof out->config.data.path, "%s", path ? path : o->journal->dataset));
    cs_status status = cs_dataset_open(out->config.data.path, &out->stored);
    if (status != CS_OK)
        return path ? status : cs_hint(status, "name the dataset that the sweep was trained on: --data FILE");
    if (cs_dataset_checksum(out->stored) != o->journal->checksum)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s has other samples than the dataset that %s was trained on",
                               out->config.data.path, o->folder),
                       "name that dataset: --data FILE");
    const cs_folds folds = cs_trial_folds(&out->config);
    CS_TRY(cs_dataset_open_fold(out->stored, &folds, &out->dataset));
    return cs_trial_resolve_image(out->dataset, &out->config);
}

static cs_status open_trained(opening *o, const char *trial, const char *data) {
    cs_trained *out = o->out;
    char weights[CS_PATH_MAX];
    CS_TRY(read_journal(o));
    CS_TRY(trial ? find_trial(o, trial) : choose_best(o));
    cs_job_trial_name(o->job, o->trial, out->name, sizeof out->name);
    cs_job_describe_trial(o->job, o->trial, out->options, sizeof out->options);
    if (!find_weights(o, o->trial, weights))
        return fail_without_weights(o, out->name);
    CS_TRY(cs_description_config(o->journal, &o->journal->records[o->job->numbers[o->trial]], &out->config));
    CS_TRY(resolve_augmentations(o));
    CS_TRY(open_data(o, data));
    CS_TRY(cs_path(out->config.weights, sizeof out->config.weights, "%s", weights));
    out->config.weights_checksum = 0;
    return cs_trial_network(&out->config, cs_dataset_class_count(out->dataset), &out->graph, &out->params);
}

cs_status cs_trained_open(const char *folder, const char *trial, const char *data, cs_trained *out) {
    opening o = {.folder = folder, .out = out};
    *out = (cs_trained){0};
    cs_status status = open_trained(&o, trial, data);
    cs_journal_free(o.journal);
    cs_job_free(o.job);
    free(o.outcomes);
    if (status != CS_OK)
        cs_trained_close(out);
    return status;
}

void cs_trained_close(cs_trained *trained) {
    cs_params_free(trained->params);
    cs_graph_free(trained->graph);
    cs_dataset_close(trained->dataset);
    cs_dataset_close(trained->stored);
    *trained = (cs_trained){0};
}
