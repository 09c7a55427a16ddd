#include "plan.h"
#include "cache_limits.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "job/metric.h"
#include "networks.h"
#include "parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A metric of a split that is not there would be an empty table after hours of work. */
static cs_status check_metric(const cs_plan *plan, const char *metric) {
    static const cs_split splits[] = {CS_SPLIT_VAL, CS_SPLIT_TEST};
    for (int i = 0; i < 2; i++) {
        const char *name = cs_split_name(splits[i]);
        size_t length = strlen(name);
        if (strncmp(metric, name, length) == 0 && metric[length] == '_' &&
            cs_dataset_count(plan->dataset, splits[i]) == 0)
            return cs_hint(cs_fail(CS_ERR_ARG, "%s: has no %s split, so there is no %s", cs_dataset_path(plan->dataset),
                                   name, metric),
                           "choose another with --set sweep.metric.name=accuracy and --set table.value=accuracy");
    }
    return CS_OK;
}

/* Half of the memory there is: the rest is for what is kept of trunks, and for others. */
static double memory_of_rank(const cs_ranks *ranks, const cs_engine *engine) {
    const double part = 0.5;
    double available = cs_available_memory(cs_ranks_on_node(ranks), engine);
    return available > 0 ? part * available : INFINITY;
}

static void count_images(const cs_plan *plan, int64_t images[CS_SPLIT_COUNT]) {
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        images[split] = cs_dataset_count(plan->dataset, split);
}

/* Every part is to see the same division, on whatever machine it runs: the rates of an ordinary core, and memory for
 * what the job lets be kept. */
static cs_status divide(const cs_plan *plan, cs_job *job, const cs_networks *networks) {
    const cs_rates rates = cs_rates_default(1);
    const cs_run_config *run = &job->run;
    double room = run->cache == CS_CACHE_AUTO ? INFINITY : run->cache == CS_CACHE_OFF ? 0 : (double)run->cache_bytes;
    int64_t images[CS_SPLIT_COUNT];
    count_images(plan, images);
    for (int t = 0; t < job->n_trials; t++) {
        plan->costs[t] = cs_cost_of(&job->trials[t], &networks->items[networks->of[t]].work, &rates, images, room);
        plan->costs[t].trial = t;
    }
    return cs_parts_divide(plan->costs, job->n_trials, job->parts, run->group ? CS_GROUP_MAX : 1, job->part_of);
}

/* Estimates of every trial that is to be trained, from its network's rates. */
static void cost_trials(cs_plan *plan, const cs_networks *networks) {
    const cs_job *job = plan->job;
    double room = (double)plan->kept_in.memory + (double)plan->kept_in.disk;
    int64_t images[CS_SPLIT_COUNT];
    count_images(plan, images);
    plan->n_costs = 0;
    for (int t = 0; t < job->n_trials; t++) {
        const cs_network *network = &networks->items[networks->of[t]];
        cs_rates rates = network->rates;
        cs_work work = network->work;
        if (plan->on_device)
            work.tap *= (double)cs_engine_value_bytes(networks->engine) / sizeof(float);
        rates.trunk *= job->run.ranks_per_trial;
        rates.train *= job->run.ranks_per_trial;
        rates.infer *= job->run.ranks_per_trial;
        plan->macs[t] = cs_trial_macs(&job->trials[t], &network->work, images[CS_SPLIT_TRAIN], images[CS_SPLIT_VAL]);
        if (job->done[t] || cs_job_is_elsewhere(job, t))
            continue;
        cs_cost *cost = &plan->costs[plan->n_costs++];
        *cost = cs_cost_of(&job->trials[t], &work, &rates, images, room);
        cost->trial = t;
    }
}

/* A sweep that is over soon is not worth measuring for. */
static void measure(cs_plan *plan, cs_networks *networks) {
    const double worth = 10;
    double seconds = 0;
    for (int i = 0; i < plan->n_costs; i++) {
        cs_group_cost single = {0};
        cs_group_cost_add(&single, &plan->costs[i]);
        networks->items[networks->of[plan->costs[i].trial]].seconds += single.seconds;
        seconds += single.seconds;
    }
    if (seconds < worth * plan->takers)
        return;
    cs_networks_measure(networks, seconds / plan->takers);
    cost_trials(plan, networks);
}

/* What a group shares is told evenly among its trials. */
static void share_out(cs_plan *plan) {
    for (int p = 0; p < plan->n_pieces; p++) {
        const cs_piece *piece = &plan->pieces[p];
        double shared = piece->seconds;
        for (int i = piece->first; i < piece->first + piece->n; i++)
            shared -= plan->costs[i].tail;
        for (int i = piece->first; i < piece->first + piece->n; i++)
            plan->seconds[plan->costs[i].trial] = plan->costs[i].tail + shared / piece->n;
        plan->total_seconds += piece->seconds;
    }
}

static cs_status group_trials(cs_plan *plan, const cs_ranks *ranks, const cs_engine *engine) {
    const cs_group_limits limits = {.ranks = plan->takers,
                                    .most = plan->job->run.group ? CS_GROUP_MAX : 1,
                                    .memory = memory_of_rank(ranks, engine)};
    CS_TRY(cs_groups_make(plan->costs, plan->n_costs, &limits, plan->pieces, &plan->n_pieces));
    CS_TRY(cs_groups_makespan(plan->pieces, plan->n_pieces, plan->takers, &plan->makespan));
    share_out(plan);
    return CS_OK;
}

static cs_status plan_trials(cs_plan *plan, cs_job *job, const cs_ranks *ranks, cs_networks *networks) {
    CS_TRY(cs_networks_open(networks, cs_ranks_threads(ranks, job->run.threads)));
    if (job->parts > 0)
        CS_TRY(divide(plan, job, networks));
    cost_trials(plan, networks);
    measure(plan, networks);
    plan->measured = networks->measured;
    for (int t = 0; t < job->n_trials; t++)
        plan->total_macs += cs_job_is_elsewhere(job, t) ? 0 : plan->macs[t];
    return group_trials(plan, ranks, networks->engine);
}

static cs_status plan_job(cs_plan *plan, cs_job *job, const cs_ranks *ranks, cs_engine *engine) {
    size_t n = (size_t)job->n_trials;
    CS_TRY(cs_dataset_open(job->base.data.path, &plan->dataset));
    if (cs_dataset_count(plan->dataset, CS_SPLIT_TRAIN) == 0)
        return cs_fail(CS_ERR_ARG, "%s: has no train split", cs_dataset_path(plan->dataset));
    CS_TRY(check_metric(plan, job->table_value));
    CS_TRY(check_metric(plan, job->metric));
    if (job->random && job->n_trials < job->budget.trials)
        cs_log(CS_LOG_INFO, "%s: %d trials instead of %d: no other values could be drawn", job->name, job->n_trials,
               job->budget.trials);
    plan->takers = cs_ranks_size(ranks) / job->run.ranks_per_trial;
    if (plan->takers < 1)
        plan->takers = 1;
    plan->kept_in = cs_limits_of_cache(&job->run, cs_ranks_on_node(ranks), engine);
    plan->on_device = cs_engine_has_stores(engine);
    CS_TRY(cs_alloc(n, sizeof *plan->macs, "costs", &plan->macs));
    CS_TRY(cs_alloc(n, sizeof *plan->seconds, "costs", &plan->seconds));
    CS_TRY(cs_alloc(n, sizeof *plan->costs, "costs", &plan->costs));
    CS_TRY(cs_alloc(n, sizeof *plan->pieces, "pieces of work", &plan->pieces));
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
    free(plan->pieces);
    free(plan);
}
