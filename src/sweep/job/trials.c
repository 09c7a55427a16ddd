/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the trials of a job. */
#include "cnnsweep/memory.h"
#include "cnnsweep/schedule.h"
#include "cnnsweep/swa.h"
#include "job_reader.h"
#include "phases.h"
#include "population.h"
#include "scheduler.h"
#include "search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Resolves the settings of the training that are auto, and checks that they fit together. */
static cs_status complete_training(const cs_job_reader *reader, cs_trial_config *trial) {
    cs_train_config *train = &trial->train;
    const cs_node *schedule = cs_job_given(reader, "train.schedule"), *swa = cs_job_given(reader, "train.swa_start");
    if (train->optimizer.dialect == CS_TRAIN_DIALECT_AUTO)
        train->optimizer.dialect = cs_trial_network_dialect(trial);
    CS_TRY(cs_loss_check(train));
    cs_optimizer_resolve(&train->optimizer);
    cs_schedule_prepare(train);
    cs_status status = cs_schedule_check(train);
    if (status != CS_OK)
        return schedule ? cs_node_context(schedule, status) : status;
    status = cs_swa_check(train);
    return status == CS_OK || !swa ? status : cs_node_context(swa, status);
}

/* With mode: features only the head is trained, and features are computed once, of images that are not changed
 * but may be standardized. */
static cs_status check_features(const cs_job_reader *reader, cs_trial_config *trial) {
    const char *head = "head";
    const cs_node *fine_tune = cs_job_given(reader, "train.fine_tune"),
                  *augment = cs_job_given(reader, "train.augment"),
                  *val_augment = cs_job_given(reader, "data.val_augment");
    if (trial->train.mode != CS_TRAIN_FEATURES)
        return CS_OK;
    if (fine_tune && strcmp(trial->fine_tune, head) != 0)
        return cs_hint(
            cs_node_fail(fine_tune, CS_ERR_ARG, "train.fine_tune is %s, but train.mode is features", trial->fine_tune),
            "on features only the head trains: leave fine_tune out, or use mode: fine_tune");
    if (augment && !cs_augment_keeps_images(&trial->augment))
        return cs_hint(
            cs_node_fail(augment, CS_ERR_ARG, "train.augment is %s, but train.mode is features", trial->augment_name),
            "features are computed once, from images as they are: use mode: fine_tune with fine_tune: head");
    if (val_augment && !cs_augment_keeps_images(&trial->val_augment))
        return cs_hint(cs_node_fail(val_augment, CS_ERR_ARG, "data.val_augment is %s, but train.mode is features",
                                    trial->val_augment_name),
                       "features are computed once, from images as they are: use mode: fine_tune with fine_tune: head");
    snprintf(trial->fine_tune, sizeof trial->fine_tune, "%s", head);
    return CS_OK;
}

/* Makes the trials of each cell [n_cells,n_options], up to `most` trials. The last inner option changes fastest. */
static cs_status make_trials(const cs_job_reader *reader, const int *cells, int n_cells, int most) {
    cs_job *job = reader->job;
    const cs_node *sweep = reader->sweep ? reader->sweep : reader->root;
    size_t each = (size_t)reader->space.n_options, n_swept = (size_t)job->n_swept;
    int inner = cs_job_cell_trials(job);
    if (n_cells == 0)
        return cs_hint(cs_node_fail(sweep, CS_ERR_ARG, "sweep: no trial is left"), "exclude: leaves out all of them");
    if (!job->method->draws && n_cells > CS_MAX_TRIALS / inner)
        return cs_node_fail(sweep, CS_ERR_ARG, "the grid has more than %d trials", CS_MAX_TRIALS);
    job->n_trials = most > 0 && most < n_cells * inner ? most : n_cells * inner;
    CS_TRY(cs_alloc((size_t)job->n_trials * (n_swept + 1), sizeof *job->value_indices, "trials", &job->value_indices));
    for (int t = 0; t < job->n_trials; t++) {
        int *indices = job->value_indices + (size_t)t * n_swept;
        memcpy(indices, cells + (size_t)(t / inner) * each, each * sizeof *indices);
        if (job->repeats > 1)
            indices[each] = t % inner / job->folds;
        if (job->folds > 1)
            indices[n_swept - 1] = t % job->folds;
    }
    return CS_OK;
}

/* A map that leaves out or adds nothing is a mistake. */
static cs_status check_maps(const cs_job_reader *reader, const cs_grid_cells *grid) {
    const cs_space *space = &reader->space;
    for (int i = 0; i < space->n_excluded; i++)
        if (grid->matched[i] == 0)
            return cs_hint(cs_node_fail(cs_job_item(cs_node_get(reader->sweep, "exclude"), i), CS_ERR_ARG,
                                        "exclude: no trial matches this map"),
                           "its values do not occur together: a condition (when:) or zip: keeps them apart");
    for (int i = 0, added = 0; i < space->n_included; i++) {
        int map = space->included_by[i];
        bool is_first = i == 0 || space->included_by[i - 1] != map;
        bool is_last = i == space->n_included - 1 || space->included_by[i + 1] != map;
        added = (is_first ? 0 : added) + grid->added[i];
        if (is_last && added == 0)
            return cs_hint(cs_node_fail(cs_job_item(cs_node_get(reader->sweep, "include"), map), CS_ERR_ARG,
                                        "include: the sweep has the trials of this map already"),
                           "remove it");
    }
    return CS_OK;
}

static cs_status expand_grid(const cs_job_reader *reader) {
    cs_grid_cells grid = {0};
    CS_TRY(cs_grid_cells_open(&reader->space, &grid));
    cs_status status = grid.too_large ? CS_OK : check_maps(reader, &grid);
    if (status == CS_OK)
        status =
            make_trials(reader, grid.cells, grid.too_large ? CS_MAX_TRIALS + 1 : grid.n, reader->job->budget.trials);
    cs_grid_cells_close(&grid);
    return status;
}

/* A sweep whose method learns begins with these trials. */
static cs_status expand_drawn(const cs_job_reader *reader) {
    cs_job *job = reader->job;
    int n = job->budget.trials, wanted = cs_job_count_cells(job, n), drawn = 0, *cells = NULL;
    size_t each = (size_t)reader->space.n_options;
    CS_TRY(cs_alloc((size_t)wanted * (each + 1), sizeof *cells, "trials", &cells));
    cs_status status = cs_search_draw(job, &reader->space, wanted, cells, &drawn);
    if (status == CS_OK)
        status = make_trials(reader, cells, drawn, n);
    free(cells);
    return status;
}

/* Checks the settings of the scheduler, which depend on the longest trial. */
static cs_status check_scheduler(const cs_job_reader *reader) {
    cs_job *job = reader->job;
    cs_scheduler_config *scheduler = &job->scheduler;
    if (scheduler->kind == CS_SCHEDULER_NONE || scheduler->kind == CS_SCHEDULER_PBT)
        return CS_OK;
    if (job->n_phases > 1)
        return cs_hint(cs_node_fail(cs_node_get(reader->sweep, "scheduler"), CS_ERR_ARG,
                                    "a scheduler ends trials after any epoch, but these have phases:"),
                       "use early stopping (train.patience), or leave one of them out");
    int longest = 0;
    const cs_option *epochs = NULL;
    CS_TRY(cs_option_find("train.epochs", &epochs));
    if (job->method->suggest && cs_job_find_swept(job, epochs) >= 0)
        return cs_hint(cs_node_fail(cs_node_get(reader->sweep, "scheduler"), CS_ERR_ARG,
                                    "train.epochs is swept, but a scheduler with method %s must know the longest trial",
                                    job->method->name),
                       "the scheduler chooses how long trials are: give train.epochs a fixed value");
    for (int t = 0; t < job->n_trials; t++)
        if (job->trials[t].train.epochs > longest)
            longest = job->trials[t].train.epochs;
    cs_status status = cs_scheduler_complete(scheduler, longest);
    return status == CS_OK ? CS_OK : cs_node_context(cs_node_get(reader->sweep, "scheduler"), status);
}

/* Sets the swept options of all phases (0) or of one phase alone. */
static cs_status set_swept(const cs_job *job, int trial, int phase, cs_trial_config *out) {
    for (int i = 0; i < job->n_swept; i++)
        if (cs_option_phase(job->swept[i].option) == phase && cs_job_has_value(job, trial, i))
            CS_TRY(cs_option_set(job->swept[i].option, cs_job_value(job, trial, i), out));
    return CS_OK;
}

/* What is swept in all phases comes before what a phase says, and what is swept in this phase alone after it. */
static cs_status configure(const cs_job_reader *reader, int trial, int phase, cs_trial_config *out) {
    const cs_job *job = reader->job;
    *out = job->base;
    CS_TRY(set_swept(job, trial, 0, out));
    CS_TRY(cs_phase_apply(reader, phase, out));
    CS_TRY(set_swept(job, trial, phase, out));
    CS_TRY(cs_augmentations_resolve(&job->augmentations, out));
    if (phase < job->n_phases)
        snprintf(out->train.save_weights, sizeof out->train.save_weights, "none");
    CS_TRY(complete_training(reader, out));
    return check_features(reader, out);
}

cs_status cs_job_make_trial(const cs_job_reader *reader, int trial) {
    const cs_job *job = reader->job;
    cs_trial_config *out = &job->trials[trial];
    CS_TRY(configure(reader, trial, cs_job_phase(job, trial), out));
    if (job->before[trial] >= 0)
        out->phase.before = cs_phase_key(&job->trials[job->before[trial]]);
    return CS_OK;
}

/* Folds are drawn by the seed: with another one a phase would train on images that the phase before held out. */
static cs_status check_fold_seeds(const cs_job_reader *reader) {
    const cs_job *job = reader->job;
    for (int t = 0; t < job->n_trials; t++) {
        const int before = job->before[t];
        if (before >= 0 && job->trials[t].data.fold.count > 0 &&
            job->trials[t].train.seed != job->trials[before].train.seed)
            return cs_hint(cs_node_fail(reader->phases, CS_ERR_ARG,
                                        "phases: with folds, whose images train.seed draws, all have one seed"),
                           "leave seed out of the phases");
    }
    return CS_OK;
}

/* The predictions of held-out folds are kept, so that they must be evaluated after training. */
static void evaluate_folds(cs_job *job) {
    cs_train_config *train = &job->base.train;
    const cs_split held_out = cs_trial_folds(&job->base).held_out;
    const size_t used = strlen(train->evaluate);
    if (cs_job_has_folds(job) && !cs_trial_evaluates(train, held_out))
        snprintf(train->evaluate + used, sizeof train->evaluate - used, "%s%s", used > 0 ? "," : "",
                 cs_split_name(held_out));
}

cs_status cs_job_expand(cs_job_reader *reader) {
    cs_job *job = reader->job;
    evaluate_folds(job);
    if (job->method->suggest && reader->phases)
        return cs_hint(cs_node_fail(reader->phases, CS_ERR_ARG, "phases: with method %s", job->method->name),
                       "trials with phases are those of a grid or of method random");
    CS_TRY(job->method->draws ? expand_drawn(reader) : expand_grid(reader));
    cs_job_complete_table(reader);
    CS_TRY(cs_job_choose_metrics(job));
    CS_TRY(cs_population_prepare(reader));
    CS_TRY(cs_phases_make(reader, configure));
    CS_TRY(check_fold_seeds(reader));
    CS_TRY(check_scheduler(reader));
    return cs_job_check_used(reader);
}
