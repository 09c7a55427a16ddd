/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a plan in a few lines. */
#include "plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_duration(double seconds, FILE *out) {
    enum { MINUTE = 60, HOUR = 3600 };
    if (seconds < 2 * MINUTE)
        fprintf(out, "%.*f s", seconds < 10 ? 1 : 0, seconds);
    else if (seconds < 2 * HOUR)
        fprintf(out, "%.0f min", seconds / MINUTE);
    else
        fprintf(out, "%.1f h", seconds / HOUR);
}

void cs_print_bytes(double bytes, FILE *out) {
    const double mega = 1e6, giga = 1e9;
    fprintf(out, bytes < giga ? "%.0f MB" : "%.1f GB", bytes / (bytes < giga ? mega : giga));
}

/* Describes which outputs of the trunk are cached for later epochs. */
static const char *describe_cached(const cs_plan *plan, const cs_cost *first) {
    const double nearly_all = 0.995;
    if (plan->job->trials[first->trial].train.mode == CS_TRAIN_FEATURES)
        return "features";
    if (first->cache == 0)
        return "nothing";
    if (first->cached_fraction < nearly_all)
        return "a part";
    const double train = first->variants[CS_SPLIT_TRAIN], val = first->variants[CS_SPLIT_VAL];
    if (train == 0)
        return "val, test";
    return val == 0 ? "train" : train == 1 && val == 1 ? "all" : "all variants";
}

static void describe_group(const cs_plan *plan, const cs_trial_group *group, char *out, size_t size) {
    const cs_cost *first = &plan->costs[group->first], *last = first + group->n - 1;
    const char *most = plan->job->trials[first->trial].fine_tune, *least = plan->job->trials[last->trial].fine_tune;
    char depths[CS_NAME_MAX * 2];
    snprintf(depths, sizeof depths, first->cut == last->cut ? "%s" : "%s to %s", most, least);
    snprintf(out, size, "%6d  %-20s %-13s %8.1f s", group->n, depths, describe_cached(plan, first), group->seconds);
}

/* Prints a line for each group, and only one for consecutive groups whose lines are equal. */
static void print_groups(const cs_plan *plan, FILE *out) {
    enum { SHOWN = 20, LINE = 256 };
    char line[LINE], next[LINE], numbers[32];
    fprintf(out, "%-12s %6s  %-20s %-13s %10s\n", "group", "trials", "fine_tune", "cached", "expected");
    int from = 0;
    for (int shown = 0; from < plan->n_groups && shown < SHOWN; shown++) {
        int to = from + 1;
        describe_group(plan, &plan->groups[from], line, sizeof line);
        for (; to < plan->n_groups; to++) {
            describe_group(plan, &plan->groups[to], next, sizeof next);
            if (strcmp(line, next) != 0)
                break;
        }
        snprintf(numbers, sizeof numbers, to > from + 1 ? "%d-%d" : "%d", from + 1, to);
        fprintf(out, "%-12s %s\n", numbers, line);
        from = to;
    }
    if (from < plan->n_groups)
        fprintf(out, "and %d more, down to %.1f s\n", plan->n_groups - from, plan->groups[plan->n_groups - 1].seconds);
}

/* Says how many trials the phases that several have in common save. */
static void print_phases(const cs_plan *plan, FILE *out) {
    const cs_job *job = plan->job;
    if (job->n_phases == 1)
        return;
    if (job->population) {
        fprintf(out, "population of %d members, %d generations\n", job->n_last, job->n_phases);
        return;
    }
    fprintf(out, "phases   %s\n", job->phases);
    for (int phase = 1; phase < job->n_phases; phase++) {
        int n = 0;
        for (int t = job->n_last; t < job->n_trials; t++)
            n += cs_job_phase(job, t) == phase;
        fprintf(out, "phase %d  trained %d time%s for %d trial%s\n", phase, n, n == 1 ? "" : "s", job->n_last,
                job->n_last == 1 ? "" : "s");
    }
}

static bool is_planned(const cs_plan *plan, const char *augment) {
    for (int i = 0; i < plan->n_costs; i++)
        if (strcmp(plan->job->trials[plan->costs[i].trial].augment_name, augment) == 0)
            return true;
    return false;
}

/* Names the augmentations that mix batches, and says what follows from it. */
static void print_mixing(const cs_plan *plan, FILE *out) {
    const cs_augmentations *augmentations = &plan->job->augmentations;
    int named = 0;
    for (int a = 0; a < augmentations->n; a++) {
        const cs_mix mix = cs_augment_mix(&augmentations->items[a].augment);
        if (cs_mix_is_on(&mix) && is_planned(plan, augmentations->items[a].name))
            fprintf(out, "%s%s", named++ == 0 ? "mixing   " : ", ", augmentations->items[a].name);
    }
    if (named > 0)
        fputs(": images of train are never twice the same, so none is cached; only trials mixed alike share a group\n",
              out);
}

static double uncached_seconds(const cs_cost *costs, int n) {
    cs_cost uncached[CS_GROUP_MAX];
    cs_group_cost group = {0};
    for (int i = n - 1; i >= 0; i--) {
        uncached[i] = cs_cost_uncached(&costs[i]);
        cs_group_cost_add(&group, &uncached[i]);
    }
    return group.seconds;
}

static void print_savings(const cs_plan *plan, FILE *out) {
    const double worth = 1.05;
    double alone = 0, shared = 0, planned = plan->total_seconds;
    for (int p = 0; p < plan->n_groups; p++) {
        const cs_trial_group *group = &plan->groups[p];
        shared += uncached_seconds(&plan->costs[group->first], group->n);
        for (int i = 0; i < group->n; i++)
            alone += uncached_seconds(&plan->costs[group->first + i], 1);
    }
    if (planned > 0 && alone > planned * worth)
        fprintf(out, "%.1fx less work than one by one: %.1fx by sharing trunks, %.1fx by caching their outputs\n",
                alone / planned, alone / shared, shared / planned);
}

static void print_memory(const cs_plan *plan, FILE *out) {
    const double in_memory = (double)plan->cache_limits.memory, on_disk = (double)plan->cache_limits.disk;
    double most = 0, cached = 0;
    for (int p = 0; p < plan->n_groups; p++) {
        const cs_trial_group *group = &plan->groups[p];
        most = fmax(most, group->memory);
        cached = fmax(cached, plan->costs[group->first].cache);
    }
    fprintf(out, "%s a rank: about ", plan->on_device ? "device memory" : "memory");
    cs_print_bytes(most + fmin(cached, in_memory), out);
    if (cached > 0) {
        fputs(", of that ", out);
        cs_print_bytes(fmin(cached, in_memory), out);
        fputs(" of outputs of trunks", out);
    }
    if (cached > in_memory && on_disk > 0) {
        fputs("; ", out);
        cs_print_bytes(fmin(cached - in_memory, on_disk), out);
        fprintf(out, " more of them in %s", plan->cache_limits.folder);
    }
    fputc('\n', out);
}

void cs_plan_print(const cs_plan *plan, FILE *out) {
    int rank_groups = plan->rank_groups, each = plan->job->run.ranks_per_trial;
    fprintf(out, "plan     %d trial%s in %d group%s on %d ", plan->n_costs, plan->n_costs == 1 ? "" : "s",
            plan->n_groups, plan->n_groups == 1 ? "" : "s", rank_groups);
    if (each > 1)
        fprintf(out, "set%s of %d ranks", rank_groups == 1 ? "" : "s", each);
    else
        fprintf(out, "rank%s", rank_groups == 1 ? "" : "s");
    fputs(": about ", out);
    print_duration(plan->makespan, out);
    fprintf(out, " by %s\n", plan->measured ? "this machine's speed" : "an ordinary core's speed");
    print_phases(plan, out);
    print_groups(plan, out);
    print_mixing(plan, out);
    print_savings(plan, out);
    print_memory(plan, out);
}
