/* SPDX-License-Identifier: Apache-2.0 */
#include "duplicates.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

/* If two hashes differ in at most PACK_NEAR_BITS bits, they agree in one of as many blocks and one more. So only images
 * that agree in a block are compared. Block b has the bits b, b + BLOCKS, b + 2 BLOCKS, ..., because neighbouring bits
 * tend to be equal in many images. */
enum { BLOCKS = PACK_NEAR_BITS + 1, BLOCK_BITS = (PACK_HASH_BITS + BLOCKS - 1) / BLOCKS, BUCKETS = 1 << BLOCK_BITS };

typedef struct search {
    const pack_hash *hashes;
    size_t n;
    const volatile sig_atomic_t *stop;
    pack_sets *sets;
    pack_signs odd; /* the bits that a mirrored image has inverted */
    bool *compared; /* [n] the image has a perceptual hash, and no image before it has the same pixels */
    size_t *bucket; /* [BUCKETS + 1] where the images of a bucket begin in `order` */
    size_t *order;  /* [n] the images by their bits in the block, each bucket in the order of the images */
} search;

size_t pack_set_of(size_t *first, size_t i) {
    while (first[i] != i) {
        first[i] = first[first[i]];
        i = first[i];
    }
    return i;
}

bool pack_unite(size_t *first, size_t a, size_t b) {
    a = pack_set_of(first, a);
    b = pack_set_of(first, b);
    if (a < b)
        first[b] = a;
    else
        first[a] = b;
    return a != b;
}

/* Adds a link unless the two images are in one set already. */
static cs_status add_link(pack_sets *sets, pack_link link) {
    if (!pack_unite(sets->first, link.first, link.second))
        return CS_OK;
    CS_TRY(cs_grow(&sets->links, &sets->capacity, sets->n + 1, sizeof *sets->links, "duplicates"));
    sets->links[sets->n++] = link;
    return CS_OK;
}

typedef struct pixels_of {
    uint64_t pixels;
    size_t image;
} pixels_of;

static int by_pixels(const void *a, const void *b) {
    const pixels_of *p = a, *q = b;
    if (p->pixels != q->pixels)
        return p->pixels < q->pixels ? -1 : 1;
    return (p->image > q->image) - (p->image < q->image);
}

/* Links each image to the first with the same pixels. */
static cs_status link_exact(search *s) {
    pixels_of *sorted = NULL;
    size_t n = 0;
    CS_TRY(cs_alloc(s->n, sizeof *sorted, "duplicates", &sorted));
    for (size_t i = 0; i < s->n; i++) {
        s->compared[i] = s->hashes[i].has_sign;
        if (s->hashes[i].known)
            sorted[n++] = (pixels_of){s->hashes[i].pixels, i};
    }
    qsort(sorted, n, sizeof *sorted, by_pixels);
    cs_status status = CS_OK;
    for (size_t i = 1, first = 0; i < n && status == CS_OK; i++) {
        if (sorted[i].pixels != sorted[first].pixels) {
            first = i;
            continue;
        }
        s->compared[sorted[i].image] = false;
        status = add_link(s->sets,
                          (pack_link){.first = sorted[first].image, .second = sorted[i].image, .likeness = PACK_EXACT});
    }
    free(sorted);
    return status;
}

static size_t bits_of(pack_signs signs, int block) {
    size_t bits = 0;
    for (int bit = block; bit < PACK_HASH_BITS; bit += BLOCKS)
        bits = bits << 1 | (signs.words[bit / 64] >> bit % 64 & 1);
    return bits;
}

/* Sorts the images by their bits in the block. */
static void fill_buckets(search *s, int block) {
    memset(s->bucket, 0, (BUCKETS + 1) * sizeof *s->bucket);
    for (size_t i = 0; i < s->n; i++)
        if (s->compared[i])
            s->bucket[bits_of(s->hashes[i].signs, block) + 1]++;
    for (size_t b = 1; b <= BUCKETS; b++)
        s->bucket[b] += s->bucket[b - 1];
    const size_t n = s->bucket[BUCKETS];
    for (size_t i = s->n; i > 0; i--) /* from the end of each bucket, whose end thereby becomes its beginning */
        if (s->compared[i - 1])
            s->order[--s->bucket[bits_of(s->hashes[i - 1].signs, block) + 1]] = i - 1;
    memmove(s->bucket, s->bucket + 1, BUCKETS * sizeof *s->bucket);
    s->bucket[BUCKETS] = n;
}

/* Links image i to those before it that have the same bits in the block and are like `signs`. */
static cs_status link_near(search *s, int block, size_t i, pack_signs signs, pack_likeness likeness) {
    const size_t bits = bits_of(signs, block);
    for (size_t at = s->bucket[bits]; at < s->bucket[bits + 1] && s->order[at] < i; at++) {
        const int distance = pack_sign_distance(signs, s->hashes[s->order[at]].signs);
        if (distance <= PACK_NEAR_BITS)
            CS_TRY(add_link(s->sets, (pack_link){s->order[at], i, likeness, distance}));
    }
    return CS_OK;
}

static cs_status link_all(search *s) {
    CS_TRY(link_exact(s));
    for (int block = 0; block < BLOCKS; block++) {
        fill_buckets(s, block);
        for (size_t i = 0; i < s->n; i++) {
            if (*s->stop)
                return cs_fail(CS_ERR_INTERRUPTED, "interrupted; nothing was written");
            if (!s->compared[i])
                continue;
            CS_TRY(link_near(s, block, i, s->hashes[i].signs, PACK_NEAR));
            CS_TRY(link_near(s, block, i, pack_mirror_signs(s->hashes[i].signs, s->odd), PACK_MIRRORED));
        }
    }
    return CS_OK;
}

/* A link and the set that it belongs to, to be sorted. */
typedef struct set_link {
    size_t set;
    pack_link link;
} set_link;

static int by_set(const void *a, const void *b) {
    const set_link *p = a, *q = b;
    const size_t left[] = {p->set, p->link.second, p->link.first}, right[] = {q->set, q->link.second, q->link.first};
    for (int i = 0; i < 3; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

static cs_status sort_links(pack_sets *sets) {
    set_link *sorted = NULL;
    CS_TRY(cs_alloc(sets->n, sizeof *sorted, "duplicates", &sorted));
    for (size_t i = 0; i < sets->n; i++)
        sorted[i] = (set_link){sets->first[sets->links[i].first], sets->links[i]};
    qsort(sorted, sets->n, sizeof *sorted, by_set);
    for (size_t i = 0; i < sets->n; i++)
        sets->links[i] = sorted[i].link;
    free(sorted);
    return CS_OK;
}

cs_status pack_find_duplicates(const pack_hash *hashes, size_t n, const volatile sig_atomic_t *stop, pack_sets *out) {
    search s = {.hashes = hashes, .n = n, .stop = stop, .sets = out, .odd = pack_odd_signs()};
    cs_status status;
    *out = (pack_sets){0};
    CS_TRY(cs_alloc(n, sizeof *out->first, "duplicates", &out->first));
    for (size_t i = 0; i < n; i++)
        out->first[i] = i;
    CS_TRY_GOTO(cs_alloc(n, sizeof *s.compared, "duplicates", &s.compared), end);
    CS_TRY_GOTO(cs_alloc(BUCKETS + 1, sizeof *s.bucket, "duplicates", &s.bucket), end);
    CS_TRY_GOTO(cs_alloc(n, sizeof *s.order, "duplicates", &s.order), end);
    CS_TRY_GOTO(link_all(&s), end);
    for (size_t i = 0; i < n; i++)
        out->first[i] = pack_set_of(out->first, i);
    status = sort_links(out);
end:
    free(s.compared);
    free(s.bucket);
    free(s.order);
    return status;
}

void pack_sets_clear(pack_sets *sets) {
    free(sets->first);
    free(sets->links);
}
