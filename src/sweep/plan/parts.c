#include "parts.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>

/* The first of those that have least. */
static int least_loaded(const double *loads, int parts) {
    int least = 0;
    for (int p = 1; p < parts; p++)
        if (loads[p] < loads[least])
            least = p;
    return least;
}

cs_status cs_parts_divide(cs_cost *costs, int n, int parts, int most, int *part_of) {
    const cs_group_limits limits = {.ranks = parts, .most = most, .memory = INFINITY};
    cs_piece *pieces = NULL;
    double *loads = NULL;
    int n_pieces;
    cs_status status;
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *pieces, "parts", &pieces), done);
    CS_TRY_GOTO(cs_alloc((size_t)parts, sizeof *loads, "parts", &loads), done);
    CS_TRY_GOTO(cs_groups_make(costs, n, &limits, pieces, &n_pieces), done);
    for (int p = 0; p < n_pieces; p++) {
        int part = least_loaded(loads, parts);
        loads[part] += pieces[p].seconds;
        for (int i = pieces[p].first; i < pieces[p].first + pieces[p].n; i++)
            part_of[costs[i].trial] = part;
    }
done:
    free(pieces);
    free(loads);
    return status;
}
