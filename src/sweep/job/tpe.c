/* SPDX-License-Identifier: Apache-2.0 */
#include "tpe.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>

enum { CANDIDATES = 24, MOST_GOOD = 25, ONE_IN = 10 };

cs_status cs_tpe_split(const cs_observation *trials, int n, bool *good) {
    int *order = NULL, finished;
    CS_TRY(cs_alloc((size_t)n, sizeof *order, "trials", &order));
    cs_status status = cs_observation_rank(trials, n, order, &finished);
    if (status == CS_OK) {
        int n_good = (finished + ONE_IN - 1) / ONE_IN;
        for (int i = 0; i < n; i++)
            good[i] = false;
        for (int i = 0; i < n_good && i < MOST_GOOD; i++)
            good[order[i]] = true;
    }
    free(order);
    return status;
}

static cs_status open_part(const cs_domain *domain, const cs_observation *trials, const bool *good,
                           const double *values, int n, bool wanted, cs_parzen *out) {
    double *observed = NULL;
    int count = 0;
    CS_TRY(cs_alloc((size_t)n, sizeof *observed, "trials", &observed));
    for (int i = 0; i < n; i++) {
        bool counts = trials[i].known != CS_KNOWN_NOTHING;
        if (counts && good[i] == wanted && !isnan(values[i]))
            observed[count++] = values[i];
    }
    cs_status status = cs_parzen_open(domain, observed, count, out);
    free(observed);
    return status;
}

cs_status cs_tpe_open(const cs_domain *domain, const cs_observation *trials, const bool *good, const double *values,
                      int n, cs_tpe *out) {
    *out = (cs_tpe){0};
    cs_status status = open_part(domain, trials, good, values, n, true, &out->good);
    if (status == CS_OK)
        status = open_part(domain, trials, good, values, n, false, &out->bad);
    if (status != CS_OK)
        cs_tpe_close(out);
    return status;
}

void cs_tpe_close(cs_tpe *tpe) {
    cs_parzen_close(&tpe->good);
    cs_parzen_close(&tpe->bad);
}

double cs_tpe_suggest(const cs_tpe *tpe, cs_rng *rng) {
    const double rounding = 1e-9; /* with few trials several choices often have the same ratio, and the first counts */
    double best = NAN, best_ratio = -INFINITY;
    for (int i = 0; i < CANDIDATES; i++) {
        double value = cs_parzen_draw(&tpe->good, rng);
        double ratio = cs_parzen_log_density(&tpe->good, value) - cs_parzen_log_density(&tpe->bad, value);
        if (i > 0 && !(ratio > best_ratio + rounding))
            continue;
        best = value;
        best_ratio = ratio;
    }
    return best;
}
