/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the duplicates among images by their hashes (hash.h): those with equal pixels, and those whose perceptual
 * hashes, or the hash of one and that of the other mirrored, differ in few bits. */
#ifndef CNNSWEEP_PACK_DUPLICATES_H
#define CNNSWEEP_PACK_DUPLICATES_H

#include "hash.h"

#include <signal.h>

/* The most bits of PACK_HASH_BITS in which the hashes of near-duplicates differ. Of CIFAR's images that were saved as
 * JPEG of quality 70 or resized, 99.9 % differ in no more (results/data.md). */
enum { PACK_NEAR_BITS = 10 };

typedef enum pack_likeness { PACK_EXACT, PACK_NEAR, PACK_MIRRORED } pack_likeness;

/* Two images that are alike, by their indices. */
typedef struct pack_link {
    size_t first, second; /* first < second */
    pack_likeness likeness;
    int distance; /* bits that differ */
} pack_link;

/* Images that are alike form a set, together with those that are like one of them. */
typedef struct pack_sets {
    size_t *first;    /* [n_images] the first image of the set; an image that is like no other is a set of its own */
    pack_link *links; /* sorted by set and by `second`; a set of k images has k - 1 links, which connect all of them */
    size_t n, capacity;
} pack_sets;

/* CS_ERR_INTERRUPTED if `stop` is set meanwhile. The caller clears `out`, also after a failure. */
CS_MUST_CHECK cs_status pack_find_duplicates(const pack_hash *hashes, size_t n, const volatile sig_atomic_t *stop,
                                             pack_sets *out);
void pack_sets_clear(pack_sets *sets);

/* Sets of numbers below n, first[n] as above but not yet final: each number points to one that is not greater, and the
 * first of a set points to itself. */
size_t pack_set_of(size_t *first, size_t i);
/* Makes one set of two; false if they are one already. */
bool pack_unite(size_t *first, size_t a, size_t b);

#endif
