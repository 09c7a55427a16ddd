/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/cost.h"
#include "early_stopping.h"

#include <math.h>

cs_work cs_work_of(const cs_graph *graph) {
    cs_work work = {.cut = cs_trial_cut(graph), .params = sizeof(float) * (double)graph->n_values};
    for (int i = 0; i < graph->n_layers; i++) {
        bool own = i >= work.cut;
        *(own ? &work.tail : &work.trunk) += cs_layer_macs(graph, i);
        if (own)
            work.activations += sizeof(float) * (double)cs_shape_count(graph->layers[i].out);
    }
    for (int p = 0; p < graph->n_params; p++)
        if (graph->params[p].layer >= work.cut)
            work.own_params += sizeof(float) * (double)graph->params[p].count;
    if (work.cut > 0)
        work.trunk_output = sizeof(float) * (double)cs_shape_count(graph->layers[work.cut].in);
    return work;
}

double cs_trial_macs(const cs_trial_config *trial, const cs_work *work, int64_t train_images, int64_t val_images) {
    const double step_factor = 3; /* forward, gradient of the input, gradient of the kernel */
    double images = (double)(train_images + val_images), epochs = trial->train.epochs;
    double trunk_passes = trial->train.mode == CS_TRAIN_FEATURES ? 1 : epochs;
    return trunk_passes * images * work->trunk +
           epochs * (step_factor * (double)train_images + (double)val_images) * work->tail;
}

cs_rates cs_rates_default(int threads) {
    const cs_rates core = {.trunk = 25e9, .train = 6e9, .infer = 15e9, .step = 1e-4, .trial = 0.02};
    cs_rates rates = core;
    rates.trunk *= threads;
    rates.train *= threads;
    rates.infer *= threads;
    return rates;
}

cs_cost cs_cost_of(const cs_trial_config *trial, const cs_work *work, const cs_rates *rates,
                   const int64_t images[CS_SPLIT_COUNT], double room) {
    const double programs = 2; /* train and infer */
    const cs_train_config *train = &trial->train;
    double n_train = (double)images[CS_SPLIT_TRAIN], batch = train->batch, epochs = train->epochs;
    double evaluated = epochs * (double)images[CS_SPLIT_VAL];
    double rows = 0; /* that the trunk can cache */
    /* values, gradients, the optimizer's states and, with ema, the averages */
    double arrays = 2 + cs_optimizer_states(&train->optimizer) + (train->optimizer.ema > 0);
    bool features = train->mode == CS_TRAIN_FEATURES;
    cs_cost cost = {.cut = work->cut, .epochs = train->epochs};
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        cost.trunk[split] = (double)images[split] * work->trunk / rates->trunk;
        cost.tested[split] = cs_trial_evaluates(train, split);
        evaluated += cost.tested[split] ? (double)images[split] : 0;
    }
    cost.tail = rates->trial + epochs * n_train * work->tail / rates->train + evaluated * work->tail / rates->infer +
                rates->step * (epochs * ceil(n_train / batch) + evaluated / batch);
    cost.memory = batch * programs * work->activations + work->params * (cs_keeps_best(train) ? 2 : 1) +
                  work->own_params * (arrays + 1);
    cost.checkpoint = work->own_params * (arrays - 1 + cs_keeps_best(train));
    cost.weights = work->params;
    cost.share_key = cs_trial_share_key(trial);
    for (int split = 0; split < CS_SPLIT_COUNT; split++) {
        cost.variants[split] = features ? 1 : cs_augment_variants(cs_trial_augment(trial, split));
        rows += cost.variants[split] * (double)images[split];
    }
    cost.cached_fraction = features;
    if (room > 0 && work->trunk_output > 0 && !features) {
        cost.cache = work->trunk_output * rows;
        cost.cached_fraction = rows > 0 ? fmin(1, room / cost.cache) : 0;
    }
    return cost;
}

cs_cost cs_cost_uncached(const cs_cost *cost) {
    cs_cost uncached = *cost;
    if (cost->cache > 0)
        uncached.cached_fraction = uncached.cache = 0;
    return uncached;
}

/* How many times the first link runs over a split. After so many epochs, v(1 - (1 - 1/v)^epochs) of v equally likely
 * variants have been seen. */
static double first_passes(const cs_cost *first, int epochs, cs_split split) {
    double v = first->variants[split], seen = epochs;
    if (split == CS_SPLIT_TEST)
        return 1;
    if (v > 0)
        seen = v == 1 ? 1 : v * (1 - pow(1 - 1 / v, epochs));
    return first->cached_fraction * seen + (1 - first->cached_fraction) * (epochs + first->tested[split]);
}

void cs_group_cost_add(cs_group_cost *group, const cs_cost *cost) {
    for (int split = 0; split < CS_SPLIT_COUNT && group->n > 0; split++)
        group->links +=
            fmax(0, cost[1].trunk[split] - cost[0].trunk[split]) * (split == CS_SPLIT_TEST ? 1 : group->epochs);
    if (cost->epochs > group->epochs)
        group->epochs = cost->epochs;
    group->n++;
    group->tails += cost->tail;
    group->memory += cost->memory;
    group->seconds = group->tails + group->links;
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        group->seconds += first_passes(cost, group->epochs, split) * cost->trunk[split];
}
