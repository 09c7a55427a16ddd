#include "plan.h"
#include "cnnsweep/memory.h"
#include "metric.h"

#include <stdlib.h>
#include <string.h>

/* Sharing a trunk that does less than this part of the forward work saves little, and every tail costs memory. */
static const double least_trunk_share = 0.5;

/* The same network and freezing, whatever the training looks like. */
static bool same_cost(const cs_trial_config *a, const cs_trial_config *b) {
    return cs_same_network(a, b) && strcmp(a->fine_tune, b->fine_tune) == 0;
}

static bool has_heavy_trunk(const cs_graph *graph) {
    int cut = cs_trial_cut(graph);
    double trunk = 0, all = 0;
    for (int i = 0; i < graph->n_layers; i++) {
        double macs = cs_layer_macs(graph, i);
        all += macs;
        if (i < cut)
            trunk += macs;
    }
    return trunk >= least_trunk_share * all;
}

/* Builds the network of trial `first` and costs every trial that has the same one. */
static cs_status cost_network(cs_plan *plan, int first) {
    const cs_job *job = plan->job;
    cs_trial_config trial = job->trials[first];
    cs_graph *graph = NULL;
    cs_params *params = NULL;
    const char *engine;
    CS_TRY(cs_engine_of(job->run.device, &engine));
    CS_TRY(cs_trial_resolve_image(plan->dataset, &trial));
    cs_status status = cs_trial_network(&trial, cs_dataset_class_count(plan->dataset), &graph, &params);
    if (status == CS_OK)
        status = cs_trial_check_features(&trial, plan->dataset, graph, params, engine);
    if (status != CS_OK) {
        char text[CS_VALUE_MAX * 2];
        cs_params_free(params);
        cs_graph_free(graph);
        cs_job_describe_trial(job, first, text, sizeof text);
        return text[0] ? cs_context(status, "%s", text) : status;
    }
    bool heavy = has_heavy_trunk(graph);
    for (int t = first; t < job->n_trials; t++) {
        if (!same_cost(&job->trials[t], &job->trials[first]))
            continue;
        plan->macs[t] = cs_trial_macs(&job->trials[t], graph, cs_dataset_count(plan->dataset, CS_SPLIT_TRAIN),
                                      cs_dataset_count(plan->dataset, CS_SPLIT_VAL));
        plan->shares_trunk[t] = heavy;
        if (!job->done[t])
            plan->total_macs += plan->macs[t];
    }
    cs_params_free(params);
    cs_graph_free(graph);
    return CS_OK;
}

static cs_status cost_trials(cs_plan *plan) {
    for (int t = 0; t < plan->job->n_trials; t++)
        if (plan->macs[t] == 0)
            CS_TRY(cost_network(plan, t));
    return CS_OK;
}

/* May trial `t`, which shares its trunk, join the piece: same trunk and batches, and room left? */
static bool fits(const cs_plan *plan, const cs_piece *piece, int t, double most_macs) {
    const cs_trial_config *trials = plan->job->trials;
    return piece->n < CS_GROUP_MAX && piece->macs + plan->macs[t] <= most_macs &&
           plan->shares_trunk[piece->trials[0]] && cs_trials_can_share(&trials[piece->trials[0]], &trials[t]);
}

static int by_macs_descending(const void *a, const void *b) {
    const cs_piece *p = a, *q = b;
    if (p->macs != q->macs)
        return p->macs < q->macs ? 1 : -1;
    return p->trials[0] - q->trials[0];
}

/* Two pieces a rank at least, where there are enough trials: one that ends early then has something to do. */
static cs_status cut_pieces(cs_plan *plan, int ranks) {
    const double pieces_a_rank = 2, rounding = 1 + 1e-6;
    double most_macs = plan->total_macs / (pieces_a_rank * ranks) * rounding;
    CS_TRY(cs_alloc((size_t)plan->job->n_trials, sizeof *plan->pieces, "pieces of work", &plan->pieces));
    for (int t = 0; t < plan->job->n_trials; t++) {
        if (plan->job->done[t])
            continue;
        int p = plan->shares_trunk[t] ? 0 : plan->n_pieces;
        while (p < plan->n_pieces && !fits(plan, &plan->pieces[p], t, most_macs))
            p++;
        cs_piece *piece = &plan->pieces[p];
        if (p == plan->n_pieces)
            plan->n_pieces++;
        piece->trials[piece->n++] = t;
        piece->macs += plan->macs[t];
    }
    qsort(plan->pieces, (size_t)plan->n_pieces, sizeof *plan->pieces, by_macs_descending);
    return CS_OK;
}

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

static cs_status plan_job(cs_plan *plan, int ranks) {
    size_t n = (size_t)plan->job->n_trials;
    CS_TRY(cs_dataset_open(plan->job->base.data.path, &plan->dataset));
    if (cs_dataset_count(plan->dataset, CS_SPLIT_TRAIN) == 0)
        return cs_fail(CS_ERR_ARG, "%s: has no train split", cs_dataset_path(plan->dataset));
    CS_TRY(check_metric(plan, plan->job->table_value));
    CS_TRY(check_metric(plan, plan->job->metric));
    CS_TRY(cs_alloc(n, sizeof *plan->macs, "costs", &plan->macs));
    CS_TRY(cs_alloc(n, sizeof *plan->shares_trunk, "costs", &plan->shares_trunk));
    CS_TRY(cost_trials(plan));
    return cut_pieces(plan, ranks);
}

cs_status cs_plan_create(const cs_job *job, int ranks, cs_plan **out) {
    cs_plan *plan = NULL;
    CS_TRY(cs_alloc(1, sizeof *plan, "plan", &plan));
    plan->job = job;
    cs_status status = plan_job(plan, ranks);
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
    free(plan->shares_trunk);
    free(plan->pieces);
    free(plan);
}
