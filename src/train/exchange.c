#include "exchange.h"
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKET = (1 << 20) / sizeof(float) };

/* Behind the last bucket's gradients and the statistics. */
enum { LOSS, CORRECT, ROWS, FAILED, BROKEN, STOPPING, NOTES };

typedef struct bucket {
    cs_share_part part;
    size_t offset, count; /* in `values` */
} bucket;

struct cs_exchange {
    cs_team *team;
    cs_program *program;
    bucket *buckets; /* from the last layer to the first; the last one takes the statistics and notes along */
    int n_buckets;
    cs_share_part statistics;
    size_t n_statistics, n_values;
    float *values;
    bool needs_all;
    float weight; /* of this rank's part of the batch */
    int started;
};

bool cs_exchange_needs_all(const cs_exchange *exchange) {
    return exchange->needs_all;
}

void cs_exchange_close(cs_exchange *exchange) {
    if (!exchange)
        return;
    free(exchange->buckets);
    free(exchange->values);
    free(exchange);
}

static float *statistics_of(const cs_exchange *x) {
    return x->values + x->n_values - NOTES - x->n_statistics;
}

static float *notes_of(const cs_exchange *x) {
    return x->values + x->n_values - NOTES;
}

/* A part, times this rank's weight; a rank without rows has nothing to add. */
static void take_part(cs_exchange *x, const cs_share_part *part, float *values, size_t n) {
    if (x->weight > 0) {
        cs_program_share_read(x->program, part, values);
        for (size_t i = 0; i < n; i++)
            values[i] *= x->weight;
    } else {
        memset(values, 0, n * sizeof *values);
    }
}

static cs_status start_bucket(cs_exchange *x) {
    const cs_comm *comm = x->team->comm;
    const bucket *next = &x->buckets[x->started++];
    float *values = x->values + next->offset;
    take_part(x, &next->part, values, next->count);
    bool last = x->started == x->n_buckets;
    return comm->sum_start(comm->context, values, last ? x->n_values - next->offset : next->count);
}

/* The last bucket waits for the notes. */
static cs_status start_complete(void *context, int layer) {
    cs_exchange *x = context;
    while (x->started < x->n_buckets - 1 && x->buckets[x->started].part.begin >= layer)
        CS_TRY(start_bucket(x));
    return CS_OK;
}

void cs_exchange_begin(cs_exchange *exchange, const cs_batch *batch) {
    exchange->started = 0;
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
    while (x->started < x->n_buckets - 1)
        CS_TRY(start_bucket(x));
    take_part(x, &x->statistics, statistics_of(x), x->n_statistics);
    write_notes(x, mine, sums);
    CS_TRY(start_bucket(x));
    return comm->sum_wait(comm->context);
}

cs_status cs_exchange_end(cs_exchange *x, cs_status mine, cs_tally *sums) {
    cs_team *team = x->team;
    const float *notes = notes_of(x);
    if (mine != CS_OK && x->needs_all)
        return cs_context(CS_ERR_COMM, "out of step with the ranks that share the batch");
    if (mine != CS_OK)
        x->weight = 0;
    CS_TRY(bring_together(x, mine, sums));
    *sums = (cs_tally){(double)notes[LOSS], (int64_t)notes[CORRECT], (int64_t)notes[ROWS]};
    team->stopping = notes[STOPPING] > 0;
    team->broken = notes[BROKEN] > 0;
    if (team->broken || notes[FAILED] > 0)
        return cs_team_agree(team, team->broken ? team->made : mine);
    for (int i = 0; i < x->n_buckets; i++)
        cs_program_share_load(x->program, &x->buckets[i].part, x->values + x->buckets[i].offset);
    cs_program_share_load(x->program, &x->statistics, statistics_of(x));
    return CS_OK;
}

/* From the last layer down, whole layers; the last bucket ends with the segment. */
static void cut_buckets(cs_exchange *x, const cs_segment *segment) {
    bucket *open = NULL;
    for (int l = segment->end - 1; l >= segment->begin; l--) {
        const cs_share_part layer = {CS_SHARE_GRADIENTS, l, l + 1};
        if (!open || open->count >= BUCKET) {
            open = &x->buckets[x->n_buckets++];
            *open = (bucket){.part = {CS_SHARE_GRADIENTS, l, l + 1}, .offset = x->n_values};
        }
        size_t count = cs_program_share_count(x->program, &layer);
        open->part.begin = l;
        open->count += count;
        x->n_values += count;
    }
    x->n_values += x->n_statistics + NOTES;
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
    if (any && !sync_bn) {
        x->statistics = statistics;
        x->n_statistics = cs_program_share_count(x->program, &statistics);
    }
    CS_TRY(cs_alloc(layers, sizeof *x->buckets, "gradient buckets", &x->buckets));
    cut_buckets(x, segment);
    CS_TRY(cs_alloc_aligned(x->n_values, sizeof *x->values, "gradient buckets", &x->values));
    if (x->needs_all)
        cs_program_set_comm(x->program, x->team->comm);
    cs_program_on_gradients(x->program, start_complete, x);
    return CS_OK;
}

cs_status cs_exchange_open(cs_team *team, cs_program *program, const cs_segment *segment, const cs_params *params,
                           bool sync_bn, cs_exchange **out) {
    cs_exchange *x = NULL;
    cs_status status = cs_alloc(1, sizeof *x, "gradient buckets", &x);
    if (status == CS_OK) {
        x->team = team;
        x->program = program;
        status = build(x, segment, sync_bn);
    }
    status = cs_team_agree(team, status);
    if (status == CS_OK)
        status = check_same(x, params);
    if (status == CS_OK)
        *out = x;
    else
        cs_exchange_close(x);
    return status;
}
