/* SPDX-License-Identifier: Apache-2.0 */
/* What a job with scheduler: pbt may have, and its generations. */
#include "cnnsweep/schedule.h"
#include "job_reader.h"
#include "method.h"
#include "population.h"

#include <string.h>

/* All of what is swept may change from one generation to the next. */
static cs_status check_options(const cs_job_reader *reader, const cs_node *scheduler) {
    const cs_job *job = reader->job;
    static const char *const fixed[] = {"train.optimizer", "train.dialect", "train.epochs", "train.seed"};
    for (int i = 0; i < job->n_swept; i++) {
        const cs_option *option = job->swept[i].option;
        bool changes = cs_option_is_of_phase(option);
        for (size_t k = 0; k < sizeof fixed / sizeof *fixed; k++)
            changes = changes && strcmp(option->key, fixed[k]) != 0;
        if (!changes)
            return cs_hint(cs_node_fail(scheduler, CS_ERR_ARG,
                                        "scheduler pbt: %s is swept, but it cannot change in "
                                        "the middle of a training",
                                        option->key),
                           "sweep lr, momentum, weight_decay, dropout, augment and the like");
    }
    return CS_OK;
}

/* A condition, and cells that are left out, would have to hold for what is explored. */
static cs_status check_space(const cs_job_reader *reader, const cs_node *scheduler) {
    const cs_space *space = &reader->space;
    bool simple = space->n_excluded == 0 && space->n_included == 0 && space->n_axes == space->n_options;
    for (int a = 0; a < space->n_axes; a++)
        simple = simple && !space->axes[a].when_node;
    if (simple && cs_job_cell_trials(reader->job) == 1 && space->n_options > 0 && space->n_options <= CS_SAMPLED_MAX)
        return CS_OK;
    return cs_node_fail(scheduler, CS_ERR_ARG,
                        "scheduler pbt explores %d options or fewer of parameters: alone, without when:, zip:, "
                        "exclude:, include:, repeats and folds",
                        CS_SAMPLED_MAX);
}

cs_status cs_population_prepare(cs_job_reader *reader) {
    cs_job *job = reader->job;
    const cs_train_config *train = &job->base.train;
    int interval = job->scheduler.perturbation_interval;
    if (job->scheduler.kind != CS_SCHEDULER_PBT) /* a job without sweep: has no scheduler either */
        return CS_OK;
    const cs_node *scheduler = cs_node_get(reader->sweep, "scheduler");
    CS_TRY(check_space(reader, scheduler));
    CS_TRY(check_options(reader, scheduler));
    if (reader->phases || job->method->suggest || train->mode == CS_TRAIN_FEATURES)
        return cs_node_fail(scheduler, CS_ERR_ARG,
                            "scheduler pbt does not go with phases:, train.mode: features or "
                            "method %s",
                            job->method->name);
    if (train->patience > 0 || train->schedule.kind != 0 || train->swa.start > 0)
        return cs_hint(cs_node_fail(scheduler, CS_ERR_ARG,
                                    "scheduler pbt does not go with train.patience, a schedule "
                                    "of the rate or train.swa_start"),
                       "the population changes lr while it is trained");
    job->n_phases = (train->epochs + interval - 1) / interval;
    return CS_OK;
}

void cs_generation_apply(const cs_job *job, int generation, cs_trial_config *trial) {
    int interval = job->scheduler.perturbation_interval, done = (generation - 1) * interval;
    int left = job->base.train.epochs - done;
    trial->train.epochs = left < interval ? left : interval;
    trial->phase.keep_optimizer = generation > 1;
}
