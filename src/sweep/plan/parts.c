/* SPDX-License-Identifier: Apache-2.0 */
#include "parts.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>

/* The first of the parts with the least work. */
static int least_loaded(const double *loads, int parts) {
    int least = 0;
    for (int p = 1; p < parts; p++)
        if (loads[p] < loads[least])
            least = p;
    return least;
}

cs_status cs_parts_divide(cs_cost *costs, int n, int parts, int most, int *part_of) {
    const cs_group_limits limits = {.ranks = parts, .most = most, .memory = INFINITY};
    cs_trial_group *groups = NULL;
    double *loads = NULL;
    int n_groups;
    cs_status status;
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *groups, "parts", &groups), done);
    CS_TRY_GOTO(cs_alloc((size_t)parts, sizeof *loads, "parts", &loads), done);
    CS_TRY_GOTO(cs_groups_make(costs, n, &limits, groups, &n_groups), done);
    for (int p = 0; p < n_groups; p++) {
        int part = least_loaded(loads, parts);
        loads[part] += groups[p].seconds;
        for (int i = groups[p].first; i < groups[p].first + groups[p].n; i++)
            part_of[costs[i].trial] = part;
    }
done:
    free(groups);
    free(loads);
    return status;
}
