/* SPDX-License-Identifier: Apache-2.0 */
#include "hits.h"
#include "best.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

enum { BITS = 4 }; /* of a digit */
static const char digits[] = "0123456789abcdef";

cs_status cs_hits_text(const cs_evaluation *test, char **out) {
    size_t rows = (size_t)test->spec.rows, n = (rows + BITS - 1) / BITS;
    CS_TRY(cs_alloc(n + 1, 1, "predictions", out));
    for (size_t i = 0; i < n; i++) {
        unsigned digit = 0;
        for (size_t row = i * BITS; row < rows && row < (i + 1) * BITS; row++)
            digit |= (unsigned)cs_evaluation_hit(test, (int64_t)row) << row % BITS;
        (*out)[i] = digits[digit];
    }
    return CS_OK;
}

cs_status cs_best_hits_offer(cs_best_hits *best, const cs_job *job, const cs_outcome *outcomes, int trial,
                             const char *hits) {
    struct cs_trial_hits *worst = &best->of[0];
    char *copy = NULL;
    bool better = false;
    if (!hits || cs_job_is_before(job, trial))
        return CS_OK;
    for (int i = 0; i < 2 && worst->text; i++) {
        CS_TRY(cs_trial_beats(job, outcomes, worst->trial, best->of[i].trial, &better));
        if (!best->of[i].text || better)
            worst = &best->of[i];
    }
    if (worst->text) {
        CS_TRY(cs_trial_beats(job, outcomes, trial, worst->trial, &better));
        if (!better)
            return CS_OK;
    }
    CS_TRY(cs_strdup(hits, &copy));
    free(worst->text);
    *worst = (struct cs_trial_hits){trial, copy};
    return CS_OK;
}

void cs_best_hits_drop(cs_best_hits *best) {
    for (int i = 0; i < 2; i++)
        free(best->of[i].text);
    *best = (cs_best_hits){0};
}

/* A letter that is no digit, of a damaged journal, counts as 0. */
static unsigned digit_of(char letter) {
    const char *found = letter ? strchr(digits, letter) : NULL;
    return found ? (unsigned)(found - digits) : 0;
}

/* Counts the rows that `a` predicts rightly and `b` does not. */
static long long count_only(const char *a, const char *b) {
    long long n = 0;
    for (; *a && *b; a++, b++)
        for (unsigned only = digit_of(*a) & ~digit_of(*b); only > 0; only /= 2)
            n += only % 2;
    return n;
}

cs_status cs_best_hits_print(const cs_best_hits *best, const cs_job *job, const cs_outcome *outcomes, FILE *out) {
    char first[32], second[32];
    bool in_order = false;
    if (!best->of[0].text || !best->of[1].text)
        return CS_OK;
    CS_TRY(cs_trial_beats(job, outcomes, best->of[0].trial, best->of[1].trial, &in_order));
    const struct cs_trial_hits *a = &best->of[!in_order], *b = &best->of[in_order];
    long long only_a = count_only(a->text, b->text), only_b = count_only(b->text, a->text);
    cs_job_trial_name(job, a->trial, first, sizeof first);
    cs_job_trial_name(job, b->trial, second, sizeof second);
    fprintf(out,
            "\nThe two best trials on test: %s alone is right on %lld images, %s alone on %lld; McNemar's exact test: "
            "p = %.3g\n",
            first, only_a, second, only_b, cs_mcnemar(only_a, only_b));
    return CS_OK;
}
