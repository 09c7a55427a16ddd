/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of steps, as albumentations composes transforms. */
#include "rules.h"

/* One step, with a probability in proportion to its own. */
static void choose_one(const float *number, cs_rng *rng, const float *p, int n, bool *chosen) {
    double sum = 0, below = 0;
    (void)number;
    for (int i = 0; i < n; i++)
        sum += (double)p[i];
    const double at = cs_uniform(rng, 0, sum);
    for (int i = 0; i < n; i++) {
        below += (double)p[i];
        if (at < below) {
            chosen[i] = true;
            return;
        }
    }
}

/* So many different steps, all choices equally likely. */
static void choose_some(const float *number, cs_rng *rng, const float *p, int n, bool *chosen) {
    int32_t order[CS_AUGMENT_STEPS];
    (void)p;
    cs_rng_permutation(rng, order, (size_t)n);
    for (int i = 0; i < n && i < (int)number[0]; i++)
        chosen[order[i]] = true;
}

static void choose_all(const float *number, cs_rng *rng, const float *p, int n, bool *chosen) {
    (void)number, (void)rng, (void)p;
    for (int i = 0; i < n; i++)
        chosen[i] = true;
}

const cs_augment_rule cs_group_rules[] = {
    {.name = "one_of",
     .doc = "applies one of its `steps`, chosen in proportion to their p",
     .family = CS_FAMILY_GROUP,
     .p = 0.5f,
     .is_certain = true,
     .choose = choose_one},
    {.name = "some_of",
     .doc = "chooses n different ones of its `steps`, and applies each with its own p",
     .family = CS_FAMILY_GROUP,
     .parameters = {{"n", CS_AUGMENT_WHOLE, .min = 1, .max = CS_AUGMENT_STEPS, .fallback = {1}}},
     .choose = choose_some},
    {.name = "sequential",
     .doc = "applies all of its `steps` or none",
     .family = CS_FAMILY_GROUP,
     .p = 0.5f,
     .choose = choose_all},
    {0},
};
