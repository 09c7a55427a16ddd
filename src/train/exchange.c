/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKET = (1 << 20) / sizeof(float) };

/* The step's values, which are the last of those that go through the host. */
enum { LOSS, CORRECT, ROWS, FAILED, BROKEN, STOPPING, N_STEP_VALUES };

typedef struct bucket {
    cs_bucket layers;
    size_t offset, count; /* in `values`; both 0 if the engine sums */
} bucket;

struct cs_exchange {
    cs_team *team;
    cs_engine *engine;
    cs_program *program;
    /* the gradients from the last layer to the first, and then the statistics if they are summed after the step */
    bucket *buckets;
    int n_buckets, n_early; /* n_early: how many are summed while backward continues */
    size_t n_values;
    float *values; /* the values that go through the host */
    bool needs_all, by_engine;
    float weight; /* this rank's fraction of the batch's rows */
    int started;
    bool in_progress; /* between begin and end: other ranks may be waiting for this one */
};

bool cs_exchange_needs_all(const cs_exchange *exchange) {
    return exchange->needs_all;
}

void cs_exchange_close(cs_exchange *exchange) {
    if (!exchange)
        return;
    if (exchange->in_progress)
        cs_engine_leave(exchange->engine);
    free(exchange->buckets);
    free(exchange->values);
    free(exchange);
}

static float *step_values_of(const cs_exchange *x) {
    return x->values + x->n_values - N_STEP_VALUES;
}

/* Writes a part of the program's values, times this rank's weight, into its bucket; a rank without rows writes zeros.
 * If the engine sums, starts the sum of the part instead. */
static cs_status add_part(cs_exchange *x, const bucket *next) {
    float *values = x->values + next->offset;
    if (x->by_engine)
        return cs_program_allreduce(x->program, &next->layers, x->weight);
    if (x->weight > 0) {
        cs_program_read_bucket(x->program, &next->layers, values);
        for (size_t i = 0; i < next->count; i++)
            values[i] *= x->weight;
    } else {
        memset(values, 0, next->count * sizeof *values);
    }
    return CS_OK;
}

static cs_status start_sum(cs_exchange *x, float *values, size_t n) {
    const cs_comm *comm = x->team->comm;
    return n > 0 ? comm->sum_start(comm->context, values, n) : CS_OK;
}

static cs_status start_bucket(cs_exchange *x) {
    const bucket *next = &x->buckets[x->started++];
    CS_TRY(add_part(x, next));
    return start_sum(x, x->values + next->offset, next->count);
}

static cs_status start_complete_buckets(void *context, int layer) {
    cs_exchange *x = context;
    while (x->started < x->n_early && x->buckets[x->started].layers.begin >= layer)
        CS_TRY(start_bucket(x));
    return CS_OK;
}

void cs_exchange_begin(cs_exchange *exchange, const cs_batch *batch) {
    exchange->started = 0;
    exchange->in_progress = true;
    exchange->weight = batch->n > 0 ? (float)batch->n / (float)batch->n_global : 0;
}

static void write_step_values(const cs_exchange *x, cs_status mine, const cs_tally *sums) {
    const cs_team *team = x->team;
    float *step = step_values_of(x);
    step[LOSS] = (float)sums->loss;
    step[CORRECT] = (float)sums->correct;
    step[ROWS] = (float)sums->rows;
    step[FAILED] = mine != CS_OK ? 1 : 0;
    step[BROKEN] = team->prepared != CS_OK ? 1 : 0;
    step[STOPPING] = team->stop && *team->stop ? 1 : 0;
}

/* Starts the sums that are left and waits for all. The sums have the same bits on all ranks, so that all ranks decide
 * the same without another message. */
static cs_status finish_sums(cs_exchange *x, cs_status mine, const cs_tally *sums) {
    const cs_comm *comm = x->team->comm;
    while (x->started < x->n_early)
        CS_TRY(start_bucket(x));
    float *last = x->started < x->n_buckets ? x->values + x->buckets[x->started].offset : step_values_of(x);
    while (x->started < x->n_buckets)
        CS_TRY(add_part(x, &x->buckets[x->started++]));
    write_step_values(x, mine, sums);
    CS_TRY(start_sum(x, last, (size_t)(x->values + x->n_values - last)));
    CS_TRY(comm->sum_wait(comm->context));
    x->in_progress = false;
    return CS_OK;
}

cs_status cs_exchange_end(cs_exchange *x, cs_status mine, cs_tally *sums) {
    cs_team *team = x->team;
    const float *step = step_values_of(x);
    if (mine != CS_OK && (x->needs_all || mine == CS_ERR_COMM))
        return cs_context(CS_ERR_COMM, "out of step with the ranks that share the batch");
    if (mine != CS_OK)
        x->weight = 0;
    CS_TRY(finish_sums(x, mine, sums));
    *sums = (cs_tally){(double)step[LOSS], (int64_t)step[CORRECT], (int64_t)step[ROWS]};
    team->stopping = step[STOPPING] > 0;
    team->broken = step[BROKEN] > 0;
    if (team->broken || step[FAILED] > 0)
        return cs_team_agree(team, team->broken ? team->prepared : mine);
    for (int i = 0; i < x->n_buckets && !x->by_engine; i++)
        cs_program_load_bucket(x->program, &x->buckets[i].layers, x->values + x->buckets[i].offset);
    return CS_OK;
}

static void add_to_bucket(cs_exchange *x, bucket *to, const cs_bucket *part) {
    size_t count = cs_program_bucket_count(x->program, part);
    to->layers.begin = part->begin;
    to->count += count;
    x->n_values += count;
}

static bucket *open_bucket(cs_exchange *x, const cs_bucket *first) {
    bucket *opened = &x->buckets[x->n_buckets++];
    *opened = (bucket){.layers = *first, .offset = x->n_values};
    return opened;
}

/* Divides the layers into buckets, from the last layer to the first, each of whole layers. The last bucket of gradients
 * ends with the segment; it is not sent early, but with the rest of the message. */
static void cut_buckets(cs_exchange *x, const cs_segment *segment, const cs_bucket *statistics) {
    bucket *open = NULL;
    for (int l = segment->end - 1; l >= segment->begin; l--) {
        const cs_bucket layer = {CS_BUCKET_GRADIENTS, l, l + 1};
        if (!open || open->count >= BUCKET)
            open = open_bucket(x, &layer);
        add_to_bucket(x, open, &layer);
    }
    x->n_early = x->n_buckets - 1;
    if (statistics)
        add_to_bucket(x, open_bucket(x, statistics), statistics);
}

/* The engine needs no last message to wait for, and the host sums only the step's values. */
static void use_engine_allreduce(cs_exchange *x) {
    x->by_engine = true;
    x->n_early = x->n_buckets;
    x->n_values = 0;
    for (int i = 0; i < x->n_buckets; i++) {
        x->buckets[i].offset = x->buckets[i].count = 0;
        x->n_early -= x->buckets[i].layers.kind == CS_BUCKET_STATISTICS;
    }
}

/* Checks that all ranks have the same weights and the same layout of values; if not, the sums would be meaningless. */
static cs_status check_same(const cs_exchange *x, const cs_params *params) {
    uint64_t sum = cs_checksum(params->data, params->graph->n_values * sizeof *params->data);
    double mine[] = {(double)x->n_values, (double)cs_program_memory(x->program), (double)(sum >> 32),
                     (double)(sum & UINT32_MAX)};
    enum { N = sizeof mine / sizeof *mine };
    double all[N];
    cs_status status = CS_OK;
    memcpy(all, mine, sizeof all);
    CS_TRY(cs_team_sum(x->team, all, N));
    for (int i = 0; i < N && status == CS_OK; i++)
        if (all[i] != mine[i] * x->team->comm->size)
            status = cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "ranks that share a trial do not have the same network: %s",
                                     i < 2 ? "their processors differ" : "their weights differ"),
                             "use machines of one kind, or ranks_per_trial: 1");
    return cs_team_agree(x->team, status);
}

static cs_status build(cs_exchange *x, const cs_segment *segment, bool sync_bn) {
    size_t layers = (size_t)(segment->end - segment->begin);
    const cs_bucket statistics = {CS_BUCKET_STATISTICS, segment->begin, segment->end};
    bool any = cs_program_bucket_count(x->program, &statistics) > 0;
    x->needs_all = any && sync_bn;
    CS_TRY(cs_alloc(layers + 1, sizeof *x->buckets, "gradient buckets", &x->buckets));
    cut_buckets(x, segment, any && !sync_bn ? &statistics : NULL);
    return CS_OK;
}

/* Decides whether the engine or the host does the sums; all ranks have the same layout by now. */
static cs_status choose_allreduce(cs_exchange *x) {
    bool able = false;
    CS_TRY(cs_engine_join(x->engine, x->team->comm, &able));
    if (able)
        use_engine_allreduce(x);
    x->n_values += N_STEP_VALUES;
    CS_TRY(cs_alloc_aligned(x->n_values, sizeof *x->values, "gradient buckets", &x->values));
    if (x->needs_all)
        cs_program_set_comm(x->program, x->team->comm);
    cs_program_on_gradients(x->program, start_complete_buckets, x);
    return CS_OK;
}

cs_status cs_exchange_open(cs_team *team, cs_engine *engine, cs_program *program, const cs_segment *segment,
                           const cs_params *params, bool sync_bn, cs_exchange **out) {
    cs_exchange *x = NULL;
    cs_status status = cs_alloc(1, sizeof *x, "gradient buckets", &x);
    if (status == CS_OK) {
        x->team = team;
        x->engine = engine;
        x->program = program;
        status = build(x, segment, sync_bn);
    }
    status = cs_team_agree(team, status);
    if (status == CS_OK)
        status = check_same(x, params);
    if (status == CS_OK)
        status = cs_team_agree(team, choose_allreduce(x));
    if (status == CS_OK)
        *out = x;
    else
        cs_exchange_close(x);
    return status;
}
