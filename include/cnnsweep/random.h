/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers are addressed, not drawn one after another: a stream is a pure function of (seed, purpose, epoch,
 * item).
 *
 * The generator is Philox4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The key is the
 * seed and the counter is {block, item, epoch, purpose}, so that streams never overlap (each has 2^32 blocks of 4
 * words). */
#ifndef CNNSWEEP_RANDOM_H
#define CNNSWEEP_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* The purpose of a stream. Only append: every result ever made depends on these numbers. */
typedef enum cs_purpose {
    CS_PURPOSE_INIT = 1,    /* initial weights; item = hash of the layer name, epoch = the parameter's role */
    CS_PURPOSE_SHUFFLE = 2, /* batch order; item = 0 */
    CS_PURPOSE_AUGMENT = 3, /* one rule's draws for one sample; seed = cs_named_seed of the rule, item = sample index */
    CS_PURPOSE_SPLIT = 4,   /* train/val/test split when packing; item = class; epoch 1: which images are taken */
    CS_PURPOSE_DROPOUT = 5,
    CS_PURPOSE_SYNTHETIC = 6, /* generated images; item = image index */
    CS_PURPOSE_TEST = 7,
    CS_PURPOSE_SEARCH = 8, /* values of a random sweep; item = trial without its repeats, epoch = hash of the option */
    CS_PURPOSE_MIX = 9,    /* how a batch is mixed; seed = cs_named_seed of the quantity (mix.h), item = batch */
    CS_PURPOSE_BOOTSTRAP = 10, /* rows that are drawn for an interval; item = split, epoch = number of the draw */
    CS_PURPOSE_TPE = 11, /* candidates of method tpe; item = trial without its repeats, epoch = hash of the option */
    CS_PURPOSE_POPULATION = 12, /* how a population goes on; item = member, epoch = generation before */
    CS_PURPOSE_BAYES = 13,      /* candidates of method bayes; item = trial without its repeats, epoch = 0 */
    CS_PURPOSE_EXPLAIN = 14     /* noise of an explanation; item = image, epoch = the input with noise */
} cs_purpose;

typedef struct cs_rng {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t words[4];
    int used; /* words of the current block that were used already */
} cs_rng;

/* The 10-round Philox4x32 bijection. */
void cs_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

cs_rng cs_rng_at(uint64_t seed, cs_purpose purpose, uint32_t epoch, uint32_t item);
uint32_t cs_rng_u32(cs_rng *rng);
/* Uniform integer in [0, n), without modulo bias (Lemire 2019); n > 0. */
uint32_t cs_rng_below(cs_rng *rng, uint32_t n);
/* Uniform in [0, 1), with a resolution of 24 bits. */
float cs_rng_float(cs_rng *rng);
float cs_rng_range(cs_rng *rng, float low, float high);
/* Standard normal by Box-Muller, which makes a pair; only one of them is used. */
float cs_rng_normal(cs_rng *rng);
/* Beta(a, b), in [0, 1]; a, b > 0. From two gamma variates by Marsaglia and Tsang (ACM TOMS 26, 2000), whose logarithms
 * are drawn, so that tiny parameters give 0 or 1 and never 0/0. */
double cs_rng_beta(cs_rng *rng, double a, double b);

/* Fills order[0..n) with a uniform permutation of 0..n-1 (Fisher-Yates). */
void cs_rng_permutation(cs_rng *rng, int32_t *order, size_t n);

/* The FNV-1a hash of a name. Streams that belong to a named thing have it as their `item`. */
uint32_t cs_hash_name(const char *name);

/* The seed of streams that belong to a named thing but have another `item`, such as a sample: `seed` with the hash of
 * the name added to its upper half. */
uint64_t cs_named_seed(uint64_t seed, const char *name);

#endif
