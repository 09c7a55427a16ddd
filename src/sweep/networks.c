#include "networks.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>

/* A trial beside its network's key. */
typedef struct keyed_trial {
    uint64_t key;
    int trial;
} keyed_trial;

static int by_key(const void *a, const void *b) {
    const keyed_trial *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->trial - y->trial;
}

/* Numbers the networks in the order of their first trials; sorting finds equals among many. */
static void number_networks(cs_networks *networks, keyed_trial *keyed) {
    int n = networks->job->n_trials, *of = networks->of;
    for (int t = 0; t < n; t++)
        keyed[t] = (keyed_trial){cs_trial_work_key(&networks->job->trials[t]), t};
    qsort(keyed, (size_t)n, sizeof *keyed, by_key);
    for (int i = 0, first = 0; i < n; i++) {
        if (keyed[i].key != keyed[first].key)
            first = i;
        of[keyed[i].trial] = keyed[first].trial;
    }
    for (int t = 0; t < n; t++)
        of[t] = of[t] == t ? networks->n++ : of[of[t]];
}

static cs_status find_networks(cs_networks *networks) {
    size_t n = (size_t)networks->job->n_trials;
    keyed_trial *keyed;
    CS_TRY(cs_alloc(n, sizeof *networks->of, "plan", &networks->of));
    CS_TRY(cs_alloc(n, sizeof *keyed, "plan", &keyed));
    number_networks(networks, keyed);
    free(keyed);
    CS_TRY(cs_alloc((size_t)networks->n, sizeof *networks->items, "plan", &networks->items));
    for (int t = (int)n - 1; t >= 0; t--)
        networks->items[networks->of[t]].trial = t;
    return CS_OK;
}

static cs_status build(const cs_networks *networks, cs_network *network) {
    cs_trial_config trial = networks->job->trials[network->trial];
    cs_graph *graph = NULL;
    cs_params *params = NULL;
    CS_TRY(cs_trial_resolve_image(networks->dataset, &trial));
    CS_TRY(cs_trial_network(&trial, cs_dataset_class_count(networks->dataset), &graph, &params));
    cs_status status =
        cs_trial_check_features(&trial, networks->dataset, graph, params, cs_engine_name(networks->engine));
    network->work = cs_work_of(graph);
    cs_params_free(params);
    cs_graph_free(graph);
    return status;
}

cs_status cs_networks_open(cs_networks *networks, int threads) {
    CS_TRY(find_networks(networks));
    for (int i = 0; i < networks->n; i++) {
        cs_network *network = &networks->items[i];
        char text[CS_VALUE_MAX * 2];
        cs_status status = build(networks, network);
        cs_job_describe_trial(networks->job, network->trial, text, sizeof text);
        if (status != CS_OK)
            return text[0] ? cs_context(status, "%s", text) : status;
        network->rates = cs_rates_default(threads);
    }
    return CS_OK;
}

/* The network that takes longest among those whose layers no trial of `seen` [n] has; NULL: there is none. */
static cs_network *longest_but(const cs_networks *networks, const cs_trial_config *const *seen, int n) {
    cs_network *longest = NULL;
    for (int i = 0; i < networks->n; i++) {
        cs_network *network = &networks->items[i];
        bool fresh = !longest || network->seconds > longest->seconds;
        for (int k = 0; k < n && fresh; k++)
            fresh = !cs_same_network(seen[k], &networks->job->trials[network->trial]);
        if (fresh)
            longest = network;
    }
    return longest;
}

static cs_status measure(const cs_networks *networks, const cs_network *network, double seconds, cs_rates *out) {
    cs_trial_config trial = networks->job->trials[network->trial];
    CS_TRY(cs_trial_resolve_image(networks->dataset, &trial));
    *out = network->rates;
    return cs_rates_measure(networks->engine, &trial, cs_dataset_class_count(networks->dataset), seconds, out);
}

/* Networks that differ in what is frozen only have one rate; those that were not measured have that of the longest. */
static void spread(cs_networks *networks, const cs_trial_config *seen, const cs_rates *rates, bool first) {
    for (int i = 0; i < networks->n; i++)
        if (first || cs_same_network(seen, &networks->job->trials[networks->items[i].trial]))
            networks->items[i].rates = *rates;
}

void cs_networks_measure(cs_networks *networks, double seconds) {
    enum { MOST = 3 };
    const double most_seconds = 0.5, part = 0.05;
    double each = seconds * part / MOST < most_seconds ? seconds * part / MOST : most_seconds;
    const cs_trial_config *seen[MOST];
    cs_log_level level = cs_log_get_level();
    if (level == CS_LOG_INFO)
        cs_log_set_level(CS_LOG_WARN); /* the networks were told of when they were built */
    for (int k = 0; k < MOST; k++) {
        cs_network *network = longest_but(networks, seen, k);
        cs_rates rates;
        if (!network)
            break;
        seen[k] = &networks->job->trials[network->trial];
        if (measure(networks, network, each, &rates) != CS_OK) {
            cs_log(CS_LOG_DEBUG, "not measured: %s", cs_error_last()->text);
            continue;
        }
        spread(networks, seen[k], &rates, !networks->measured);
        networks->measured = true;
    }
    cs_log_set_level(level);
}

void cs_networks_clear(cs_networks *networks) {
    free(networks->items);
    free(networks->of);
    networks->items = NULL;
    networks->of = NULL;
}
