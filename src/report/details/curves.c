/* SPDX-License-Identifier: Apache-2.0 */
/* ROC and precision-recall curves, and their areas. Only the scores of the positive rows are sorted, and the negative
 * rows are counted between them: in a class of many the positive rows are few, and both curves have their corners at
 * scores of positive rows. */
#include "cnnsweep/memory.h"
#include "details_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How the rows of one class, or of all, rank against the others. Equal scores are a group, which is counted at its
 * first. */
typedef struct ranking {
    int64_t n, negatives;
    double *scores; /* [n] of the positive rows, falling */
    int32_t *above; /* [n+1] negative rows between scores[i-1] and scores[i]; the last are below all */
    int32_t *tied;  /* [n] negative rows of the same score as scores[i] */
} ranking;

typedef struct rankings {
    int n;
    bool by_class; /* one for each class; else one, in which every entry of the scores [rows,K] counts as a row */
    ranking *of;   /* [n] */
    double *scores;
    int32_t *above, *tied;
    cs_curve_point *points; /* memory for the corners of a curve */
} rankings;

static ranking *ranking_of(const rankings *all, int class_index) {
    return &all->of[all->by_class ? class_index : 0];
}

static void close_rankings(rankings *all) {
    free(all->of);
    free(all->scores);
    free(all->above);
    free(all->tied);
    free(all->points);
}

static int falling(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p < q) - (p > q);
}

static void add_negative(ranking *r, double score) {
    int64_t low = 0, high = r->n;
    if (r->n == 0 || score < r->scores[r->n - 1])
        low = high;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (r->scores[middle] > score)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < r->n && r->scores[low] == score)
        r->tied[low]++;
    else
        r->above[low]++;
}

/* Divides the memory among the rankings by the numbers of their positive rows. */
static void place_rankings(rankings *all, const cs_evaluation *evaluation, int64_t rows) {
    int64_t first = 0;
    for (int64_t row = 0; row < rows; row++)
        ranking_of(all, cs_evaluation_label(evaluation, row))->n++;
    for (int i = 0; i < all->n; i++) {
        ranking *r = &all->of[i];
        r->scores = all->scores + first;
        r->above = all->above + first + i;
        r->tied = all->tied + first;
        r->negatives = all->by_class ? rows - r->n : rows * (evaluation->spec.classes - 1);
        first += r->n;
        r->n = 0;
    }
}

static cs_status open_rankings(const cs_evaluation *evaluation, bool by_class, rankings *all) {
    int64_t rows = cs_evaluation_tally(evaluation).rows;
    const int classes = evaluation->spec.classes;
    *all = (rankings){.n = by_class ? classes : 1, .by_class = by_class};
    CS_TRY(cs_alloc((size_t)all->n, sizeof *all->of, "curves", &all->of));
    CS_TRY(cs_alloc((size_t)rows, sizeof *all->scores, "curves", &all->scores));
    CS_TRY(cs_alloc((size_t)(rows + all->n), sizeof *all->above, "curves", &all->above));
    CS_TRY(cs_alloc((size_t)rows, sizeof *all->tied, "curves", &all->tied));
    CS_TRY(cs_alloc((size_t)(2 * rows + 2), sizeof *all->points, "curves", &all->points));
    place_rankings(all, evaluation, rows);
    for (int64_t row = 0; row < rows; row++) {
        int label = cs_evaluation_label(evaluation, row);
        ranking *r = ranking_of(all, label);
        r->scores[r->n++] = cs_evaluation_probabilities(evaluation, row)[label];
    }
    for (int i = 0; i < all->n; i++)
        qsort(all->of[i].scores, (size_t)all->of[i].n, sizeof *all->of[i].scores, falling);
    for (int64_t row = 0; row < rows; row++)
        for (int k = 0; k < classes; k++)
            if (k != cs_evaluation_label(evaluation, row))
                add_negative(ranking_of(all, k), cs_evaluation_probabilities(evaluation, row)[k]);
    return CS_OK;
}

/* The positive and negative rows of one score, and the negative ones above it. */
typedef struct score_group {
    int64_t above, tied, positive;
} score_group;

static score_group next_group(const ranking *r, int64_t *at) {
    score_group group = {.above = r->above[*at], .tied = r->tied[*at]};
    for (double score = r->scores[*at]; *at < r->n && r->scores[*at] == score; ++*at)
        group.positive++;
    return group;
}

/* The fraction of pairs of a positive and a negative row in which the positive one has the larger score; equal scores
 * count half. */
static double auc_of(const ranking *r) {
    double pairs = 0;
    int64_t positive = 0, above = 0;
    for (int64_t at = 0; at < r->n;) {
        score_group group = next_group(r, &at);
        above += group.above + group.tied;
        pairs += (double)group.above * (double)positive;
        pairs += (double)group.tied * ((double)positive + (double)group.positive / 2);
        positive += group.positive;
    }
    pairs += (double)(r->negatives - above) * (double)r->n;
    return r->n > 0 && r->negatives > 0 ? pairs / ((double)r->n * (double)r->negatives) : (double)NAN;
}

/* sum (R_n - R_(n-1)) P_n over the distinct scores. */
static double average_precision_of(const ranking *r) {
    double sum = 0;
    int64_t positive = 0, negative = 0;
    for (int64_t at = 0; at < r->n;) {
        score_group group = next_group(r, &at);
        negative += group.above + group.tied;
        positive += group.positive;
        sum += (double)group.positive * (double)positive / (double)(positive + negative);
    }
    return r->n > 0 ? sum / (double)r->n : (double)NAN;
}

void cs_curve_place(const cs_score_curve *curve, bool is_roc, cs_curve_point *point) {
    double right = (double)point->true_positives, wrong = (double)point->false_positives;
    double rate = right / (double)curve->positives;
    point->x = is_roc ? wrong / (double)curve->negatives : rate;
    point->y = rate;
    if (!is_roc)
        point->y = right + wrong > 0 ? right / (right + wrong) : 1;
}

/* Sets the corners of a curve: those before and after each group of positive rows. */
static int64_t trace(const ranking *r, const cs_score_curve *curve, bool is_roc, cs_curve_point *points) {
    cs_curve_point now = {0};
    int64_t n = 0;
    points[n++] = now;
    for (int64_t at = 0; at < r->n;) {
        score_group group = next_group(r, &at);
        now.false_positives += group.above;
        if (group.above > 0)
            points[n++] = now;
        now.false_positives += group.tied;
        now.true_positives += group.positive;
        points[n++] = now;
    }
    if (r->above[r->n] > 0) {
        now.false_positives += r->above[r->n];
        points[n++] = now;
    }
    for (int64_t i = 0; i < n; i++)
        cs_curve_place(curve, is_roc, &points[i]);
    return n;
}

static cs_status make_curve(const rankings *all, const ranking *r, int class_index, bool is_roc, cs_score_curve *out) {
    *out = (cs_score_curve){.class_index = class_index,
                            .area = is_roc ? auc_of(r) : average_precision_of(r),
                            .positives = r->n,
                            .negatives = r->negatives};
    int64_t n = cs_curve_thin(all->points, trace(r, out, is_roc, all->points));
    CS_TRY(cs_alloc((size_t)n, sizeof *out->points, "curve", &out->points));
    memcpy(out->points, all->points, (size_t)n * sizeof *out->points);
    out->n = (int)n;
    return CS_OK;
}

static cs_status add_curve(const rankings *all, int class_index, cs_trial_details *details) {
    const ranking *r = class_index == CS_CURVE_MICRO ? &all->of[0] : &all->of[class_index];
    if (r->n == 0 || r->negatives == 0)
        return CS_OK;
    CS_TRY(make_curve(all, r, class_index, true, &details->roc[details->n_roc++]));
    return make_curve(all, r, class_index, false, &details->pr[details->n_pr++]);
}

/* The class of the smallest area after that of `last`; -1: there is none. */
static int next_worst(const cs_trial_details *details, int last) {
    int worst = -1;
    for (int k = 0; k < details->n_classes; k++) {
        double area = details->classes[k].auc;
        double before = last >= 0 ? details->classes[last].auc : -1;
        bool is_later = area > before || (area == before && k > last);
        if (is_later && (worst < 0 || area < details->classes[worst].auc))
            worst = k;
    }
    return worst;
}

static cs_status add_class_curves(const rankings *all, cs_trial_details *details) {
    if (details->n_classes > CS_DETAILS_CURVE_CLASSES) {
        for (int i = 0, k = next_worst(details, -1); i < CS_DETAILS_WORST && k >= 0; i++, k = next_worst(details, k))
            CS_TRY(add_curve(all, k, details));
        return CS_OK;
    }
    for (int k = details->n_classes == 2 ? 1 : 0; k < details->n_classes; k++)
        CS_TRY(add_curve(all, k, details));
    return CS_OK;
}

static cs_status add_classes(const rankings *all, cs_trial_details *details) {
    int first = details->n_classes == 2 ? 1 : 0;
    double n = details->n_classes - first;
    for (int k = 0; k < details->n_classes; k++) {
        cs_class_details *class = &details->classes[k];
        class->auc = auc_of(&all->of[k]);
        class->average_precision = average_precision_of(&all->of[k]);
        details->macro_auc += k >= first ? class->auc / n : 0;
        details->macro_average_precision += k >= first ? class->average_precision / n : 0;
    }
    return add_class_curves(all, details);
}

static cs_status add_micro(const rankings *all, cs_trial_details *details) {
    details->micro_auc = auc_of(&all->of[0]);
    details->micro_average_precision = average_precision_of(&all->of[0]);
    return details->n_classes > CS_DETAILS_CURVE_CLASSES ? add_curve(all, CS_CURVE_MICRO, details) : CS_OK;
}

static cs_status add_from(const cs_evaluation *evaluation, bool by_class, cs_trial_details *details) {
    rankings all;
    cs_status status = open_rankings(evaluation, by_class, &all);
    if (status == CS_OK)
        status = by_class ? add_classes(&all, details) : add_micro(&all, details);
    close_rankings(&all);
    return status;
}

cs_status cs_details_add_curves(const cs_evaluation *evaluation, cs_trial_details *details) {
    CS_TRY(cs_alloc(CS_DETAILS_CURVE_CLASSES, sizeof *details->roc, "curves", &details->roc));
    CS_TRY(cs_alloc(CS_DETAILS_CURVE_CLASSES, sizeof *details->pr, "curves", &details->pr));
    details->macro_auc = details->macro_average_precision = 0;
    CS_TRY(add_from(evaluation, false, details));
    return add_from(evaluation, true, details);
}
