/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"
#include "cache_limits.h"
#include "cnnsweep/class_weight.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "job/column.h"
#include "job/distinct.h"
#include "job/method.h"
#include "networks.h"
#include "parts.h"
#include "settle_metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half of the available memory. The rest is for cached outputs of trunks and for other programs. */
static double memory_of_rank(const cs_ranks *ranks, const cs_engine *engine) {
    const double part = 0.5;
    double available = cs_available_memory(cs_ranks_on_node(ranks), engine);
    return available > 0 ? part * available : INFINITY;
}

void cs_plan_count_images(const cs_plan *plan, int trial, int64_t images[CS_SPLIT_COUNT]) {
    const cs_folds folds = cs_trial_folds(&plan->job->trials[trial]);
    cs_folds_expect(plan->dataset, &folds, images);
}

static int first_phase(const cs_job *job, int trial) {
    while (job->before[trial] >= 0)
        trial = job->before[trial];
    return trial;
}

/* Makes one cost of each first phase and all phases that follow it, directly or not, as they belong to one part. They
 * are at the end of the job's trials. Returns how many there are. */
static int join_phases(const cs_plan *plan, const cs_job *job) {
    cs_cost *costs = plan->costs;
    int n = 0;
    for (int t = 0; t < job->n_trials; t++) {
        cs_group_cost single = {0};
        int first = first_phase(job, t);
        cs_group_cost_add(&single, &costs[t]);
        if (first != t)
            costs[first].tail += single.seconds;
    }
    for (int t = 0; t < job->n_trials; t++) {
        if (job->before[t] >= 0)
            continue;
        costs[n] = costs[t];
        costs[n].share_key = (uint64_t)n;
        n++;
    }
    return n;
}

/* All parts must find the same division, whatever machine each runs on. So the rates are those of an ordinary core, and
 * the cache is as large as the job allows. */
static cs_status divide(const cs_plan *plan, cs_job *job, const cs_networks *networks) {
    const cs_rates rates = cs_rates_default(1);
    const cs_run_config *run = &job->run;
    double room = run->cache.mode == CS_CACHE_AUTO ? INFINITY : (double)run->cache.bytes;
    int64_t images[CS_SPLIT_COUNT];
    for (int t = 0; t < job->n_trials; t++) {
        cs_plan_count_images(plan, t, images);
        plan->costs[t] = cs_cost_of(&job->trials[t], &networks->items[networks->of[t]].work, &rates, images, room);
        plan->costs[t].trial = t;
        plan->costs[t].share_key = (uint64_t)plan->share_keys[t];
    }
    int n = job->n_phases > 1 ? join_phases(plan, job) : job->n_trials;
    CS_TRY(cs_parts_divide(plan->costs, n, job->parts, run->group ? CS_GROUP_MAX : 1, job->part_of));
    for (int t = 0; t < job->n_trials; t++)
        job->part_of[t] = job->part_of[first_phase(job, t)];
    return CS_OK;
}

/* Estimates the cost of every trial that is still to be trained, from its network's rates. Those of the last phase
 * come first. */
static void cost_trials(cs_plan *plan, const cs_networks *networks) {
    const cs_job *job = plan->job;
    double room = (double)plan->cache_limits.memory + (double)plan->cache_limits.disk;
    int64_t images[CS_SPLIT_COUNT];
    plan->n_costs = 0;
    for (int t = 0; t < job->n_trials; t++) {
        cs_plan_count_images(plan, t, images);
        const cs_network *network = &networks->items[networks->of[t]];
        cs_rates rates = network->rates;
        cs_work work = network->work;
        if (plan->on_device)
            work.trunk_output *= (double)cs_engine_value_bytes(networks->engine) / sizeof(float);
        rates.trunk *= job->run.ranks_per_trial;
        rates.train *= job->run.ranks_per_trial;
        rates.infer *= job->run.ranks_per_trial;
        plan->macs[t] = cs_trial_macs(&job->trials[t], &network->work, images[CS_SPLIT_TRAIN], images[CS_SPLIT_VAL]);
        if (job->done[t] || cs_job_in_other_part(job, t))
            continue;
        cs_cost *cost = &plan->costs[plan->n_costs++];
        *cost = cs_cost_of(&job->trials[t], &work, &rates, images, room);
        cost->trial = t;
        cost->share_key = (uint64_t)plan->share_keys[t];
    }
}

/* A short sweep would be over before the measurement pays off. */
static void measure(cs_plan *plan, cs_networks *networks) {
    const double worth = 10;
    double seconds = 0;
    for (int i = 0; i < plan->n_costs; i++) {
        cs_group_cost single = {0};
        cs_group_cost_add(&single, &plan->costs[i]);
        networks->items[networks->of[plan->costs[i].trial]].seconds += single.seconds;
        seconds += single.seconds;
    }
    if (seconds < worth * plan->rank_groups)
        return;
    cs_networks_measure(networks, seconds / plan->rank_groups);
    cost_trials(plan, networks);
}

/* Each trial of a group gets an equal part of the seconds of their shared work. */
static void divide_shared_seconds(cs_plan *plan) {
    for (int p = 0; p < plan->n_groups; p++) {
        const cs_trial_group *group = &plan->groups[p];
        double shared = group->seconds;
        for (int i = group->first; i < group->first + group->n; i++)
            shared -= plan->costs[i].tail;
        for (int i = group->first; i < group->first + group->n; i++)
            plan->seconds[plan->costs[i].trial] = plan->costs[i].tail + shared / group->n;
        plan->total_seconds += group->seconds;
    }
}

/* Groups the trials of one phase, costs[first, first + n). A phase is taken to begin when all of the phase before are
 * done, which is a little later than it really begins. */
static cs_status group_phase(cs_plan *plan, const cs_group_limits *limits, int first, int n) {
    cs_trial_group *groups = plan->groups + plan->n_groups;
    double makespan;
    int n_groups = 0;
    CS_TRY(cs_groups_make(plan->costs + first, n, limits, groups, &n_groups));
    CS_TRY(cs_groups_makespan(groups, n_groups, plan->rank_groups, &makespan));
    for (int p = 0; p < n_groups; p++)
        groups[p].first += first;
    plan->n_groups += n_groups;
    plan->makespan += makespan;
    return CS_OK;
}

static cs_status group_trials(cs_plan *plan, const cs_ranks *ranks, const cs_engine *engine) {
    const cs_group_limits limits = {.ranks = plan->rank_groups,
                                    .most = plan->job->run.group && !plan->job->sampler ? CS_GROUP_MAX : 1,
                                    .memory = memory_of_rank(ranks, engine)};
    for (int phase = 1, end = plan->n_costs; phase <= plan->job->n_phases; phase++) {
        int first = end;
        while (first > 0 && cs_job_phase(plan->job, plan->costs[first - 1].trial) == phase)
            first--;
        CS_TRY(group_phase(plan, &limits, first, end - first));
        end = first;
    }
    divide_shared_seconds(plan);
    return CS_OK;
}

static cs_status plan_trials(cs_plan *plan, cs_job *job, const cs_ranks *ranks, cs_networks *networks) {
    int n_keys;
    CS_TRY(cs_networks_open(networks, cs_ranks_threads(ranks, job->run.threads)));
    CS_TRY(cs_number_trials(job, cs_trial_share_key, plan->share_keys, &n_keys));
    if (job->parts > 0)
        CS_TRY(divide(plan, job, networks));
    cost_trials(plan, networks);
    measure(plan, networks);
    plan->measured = networks->measured;
    for (int t = 0; t < job->n_trials; t++)
        plan->total_macs += cs_job_in_other_part(job, t) ? 0 : plan->macs[t];
    return group_trials(plan, ranks, networks->engine);
}

/* Checks how the trials standardize images, so that the sweep fails before it starts, and logs it once for each
 * augmentation. */
static cs_status check_standardizations(const cs_plan *plan, const cs_job *job) {
    for (int a = 0; a < job->augmentations.n; a++) {
        bool logged = false;
        for (int t = 0; t < job->n_trials; t++) {
            cs_trial_config trial = job->trials[t];
            if (strcmp(trial.augment_name, job->augmentations.items[a].name) != 0)
                continue;
            CS_TRY(cs_trial_resolve_image(plan->dataset, &trial));
            cs_status status = cs_trial_check_standardization(&trial, !logged);
            if (status != CS_OK)
                return cs_context(status, "augment %s", trial.augment_name);
            logged = true;
        }
    }
    return CS_OK;
}

/* Checks that the classes that have weights are those of the dataset, and that its images have weights if trials use
 * them. */
static cs_status check_weights(const cs_plan *plan, const cs_job *job) {
    double *weights = NULL;
    cs_status status = CS_OK;
    CS_TRY(cs_alloc((size_t)cs_dataset_class_count(plan->dataset), sizeof *weights, "class weights", &weights));
    for (int t = 0; t < job->n_trials && status == CS_OK; t++) {
        const cs_train_config *train = &job->trials[t].train;
        status = cs_class_weight_read(train->class_weight, plan->dataset, weights);
        if (status == CS_OK && train->sample_weight)
            status = cs_sample_weight_check(plan->dataset);
    }
    free(weights);
    return status;
}

/* Checks that the features that trials use can be kept. */
static cs_status check_features(const cs_job *job) {
    for (int t = 0; t < job->n_trials; t++)
        if (job->trials[t].train.mode == CS_TRAIN_FEATURES)
            CS_TRY(cs_features_folder_check(&job->trials[t].data));
    return CS_OK;
}

/* Do the sides of `image` have the ratio of those of the packed images, but the other way round? */
static bool looks_transposed(const int image[2], int height, int width) {
    const double nearly = 0.1;
    bool opposite = (image[0] > image[1] && height < width) || (image[0] < image[1] && height > width);
    double a = (double)image[0] * height, b = (double)image[1] * width;
    return opposite && fabs(a - b) <= nearly * b;
}

/* Many programs write width x height, and nobody wants images that are squeezed. */
static void warn_if_transposed(const cs_plan *plan, const cs_job *job) {
    int height, width;
    cs_dataset_image_size(plan->dataset, &height, &width);
    for (int t = 0; t < job->n_trials; t++) {
        const int *image = job->trials[t].data.image;
        if (!looks_transposed(image, height, width))
            continue;
        cs_log(CS_LOG_WARN,
               "data.image is %dx%d, which is height x width, but the images of %s are %d high and %d wide: the sides "
               "look swapped; did you mean %dx%d?",
               image[0], image[1], cs_dataset_path(plan->dataset), height, width, image[1], image[0]);
        return;
    }
}

/* Checks that the folds can be made, so that the sweep fails before it starts, warns of images that are in one split
 * and known from another, and settles what trials are compared by. All folds give the same splits images. */
static cs_status check_splits(const cs_plan *plan, cs_job *job) {
    cs_dataset *dataset = NULL;
    cs_folds folds = {0};
    for (int t = 0; t < job->n_trials && folds.fold.count == 0; t++)
        folds = cs_trial_folds(&job->trials[t]);
    CS_TRY(cs_dataset_open_fold(plan->dataset, &folds, &dataset));
    cs_status status = cs_folds_log(plan->dataset, &folds);
    if (status == CS_OK)
        status = cs_dataset_warn_of_leaks(dataset);
    if (status == CS_OK)
        status = cs_settle_metrics(dataset, job);
    cs_dataset_close(dataset);
    return status;
}

static cs_status plan_job(cs_plan *plan, cs_job *job, const cs_ranks *ranks, cs_engine *engine) {
    size_t n = (size_t)job->n_trials;
    CS_TRY(cs_dataset_open(job->base.data.path, &plan->dataset));
    if (cs_dataset_count(plan->dataset, CS_SPLIT_TRAIN) == 0)
        return cs_fail(CS_ERR_ARG, "%s: has no train split", cs_dataset_path(plan->dataset));
    cs_dataset_warn_if_black(plan->dataset);
    CS_TRY(check_splits(plan, job));
    warn_if_transposed(plan, job);
    CS_TRY(check_standardizations(plan, job));
    CS_TRY(check_weights(plan, job));
    CS_TRY(check_features(job));
    if (job->method->draws && job->n_last < job->budget.trials)
        cs_log(CS_LOG_INFO, "%s: %d trials instead of %d: no others could be drawn", job->name, job->n_last,
               job->budget.trials);
    plan->rank_groups = cs_ranks_size(ranks) / job->run.ranks_per_trial;
    if (plan->rank_groups < 1)
        plan->rank_groups = 1;
    plan->cache_limits = cs_limits_of_cache(&job->run, cs_ranks_on_node(ranks), engine);
    plan->on_device = cs_engine_has_stores(engine);
    CS_TRY(cs_alloc(n, sizeof *plan->macs, "costs", &plan->macs));
    CS_TRY(cs_alloc(n, sizeof *plan->seconds, "costs", &plan->seconds));
    CS_TRY(cs_alloc(n, sizeof *plan->costs, "costs", &plan->costs));
    CS_TRY(cs_alloc(n, sizeof *plan->share_keys, "costs", &plan->share_keys));
    CS_TRY(cs_alloc(n, sizeof *plan->groups, "groups of work", &plan->groups));
    cs_networks networks = {.job = job, .dataset = plan->dataset, .engine = engine};
    cs_status status = plan_trials(plan, job, ranks, &networks);
    cs_networks_clear(&networks);
    return status;
}

cs_status cs_plan_create(cs_job *job, const cs_ranks *ranks, cs_engine *engine, cs_plan **out) {
    cs_plan *plan = NULL;
    CS_TRY(cs_alloc(1, sizeof *plan, "plan", &plan));
    plan->job = job;
    cs_status status = plan_job(plan, job, ranks, engine);
    if (status != CS_OK) {
        cs_plan_free(plan);
        return status;
    }
    *out = plan;
    return CS_OK;
}

void cs_plan_free(cs_plan *plan) {
    if (!plan)
        return;
    cs_dataset_close(plan->dataset);
    free(plan->macs);
    free(plan->seconds);
    free(plan->costs);
    free(plan->share_keys);
    free(plan->groups);
    free(plan);
}
