/* SPDX-License-Identifier: Apache-2.0 */
#include "networks.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "job/distinct.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

static cs_status find_networks(cs_networks *networks) {
    size_t n = (size_t)networks->job->n_trials;
    CS_TRY(cs_alloc(n, sizeof *networks->of, "plan", &networks->of));
    CS_TRY(cs_number_trials(networks->job, cs_trial_work_key, networks->of, &networks->n));
    CS_TRY(cs_alloc((size_t)networks->n, sizeof *networks->items, "plan", &networks->items));
    for (int t = (int)n - 1; t >= 0; t--)
        networks->items[networks->of[t]].trial = t;
    return CS_OK;
}

/* Says of which trial a failure is. */
static cs_status of_trial(const cs_networks *networks, int trial, cs_status status) {
    char text[CS_VALUE_MAX * 2];
    if (status == CS_OK)
        return status;
    cs_job_describe_trial(networks->job, trial, text, sizeof text);
    return text[0] ? cs_context(status, "%s", text) : status;
}

/* Trials with the same network may have other factors of the learning rate, whose names must be those of its layers. */
static cs_status check_lr_factors(const cs_networks *networks, int network, cs_graph *graph) {
    for (int t = 0; t < networks->job->n_trials; t++)
        if (networks->of[t] == network)
            CS_TRY(of_trial(networks, t, cs_graph_set_lr_factors(graph, networks->job->trials[t].train.lr_mult)));
    return CS_OK;
}

static cs_status build(const cs_networks *networks, cs_network *network, cs_graph **graph) {
    cs_trial_config trial = networks->job->trials[network->trial];
    cs_params *params = NULL;
    CS_TRY(cs_trial_resolve_image(networks->dataset, &trial));
    CS_TRY(cs_trial_network(&trial, cs_dataset_class_count(networks->dataset), graph, &params));
    cs_status status =
        cs_trial_check_features(&trial, networks->dataset, *graph, params, cs_engine_label(networks->engine));
    network->work = cs_work_of(*graph);
    cs_params_free(params);
    return status;
}

cs_status cs_networks_open(cs_networks *networks, int threads) {
    CS_TRY(find_networks(networks));
    for (int i = 0; i < networks->n; i++) {
        cs_network *network = &networks->items[i];
        cs_graph *graph = NULL;
        cs_status status = of_trial(networks, network->trial, build(networks, network, &graph));
        if (status == CS_OK)
            status = check_lr_factors(networks, i, graph);
        cs_graph_free(graph);
        CS_TRY(status);
        network->rates = cs_rates_default(threads);
    }
    return CS_OK;
}

static const cs_trial_config *config_of(const cs_networks *networks, const cs_network *network) {
    return &networks->job->trials[network->trial];
}

static int distance(const cs_networks *networks, const cs_network *a, const cs_network *b) {
    return cs_same_network(config_of(networks, a), config_of(networks, b)) ? abs(a->work.cut - b->work.cut) : INT_MAX;
}

/* The network of `measured` [n] that is most like this one: the same layers and the nearest cut, else the first. */
static const cs_network *nearest(const cs_networks *networks, cs_network *const *measured, int n,
                                 const cs_network *network) {
    int found = 0;
    for (int i = 1; i < n; i++)
        if (distance(networks, measured[i], network) < distance(networks, measured[found], network))
            found = i;
    return measured[found];
}

/* The network that is least like all of `tried` [n]; of several such, the one that takes longest. NULL: all were tried.
 */
static cs_network *next_to_try(const cs_networks *networks, cs_network *const *tried, int n) {
    cs_network *next = NULL;
    int farthest = 0;
    for (int i = 0; i < networks->n; i++) {
        cs_network *network = &networks->items[i];
        int far = n ? distance(networks, nearest(networks, tried, n, network), network) : INT_MAX;
        if (far > farthest || (far == farthest && next && network->seconds > next->seconds)) {
            next = network;
            farthest = far;
        }
    }
    return next;
}

static cs_status measure(const cs_networks *networks, cs_network *network, double seconds) {
    cs_trial_config trial = *config_of(networks, network);
    CS_TRY(cs_trial_resolve_image(networks->dataset, &trial));
    return cs_rates_measure(networks->engine, &trial, cs_dataset_class_count(networks->dataset), seconds,
                            &network->rates);
}

static double faster(double rate, double work, double other_rate, double other_work) {
    return other_work > 0 ? fmax(rate, work / other_work * other_rate) : rate;
}

/* Makes the rates of `part` at least as high as those measured for `whole` imply. A disturbance can only make a
 * measurement longer, and a part of a network takes no longer than the whole network. */
static void raise_rates(const cs_networks *networks, const cs_network *whole, cs_network *part) {
    const cs_work *a = &part->work, *b = &whole->work;
    cs_rates *rates = &part->rates;
    if (!cs_same_network(config_of(networks, whole), config_of(networks, part)))
        return;
    if (a->cut <= b->cut)
        rates->trunk = faster(rates->trunk, a->trunk, whole->rates.trunk, b->trunk);
    if (a->cut >= b->cut) {
        rates->train = faster(rates->train, a->tail, whole->rates.train, b->tail);
        rates->infer = faster(rates->infer, a->tail, whole->rates.infer, b->tail);
    }
}

static void log_rates(const cs_networks *networks, const cs_network *network) {
    const double milli = 1e3;
    const cs_work *work = &network->work;
    const cs_rates *rates = &network->rates;
    const double batch = config_of(networks, network)->train.batch;
    cs_log(CS_LOG_DEBUG, "measured: fine_tune %s, ms a batch: trunk %.3g, tail %.3g to train, %.3g to evaluate",
           config_of(networks, network)->fine_tune, milli * batch * work->trunk / rates->trunk,
           milli * batch * work->tail / rates->train, milli * batch * work->tail / rates->infer);
}

/* The rate of a layer depends on its size. Networks that differ only in their frozen layers are therefore also measured
 * one by one, those that differ most first, while there is time. Every other network gets the rates of the most similar
 * one. */
void cs_networks_measure(cs_networks *networks, double seconds) {
    enum { MOST = 16 };
    const double most_seconds = 2, part = 0.005;
    double budget = fmin(most_seconds, seconds * part), end = cs_now() + budget;
    cs_network *tried[MOST], *measured[MOST];
    int n_tried = 0, n = 0, most = networks->n < MOST ? networks->n : MOST;
    cs_log_level level = cs_log_get_level();
    if (level == CS_LOG_INFO)
        cs_log_set_level(CS_LOG_WARN); /* the networks were logged when they were built */
    while (n_tried < most && (n_tried == 0 || cs_now() < end)) {
        cs_network *network = next_to_try(networks, tried, n_tried);
        if (!network)
            break;
        tried[n_tried++] = network;
        if (measure(networks, network, budget / most) == CS_OK) {
            measured[n++] = network;
            log_rates(networks, network);
        } else
            cs_log(CS_LOG_DEBUG, "not measured: %s", cs_error_last()->text);
    }
    cs_log_set_level(level);
    networks->measured = n > 0;
    for (int i = 0; i < networks->n && n > 0; i++)
        networks->items[i].rates = nearest(networks, measured, n, &networks->items[i])->rates;
    for (int i = 0; i < networks->n && n > 0; i++)
        for (int k = 0; k < n; k++)
            raise_rates(networks, measured[k], &networks->items[i]);
}

void cs_networks_clear(cs_networks *networks) {
    free(networks->items);
    free(networks->of);
    networks->items = NULL;
    networks->of = NULL;
}
