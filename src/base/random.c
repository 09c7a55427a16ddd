/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/random.h"

#include <math.h>

void cs_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    enum { ROUNDS = 10 };
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c0 = n0;
        c1 = (uint32_t)p1;
        c2 = n2;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* Weyl sequence: golden ratio, sqrt(3)-1 */
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

cs_rng cs_rng_at(uint64_t seed, cs_purpose purpose, uint32_t epoch, uint32_t item) {
    return (cs_rng){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)}, .counter = {0, item, epoch, (uint32_t)purpose}, .used = 4};
}

uint32_t cs_rng_u32(cs_rng *rng) {
    if (rng->used == 4) {
        cs_philox4x32(rng->counter, rng->key, rng->words);
        rng->counter[0]++;
        rng->used = 0;
    }
    return rng->words[rng->used++];
}

uint32_t cs_rng_below(cs_rng *rng, uint32_t n) {
    uint64_t product = (uint64_t)cs_rng_u32(rng) * n;
    if ((uint32_t)product < n) {
        uint32_t threshold = (uint32_t)-n % n;
        while ((uint32_t)product < threshold)
            product = (uint64_t)cs_rng_u32(rng) * n;
    }
    return (uint32_t)(product >> 32);
}

float cs_rng_float(cs_rng *rng) {
    return (float)(cs_rng_u32(rng) >> 8) * 0x1p-24f;
}

float cs_rng_range(cs_rng *rng, float low, float high) {
    return low + (high - low) * cs_rng_float(rng);
}

float cs_rng_normal(cs_rng *rng) {
    const double tau = 6.283185307179586;
    double u = 1.0 - (double)cs_rng_float(rng); /* in (0, 1], so that the logarithm is finite */
    double v = (double)cs_rng_float(rng);
    return (float)(sqrt(-2.0 * log(u)) * cos(tau * v));
}

/* The logarithm of a number in (0, 1]. */
static double log_of_uniform(cs_rng *rng) {
    return log(1.0 - (double)cs_rng_float(rng));
}

/* The logarithm of a Gamma(shape) variate. For a shape below 1 it is a variate of shape + 1 times u^(1/shape). */
static double log_gamma_variate(cs_rng *rng, double shape) {
    const double factor = shape < 1 ? log_of_uniform(rng) / shape : 0;
    const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        const double x = (double)cs_rng_normal(rng), root = 1 + c * x, v = root * root * root;
        if (root > 0 && log_of_uniform(rng) < 0.5 * x * x + d - d * v + d * log(v))
            return factor + log(d) + log(v);
    }
}

double cs_rng_beta(cs_rng *rng, double a, double b) {
    const double x = log_gamma_variate(rng, a), y = log_gamma_variate(rng, b);
    return 1 / (1 + exp(y - x));
}

void cs_rng_permutation(cs_rng *rng, int32_t *order, size_t n) {
    for (size_t i = 0; i < n; i++)
        order[i] = (int32_t)i;
    for (size_t i = n; i > 1; i--) {
        uint32_t j = cs_rng_below(rng, (uint32_t)i);
        int32_t swapped = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swapped;
    }
}

uint32_t cs_hash_name(const char *name) {
    uint32_t hash = 2166136261u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

uint64_t cs_named_seed(uint64_t seed, const char *name) {
    return seed + ((uint64_t)cs_hash_name(name) << 32);
}
