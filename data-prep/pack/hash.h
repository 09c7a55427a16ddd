/* SPDX-License-Identifier: Apache-2.0 */
/* What an image is recognised by: a checksum of its pixels, and a perceptual hash, which stays nearly the same when the
 * image is compressed, resized or brightened.
 *
 * The perceptual hash is pHash (Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010)
 * with more bits, so that images of 32x32 pixels are told apart: the image becomes gray and 32x32, each pixel the mean
 * of those that it covers, and the signs of its lower cosine coefficients (u, v), those with 0 < u + v < 15, are the
 * bits. Where pHash compares with the median, the sign is used, because the mirrored image then has the same bits but
 * for those of odd v, which are inverted. */
#ifndef CNNSWEEP_PACK_HASH_H
#define CNNSWEEP_PACK_HASH_H

#include "cnnsweep/image.h"

enum { PACK_HASH_SIDE = 32, PACK_HASH_ORDER = 15, PACK_HASH_WIDTH = 16, PACK_HASH_BITS = 119 };

typedef struct pack_signs {
    uint64_t words[2];
} pack_signs;

typedef struct pack_hash {
    uint64_t pixels; /* the checksum of size and pixels */
    pack_signs signs;
    bool known;    /* false: there was no image, as its file is bad */
    bool has_sign; /* false: the image is too small, or of one colour, so that its signs are those of noise */
} pack_hash;

/* What a thread needs to hash images. */
typedef struct pack_hasher {
    float cosines[PACK_HASH_WIDTH]
                 [PACK_HASH_SIDE]; /* cos(pi u (2 x + 1) / 64) at [u][x], of which the last is not used */
    float turned[PACK_HASH_SIDE][PACK_HASH_WIDTH]; /* the same at [x][u] */
    uint16_t *sums;                                /* scratch memory, as luma is */
    uint8_t *luma;
    size_t sums_capacity, luma_capacity;
} pack_hasher;
void pack_hasher_open(pack_hasher *hasher);
void pack_hasher_close(pack_hasher *hasher);

/* Sets *out to the hash of the image. */
CS_MUST_CHECK cs_status pack_hash_image(pack_hasher *hasher, const cs_image *image, pack_hash *out);

/* The bits of odd v. */
pack_signs pack_odd_signs(void);
/* The signs of the mirrored image, for `odd` from pack_odd_signs. */
pack_signs pack_mirror_signs(pack_signs signs, pack_signs odd);
/* The number of bits that differ. */
int pack_sign_distance(pack_signs a, pack_signs b);

#endif
