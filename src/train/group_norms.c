/* SPDX-License-Identifier: Apache-2.0 */
/* The moving statistics of batch norms for averaged weights, as torch.optim.swa_utils.update_bn computes them: the mean
 * of the statistics of the batches of the train split, each of which counts alike. Frozen batch norms keep theirs.
 *
 * A train program moves a statistic to m*old + (1-m)*batch, where m is the layer's momentum. Here it is 0 before each
 * batch, from which the batch's own follows. The batches are those of the first epoch, whatever the epoch in which a
 * trial ended, so that trials of a group share them. */
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "group_impl.h"

#include <stdlib.h>
#include <string.h>

typedef struct norm_layer {
    cs_bucket bucket;
    size_t at, n;  /* its values in the arrays of all layers */
    double factor; /* from a statistic that was moved from 0 to that of the batch */
} norm_layer;

typedef struct norm_sums {
    cs_tail *tail;
    norm_layer *layers;
    int n_layers;
    size_t n;
    float *values;      /* [n] */
    double *sums;       /* [n] */
    cs_params *trained; /* the values of the train program, which has the averages during the pass */
} norm_sums;

static void close_sums(norm_sums *sums, int n) {
    for (int i = 0; sums && i < n; i++) {
        free(sums[i].layers);
        free(sums[i].values);
        free(sums[i].sums);
        cs_params_free(sums[i].trained);
    }
    free(sums);
}

/* A batch norm with the momentum 1 never moves its statistics. */
static cs_status open_sums(norm_sums *of, cs_tail *tail) {
    const cs_graph *graph = tail->graph;
    *of = (norm_sums){.tail = tail};
    CS_TRY(cs_alloc((size_t)graph->n_layers, sizeof *of->layers, "batch norms", &of->layers));
    for (int l = tail->cut; l < graph->n_layers; l++) {
        const cs_bucket bucket = {CS_BUCKET_STATISTICS, l, l + 1};
        const double momentum = (double)graph->layers[l].momentum;
        size_t n = cs_program_bucket_count(tail->train, &bucket);
        if (n == 0 || momentum >= 1)
            continue;
        of->layers[of->n_layers++] = (norm_layer){bucket, of->n, n, 1 / (1 - momentum)};
        of->n += n;
    }
    CS_TRY(cs_alloc(of->n, sizeof *of->values, "batch norms", &of->values));
    CS_TRY(cs_alloc(of->n, sizeof *of->sums, "batch norms", &of->sums));
    CS_TRY(cs_params_create(graph, &of->trained));
    CS_TRY(cs_program_read(tail->train, CS_ARRAY_VALUE, of->trained));
    return cs_program_load(tail->train, CS_ARRAY_VALUE, tail->params);
}

static void load_statistics(const norm_sums *of) {
    for (int i = 0; i < of->n_layers; i++)
        cs_program_load_bucket(of->tail->train, &of->layers[i].bucket, of->values + of->layers[i].at);
}

static cs_status forward(const cs_tail *tail, const cs_feed *feed, const cs_batch *batch) {
    const cs_draw draw = {(uint64_t)tail->config->train.seed, 0, batch->samples};
    cs_program_set_draw(tail->train, &draw);
    if (tail->reads_batch && batch->n > 0)
        CS_TRY(cs_feed_input(feed, batch, tail->train));
    return cs_program_forward(tail->train, batch->n);
}

/* Adds the statistics of a batch, or of this rank's rows of it, which count by their number. */
static cs_status add_batch(const norm_sums *of, const cs_feed *feed, const cs_batch *batch) {
    const cs_tail *tail = of->tail;
    bool needs_all = tail->exchange && cs_exchange_needs_all(tail->exchange);
    double weight = tail->team ? (double)batch->n / batch->n_global : 1;
    if (batch->n == 0 && !needs_all)
        return CS_OK;
    memset(of->values, 0, of->n * sizeof *of->values);
    load_statistics(of);
    cs_status status = forward(tail, feed, batch);
    if (status != CS_OK)
        return needs_all ? cs_context(CS_ERR_COMM, "out of step with the ranks that share the batch") : status;
    for (int i = 0; i < of->n_layers && batch->n > 0; i++) {
        const norm_layer *layer = &of->layers[i];
        cs_program_read_bucket(tail->train, &layer->bucket, of->values + layer->at);
        for (size_t k = layer->at; k < layer->at + layer->n; k++)
            of->sums[k] += weight * layer->factor * (double)of->values[k];
    }
    return CS_OK;
}

static int deepest_cut(const norm_sums *sums, int n) {
    int cut = 0;
    for (int i = 0; i < n; i++)
        if (sums[i].tail->cut > cut)
            cut = sums[i].tail->cut;
    return cut;
}

static cs_status run_batch(const cs_group *group, const norm_sums *sums, int n) {
    cs_feed *feed = group->feeds[CS_SPLIT_TRAIN];
    cs_batch batch;
    cs_batch_cost cost;
    CS_TRY(cs_team_agree(group->team, cs_batch_prepare(feed, group->trunk, deepest_cut(sums, n), n, &batch, &cost)));
    for (int i = 0; i < n; i++) {
        double begun = cs_now();
        CS_TRY(cs_team_agree(group->team, add_batch(&sums[i], feed, &batch)));
        cs_effort_add(&sums[i].tail->effort[CS_SPLIT_TEST], &batch, batch.n, sums[i].tail->cut, &cost,
                      cs_now() - begun);
    }
    return CS_OK;
}

/* Takes the means over all batches and ranks as the statistics of the tested weights. */
static cs_status take_means(const norm_sums *of, int batches) {
    cs_tail *tail = of->tail;
    CS_TRY(cs_team_sum(tail->team, of->sums, of->n));
    for (size_t k = 0; k < of->n; k++)
        of->values[k] = (float)(of->sums[k] / batches);
    load_statistics(of);
    CS_TRY(cs_program_read(tail->train, CS_ARRAY_VALUE, tail->params));
    return cs_program_load(tail->infer, CS_ARRAY_VALUE, tail->params);
}

static cs_status run_pass(cs_group *group, const norm_sums *sums, int n, bool *complete) {
    cs_loader *loader = cs_feed_loader(group->feeds[CS_SPLIT_TRAIN]);
    int batches = cs_loader_batches(loader), done = 0;
    CS_TRY(cs_team_agree(group->team, cs_loader_start(loader, 0, 0)));
    for (; done < batches && !cs_group_is_stopped(group); done++)
        CS_TRY(run_batch(group, sums, n));
    *complete = done == batches;
    for (int i = 0; i < n; i++) {
        if (*complete)
            CS_TRY(cs_team_agree(group->team, take_means(&sums[i], batches)));
        CS_TRY(cs_program_load(sums[i].tail->train, CS_ARRAY_VALUE, sums[i].trained));
    }
    return CS_OK;
}

static bool has_statistics(const cs_tail *tail) {
    const cs_bucket all = {CS_BUCKET_STATISTICS, tail->cut, tail->graph->n_layers};
    return cs_program_bucket_count(tail->train, &all) > 0;
}

/* Opens the sums of the tails whose averaged weights have batch norms that train. */
static cs_status open_all(const cs_group *group, norm_sums *sums, int *n) {
    for (int i = 0; i < group->ending.n; i++) {
        cs_tail *tail = group->ending.items[i];
        if (tail->averaged > 0 && has_statistics(tail))
            CS_TRY(open_sums(&sums[(*n)++], tail));
    }
    return CS_OK;
}

cs_status cs_group_update_norms(cs_group *group, bool *complete) {
    norm_sums *sums = NULL;
    int n = 0, most = group->ending.n;
    *complete = true;
    if (most == 0)
        return CS_OK;
    cs_status status = cs_alloc((size_t)most, sizeof *sums, "batch norms", &sums);
    if (status == CS_OK)
        status = open_all(group, sums, &n);
    status = cs_team_agree(group->team, status);
    if (status == CS_OK && n > 0)
        status = run_pass(group, sums, n, complete);
    close_sums(sums, most);
    return status;
}
