/* SPDX-License-Identifier: Apache-2.0 */
#include "population.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "row.h"
#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct cs_population {
    cs_job_reader reader; /* to make trials, with errors that name their place in the job file */
    cs_node *root;
    int members;
    bool *open, *ended; /* [n_trials] */
    double *losses;     /* [n_trials] of those that ended: smaller is better; NaN: no result */
};

static int member_of(const cs_population *population, int trial) {
    return trial % population->members;
}

static int generation_of(const cs_population *population, int trial) {
    return population->reader.job->n_phases - trial / population->members;
}

int cs_population_trial(const cs_job *job, int member, int generation) {
    return (job->n_phases - generation) * job->n_last + member;
}

static int trial_at(const cs_population *population, int member, int generation) {
    return cs_population_trial(population->reader.job, member, generation);
}

/* The values of the first generation are known. */
cs_status cs_population_open(cs_job_reader *reader, cs_node *root, cs_population **out) {
    cs_job *job = reader->job;
    cs_population *population = NULL;
    size_t n = (size_t)job->n_trials;
    CS_TRY(cs_alloc(1, sizeof *population, "population", &population));
    cs_status status = cs_alloc(n, sizeof *population->open, "population", &population->open);
    if (status == CS_OK)
        status = cs_alloc(n, sizeof *population->ended, "population", &population->ended);
    if (status == CS_OK)
        status = cs_alloc(n, sizeof *population->losses, "population", &population->losses);
    population->reader = cs_job_reader_take(reader);
    population->root = root;
    population->members = job->n_last;
    for (int t = 0; status == CS_OK && t < job->n_trials; t++)
        population->open[t] = generation_of(population, t) > 1;
    *out = population;
    return status; /* also after a failure the caller closes the population */
}

void cs_population_close(cs_population *population) {
    if (!population)
        return;
    cs_job_reader_clear(&population->reader);
    cs_node_free(population->root);
    free(population->open);
    free(population->ended);
    free(population->losses);
    free(population);
}

bool cs_population_is_open(const cs_population *population, int trial) {
    return population->open[trial];
}

bool cs_population_must_wait(const cs_population *population, int trial) {
    int before = generation_of(population, trial) - 1;
    for (int m = 0; m < population->members && before > 0; m++)
        if (!population->ended[trial_at(population, m, before)])
            return true;
    return false;
}

typedef struct ranked {
    double loss;
    int member;
} ranked;

/* Members without a result come last. */
static int best_first(const void *a, const void *b) {
    const ranked *p = a, *q = b;
    if (isnan(p->loss) != isnan(q->loss))
        return isnan(p->loss) ? 1 : -1;
    if (p->loss != q->loss && !isnan(p->loss))
        return p->loss < q->loss ? -1 : 1;
    return p->member - q->member;
}

/* Writes the members in the order of a generation's results. Returns how many have one. */
static int rank_members(const cs_population *population, int generation, ranked *order) {
    int results = 0;
    for (int m = 0; m < population->members; m++) {
        order[m] = (ranked){population->losses[trial_at(population, m, generation)], m};
        results += !isnan(order[m].loss);
    }
    qsort(order, (size_t)population->members, sizeof *order, best_first);
    return results;
}

/* The number of members in the lowest and in the highest quantile; these have no member in common. */
static int quantile_of(const cs_population *population) {
    int n = (int)ceil(population->members * population->reader.job->scheduler.quantile_fraction);
    return n > population->members / 2 ? population->members / 2 : n;
}

static double clamp(const cs_range *range, double value) {
    value = fmin(fmax(value, range->low), range->high);
    return cs_range_is_whole(range) ? round(value) : (float)value;
}

/* Changes a row as its option is explored. */
static void explore(const cs_population *population, int option, cs_rng *rng, double *value) {
    const double larger = 1.2, smaller = 0.8;
    const cs_job *job = population->reader.job;
    const cs_range *range = &population->reader.space.ranges[option];
    bool anew = cs_rng_u32(rng) * 0x1p-32 < job->scheduler.resample_probability, up = cs_rng_below(rng, 2) == 1;
    if (range->kind != CS_RANGE_LISTED) {
        *value = anew ? cs_search_draw_number(range, rng) : clamp(range, *value * (up ? larger : smaller));
        return;
    }
    int n = job->swept[option].n;
    double next = anew ? cs_rng_below(rng, (uint32_t)n) : *value + (up ? 1 : -1);
    *value = fmin(fmax(next, 0), n - 1);
}

/* Takes over the values of the trial that a member goes on from; with `changes`, explores from there. */
static cs_status inherit(cs_population *population, int trial, int before, bool changes, cs_rng *rng) {
    double row[CS_SAMPLED_MAX];
    CS_TRY(cs_row_read(&population->reader, before, row));
    for (int i = 0; changes && i < population->reader.space.n_options; i++)
        explore(population, i, rng, &row[i]);
    population->reader.job->before[trial] = before;
    population->open[trial] = false;
    return cs_row_apply(&population->reader, trial, row);
}

static cs_status choose(cs_population *population, int trial, ranked *order) {
    const cs_job *job = population->reader.job;
    int m = member_of(population, trial), before = generation_of(population, trial) - 1, place = 0;
    int results = rank_members(population, before, order), quantile = quantile_of(population);
    cs_rng rng = cs_rng_at((uint64_t)job->seed, CS_PURPOSE_POPULATION, (uint32_t)m, (uint32_t)before);
    if (results == 0)
        return cs_fail(CS_ERR_ARG, "all members of the generation before failed");
    while (order[place].member != m)
        place++;
    bool exploits = place >= results || place >= population->members - quantile;
    int best = quantile < 1 ? 1 : quantile < results ? quantile : results;
    int source = exploits ? order[cs_rng_below(&rng, (uint32_t)best)].member : m;
    return inherit(population, trial, trial_at(population, source, before), exploits, &rng);
}

cs_status cs_population_choose(cs_population *population, int trial) {
    ranked *order = NULL;
    if (!population->open[trial])
        return CS_OK;
    CS_TRY(cs_alloc((size_t)population->members, sizeof *order, "population", &order));
    cs_status status = choose(population, trial, order);
    free(order);
    return status;
}

void cs_population_ended(cs_population *population, int trial, double result) {
    population->ended[trial] = true;
    population->losses[trial] = population->reader.job->maximize ? -result : result;
}

void cs_population_values(const cs_population *population, int trial, double out[CS_SAMPLED_MAX]) {
    if (cs_row_read(&population->reader, trial, out) != CS_OK) /* its values have been read before */
        memset(out, 0, CS_SAMPLED_MAX * sizeof *out);
}

cs_status cs_population_set(cs_population *population, int trial, const cs_chosen *chosen) {
    if (!population->open[trial])
        return CS_OK;
    population->reader.job->before[trial] = chosen->before;
    population->open[trial] = false;
    CS_TRY(cs_row_apply(&population->reader, trial, chosen->values));
    population->reader.job->trials[trial].phase.before = chosen->phase;
    return CS_OK;
}
