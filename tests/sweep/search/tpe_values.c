/* SPDX-License-Identifier: Apache-2.0 */
/* tpe_values DRAWS: what method tpe makes of a history that is read from standard input, as numbers:
 *   CHOICES LOW HIGH STEP LOG      the domain (parzen.h); CHOICES 0: numbers
 *   TRIALS                         then for each: 0 (nothing), 1 (under way) or 2 (finished), loss, value or nan
 *   POINTS                         then so many values
 * Prints for each point the logarithms of the density of good and of other values, then DRAWS suggestions, each from a
 * random stream of its own. */
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "tpe.h"

#include <stdio.h>
#include <stdlib.h>

static double read_number(void) {
    char text[64];
    return scanf("%63s", text) == 1 ? strtod(text, NULL) : 0;
}

static int read_count(void) {
    return (int)read_number();
}

static cs_domain read_domain(void) {
    cs_domain domain = {.choices = read_count()};
    domain.low = read_number();
    domain.high = read_number();
    domain.step = read_number();
    domain.log = read_number() != 0;
    return domain;
}

static void print_points(const cs_tpe *tpe) {
    for (int n = read_count(); n > 0; n--) {
        double value = read_number();
        printf("%.17g %.17g\n", cs_parzen_log_density(&tpe->good, value), cs_parzen_log_density(&tpe->bad, value));
    }
}

static cs_status answer(int draws) {
    const cs_domain domain = read_domain();
    cs_observation *trials = NULL;
    double *values = NULL;
    bool *good = NULL;
    cs_tpe tpe;
    int n = read_count();
    CS_TRY(cs_alloc((size_t)n, sizeof *trials, "trials", &trials));
    CS_TRY(cs_alloc((size_t)n, sizeof *values, "values", &values));
    CS_TRY(cs_alloc((size_t)n, sizeof *good, "trials", &good));
    for (int i = 0; i < n; i++) {
        trials[i].known = (cs_known)read_count();
        trials[i].loss = read_number();
        values[i] = read_number();
    }
    CS_TRY(cs_tpe_split(trials, n, good));
    CS_TRY(cs_tpe_open(&domain, trials, good, values, n, &tpe));
    print_points(&tpe);
    for (int i = 0; i < draws; i++) {
        cs_rng rng = cs_rng_at(1, CS_PURPOSE_TPE, 0, (uint32_t)i);
        printf("%.17g\n", cs_tpe_suggest(&tpe, &rng));
    }
    cs_tpe_close(&tpe);
    free(trials);
    free(values);
    free(good);
    return CS_OK;
}

int main(int argc, char **argv) {
    if (argc != 2 || answer((int)strtol(argv[1], NULL, 10)) != CS_OK) {
        cs_log_error_last();
        return 1;
    }
    return 0;
}
