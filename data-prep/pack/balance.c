/* SPDX-License-Identifier: Apache-2.0 */
/* What makes up for classes of different sizes after the split, so that no image gets into two splits: --balance over
 * and --balance weights. */
#include "pack.h"

#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"

#include <stdlib.h>

const char *pack_balance_name(int way) {
    static const char *const names[PACK_BALANCE_COUNT] = {"none", "under", "over", "weights"};
    return names[way];
}

/* Repeats the n images of a class, members[n], until there are `most`. None is repeated more than once more than
 * another: the seed decides which are. `order` [n] is working memory. */
static void repeat_class(const pack_options *options, pack_list *list, int label, const int32_t *members,
                         int32_t *order, int64_t n, int64_t most) {
    cs_rng rng = cs_rng_at((uint64_t)options->seed, CS_PURPOSE_SPLIT, 2, (uint32_t)label);
    cs_rng_permutation(&rng, order, (size_t)n);
    for (int64_t i = 0; i < n; i++)
        list->samples[members[order[i]]].repeats = (int)(most / n - 1 + (i < most % n));
}

static cs_status repeat_images(const pack_options *options, pack_list *list, const int64_t *counts) {
    int32_t *work = NULL; /* [2,n] */
    int64_t most = 0, before = pack_list_images(list);
    CS_TRY(cs_alloc(list->n * 2, sizeof *work, "image list", &work));
    for (int c = 0; c < list->n_classes; c++)
        most = counts[c] > most ? counts[c] : most;
    for (int c = 0; c < list->n_classes; c++) {
        int64_t n = 0;
        for (size_t i = 0; i < list->n; i++)
            if (list->samples[i].label == c && list->samples[i].split == CS_SPLIT_TRAIN)
                work[n++] = (int32_t)i;
        repeat_class(options, list, c, work, work + list->n, n, most);
    }
    free(work);
    cs_log(CS_LOG_INFO, "train gets %lld images of each class, %lld of all are repeated (--balance over, seed %lld)",
           (long long)most, (long long)(pack_list_images(list) - before), (long long)options->seed);
    return CS_OK;
}

/* The weight of a class is that of compute_class_weight("balanced") of scikit-learn, n / (classes * its images). */
static void weigh_images(pack_list *list, const int64_t *counts) {
    int64_t n = 0;
    for (int c = 0; c < list->n_classes; c++)
        n += counts[c];
    for (size_t i = 0; i < list->n; i++) {
        pack_sample *sample = &list->samples[i];
        sample->weight *= (float)((double)n / ((double)list->n_classes * (double)counts[sample->label]));
    }
    list->weighted = true;
}

cs_status pack_balance_train(const pack_options *options, pack_list *list) {
    int64_t *counts = NULL; /* [n_classes] */
    cs_status status = CS_OK;
    if (options->balance != PACK_BALANCE_OVER && options->balance != PACK_BALANCE_WEIGHTS)
        return CS_OK;
    CS_TRY(cs_alloc((size_t)list->n_classes, sizeof *counts, "class counts", &counts));
    for (size_t i = 0; i < list->n; i++)
        counts[list->samples[i].label] += list->samples[i].split == CS_SPLIT_TRAIN;
    if (options->balance == PACK_BALANCE_OVER)
        status = repeat_images(options, list, counts);
    else
        weigh_images(list, counts);
    free(counts);
    return status;
}
