/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKET = (1 << 20) / sizeof(float) };

/* Behind all that goes through the host. */
enum { LOSS, CORRECT, ROWS, FAILED, BROKEN, STOPPING, NOTES };

typedef struct bucket {
    cs_share_part part;
    size_t offset, count; /* in `values` */
} bucket;

struct cs_exchange {
    cs_team *team;
    cs_engine *engine;
    cs_program *program;
    bucket *buckets; /* gradients from the last layer to the first, and then the statistics, if they are shared */
    int n_buckets, n_early; /* so many go while backward goes on */
    size_t n_values;
    float *values; /* what goes through the host */
    bool needs_all, by_engine;
    float weight; /* of this rank's part of the batch */
    int started;
    bool under_way; /* other ranks may wait for this one */
};

bool cs_exchange_needs_all(const cs_exchange *exchange) {
    return exchange->needs_all;
}

void cs_exchange_close(cs_exchange *exchange) {
    if (!exchange)
        return;
    if (exchange->under_way)
        cs_engine_leave(exchange->engine);
    free(exchange->buckets);
    free(exchange->values);
    free(exchange);
}

static float *notes_of(const cs_exchange *x) {
    return x->values + x->n_values - NOTES;
}

/* A part, times this rank's weight; a rank without rows has nothing to add. */
static cs_status take(cs_exchange *x, const bucket *next) {
    float *values = x->values + next->offset;
    if (x->by_engine)
        return cs_program_sum(x->program, &next->part, x->weight);
    if (x->weight > 0) {
        cs_program_share_read(x->program, &next->part, values);
        for (size_t i = 0; i < next->count; i++)
            values[i] *= x->weight;
    } else {
        memset(values, 0, next->count * sizeof *values);
    }
    return CS_OK;
}

static cs_status send(cs_exchange *x, float *values, size_t n) {
    const cs_comm *comm = x->team->comm;
    return n > 0 ? comm->sum_start(comm->context, values, n) : CS_OK;
}

static cs_status start_bucket(cs_exchange *x) {
    const bucket *next = &x->buckets[x->started++];
    CS_TRY(take(x, next));
    return send(x, x->values + next->offset, next->count);
}

static cs_status start_complete(void *context, int layer) {
    cs_exchange *x = context;
    while (x->started < x->n_early && x->buckets[x->started].part.begin >= layer)
        CS_TRY(start_bucket(x));
    return CS_OK;
}

void cs_exchange_begin(cs_exchange *exchange, const cs_batch *batch) {
    exchange->started = 0;
    exchange->under_way = true;
    exchange->weight = batch->n > 0 ? (float)batch->n / (float)batch->n_global : 0;
}

static void write_notes(const cs_exchange *x, cs_status mine, const cs_tally *sums) {
    const cs_team *team = x->team;
    float *notes = notes_of(x);
    notes[LOSS] = (float)sums->loss;
    notes[CORRECT] = (float)sums->correct;
    notes[ROWS] = (float)sums->rows;
    notes[FAILED] = mine != CS_OK ? 1 : 0;
    notes[BROKEN] = team->made != CS_OK ? 1 : 0;
    notes[STOPPING] = team->stop && *team->stop ? 1 : 0;
}

/* All of it, summed. The same bits on all ranks: they agree without another word. */
static cs_status bring_together(cs_exchange *x, cs_status mine, const cs_tally *sums) {
    const cs_comm *comm = x->team->comm;
    while (x->started < x->n_early)
        CS_TRY(start_bucket(x));
    float *last = x->started < x->n_buckets ? x->values + x->buckets[x->started].offset : notes_of(x);
    while (x->started < x->n_buckets)
        CS_TRY(take(x, &x->buckets[x->started++]));
    write_notes(x, mine, sums);
    CS_TRY(send(x, last, (size_t)(x->values + x->n_values - last)));
    CS_TRY(comm->sum_wait(comm->context));
    x->under_way = false;
    return CS_OK;
}

cs_status cs_exchange_end(cs_exchange *x, cs_status mine, cs_tally *sums) {
    cs_team *team = x->team;
    const float *notes = notes_of(x);
    if (mine != CS_OK && (x->needs_all || mine == CS_ERR_COMM))
        return cs_context(CS_ERR_COMM, "out of step with the ranks that share the batch");
    if (mine != CS_OK)
        x->weight = 0;
    CS_TRY(bring_together(x, mine, sums));
    *sums = (cs_tally){(double)notes[LOSS], (int64_t)notes[CORRECT], (int64_t)notes[ROWS]};
    team->stopping = notes[STOPPING] > 0;
    team->broken = notes[BROKEN] > 0;
    if (team->broken || notes[FAILED] > 0)
        return cs_team_agree(team, team->broken ? team->made : mine);
    for (int i = 0; i < x->n_buckets && !x->by_engine; i++)
        cs_program_share_load(x->program, &x->buckets[i].part, x->values + x->buckets[i].offset);
    return CS_OK;
}

static void add_to_bucket(cs_exchange *x, bucket *to, const cs_share_part *part) {
    size_t count = cs_program_share_count(x->program, part);
    to->part.begin = part->begin;
    to->count += count;
    x->n_values += count;
}

static bucket *open_bucket(cs_exchange *x, const cs_share_part *first) {
    bucket *opened = &x->buckets[x->n_buckets++];
    *opened = (bucket){.part = *first, .offset = x->n_values};
    return opened;
}

/* From the last layer down, whole layers; the last bucket of gradients ends with the segment, and waits for the rest of
 * the message. */
static void cut_buckets(cs_exchange *x, const cs_segment *segment, const cs_share_part *statistics) {
    bucket *open = NULL;
    for (int l = segment->end - 1; l >= segment->begin; l--) {
        const cs_share_part layer = {CS_SHARE_GRADIENTS, l, l + 1};
        if (!open || open->count >= BUCKET)
            open = open_bucket(x, &layer);
        add_to_bucket(x, open, &layer);
    }
    x->n_early = x->n_buckets - 1;
    if (statistics)
        add_to_bucket(x, open_bucket(x, statistics), statistics);
}

/* The engine has nothing to wait for, and leaves the host the notes. */
static void send_by_engine(cs_exchange *x) {
    x->by_engine = true;
    x->n_early = x->n_buckets;
    x->n_values = 0;
    for (int i = 0; i < x->n_buckets; i++) {
        x->buckets[i].offset = x->buckets[i].count = 0;
        x->n_early -= x->buckets[i].part.what == CS_SHARE_STATISTICS;
    }
}

/* Ranks that have other weights, or whose engine lays them out in another way, would train nonsense. */
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
    const cs_share_part statistics = {CS_SHARE_STATISTICS, segment->begin, segment->end};
    bool any = cs_program_share_count(x->program, &statistics) > 0;
    x->needs_all = any && sync_bn;
    CS_TRY(cs_alloc(layers + 1, sizeof *x->buckets, "gradient buckets", &x->buckets));
    cut_buckets(x, segment, any && !sync_bn ? &statistics : NULL);
    return CS_OK;
}

/* Now that all ranks have the same. */
static cs_status choose_way(cs_exchange *x) {
    bool able = false;
    CS_TRY(cs_engine_join(x->engine, x->team->comm, &able));
    if (able)
        send_by_engine(x);
    x->n_values += NOTES;
    CS_TRY(cs_alloc_aligned(x->n_values, sizeof *x->values, "gradient buckets", &x->values));
    if (x->needs_all)
        cs_program_set_comm(x->program, x->team->comm);
    cs_program_on_gradients(x->program, start_complete, x);
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
        status = cs_team_agree(team, choose_way(x));
    if (status == CS_OK)
        *out = x;
    else
        cs_exchange_close(x);
    return status;
}
