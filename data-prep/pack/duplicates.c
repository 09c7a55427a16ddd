/* SPDX-License-Identifier: Apache-2.0 */
#include "duplicates.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

/* If two hashes differ in at most PACK_NEAR_BITS bits, they agree in one of as many blocks and one more. So only images
 * that agree in a block are compared. Block b has the bits b, b + BLOCKS, b + 2 BLOCKS, ..., because neighbouring bits
 * tend to be equal in many images. */
enum { BLOCKS = PACK_NEAR_BITS + 1, BLOCK_BITS = (PACK_HASH_BITS + BLOCKS - 1) / BLOCKS, BUCKETS = 1 << BLOCK_BITS };

/* The images that agree in a block and were compared already, in search.order. Many images that are alike would be
 * compared with each other for nothing, so those of one set stand first, and an image that is in the set is not
 * compared with them. */
typedef struct bucket {
    size_t begin;  /* in search.order */
    size_t n;      /* images */
    size_t united; /* the first of them, which are in one set */
} bucket;
enum { FIRST_VOTE = 32 }; /* a power of two: the images of a bucket before one of its sets is put first */

typedef struct search {
    const pack_hash *hashes;
    size_t n;
    const volatile sig_atomic_t *stop;
    pack_sets *sets;
    pack_signs odd;  /* the bits that a mirrored image has inverted */
    bool *compared;  /* [n] the image has a perceptual hash, and no image before it has the same pixels */
    bucket *buckets; /* [BUCKETS] by the bits of the block */
    size_t *order;   /* [n] the images of all buckets */
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

/* Empties the buckets and gives each as much of search.order as it needs. */
static void clear_buckets(search *s, int block) {
    memset(s->buckets, 0, BUCKETS * sizeof *s->buckets);
    for (size_t i = 0; i < s->n; i++)
        if (s->compared[i])
            s->buckets[bits_of(s->hashes[i].signs, block)].n++;
    for (size_t b = 0, begin = 0; b < BUCKETS; b++) {
        const size_t n = s->buckets[b].n;
        s->buckets[b] = (bucket){.begin = begin};
        begin += n;
    }
}

static void swap(size_t *a, size_t *b) {
    const size_t kept = *a;
    *a = *b;
    *b = kept;
}

/* Puts the set first that most images of the bucket are in, if more than half are in one: Boyer and Moore's vote. */
static void put_first(search *s, bucket *in) {
    size_t *images = s->order + in->begin, *first = s->sets->first, votes = 0, set = 0;
    for (size_t k = 0; k < in->n; k++) {
        const size_t other = pack_set_of(first, images[k]);
        set = votes == 0 ? other : set;
        votes = other == set ? votes + 1 : votes - 1;
    }
    in->united = 0;
    for (size_t k = 0; k < in->n; k++)
        if (pack_set_of(first, images[k]) == set)
            swap(&images[in->united++], &images[k]);
}

/* Whether the image is in the set whose images stand first in the bucket. */
static bool is_united(const search *s, const bucket *in, size_t i) {
    size_t *first = s->sets->first;
    return in->united > 0 && pack_set_of(first, i) == pack_set_of(first, s->order[in->begin]);
}

static void add_image(search *s, int block, size_t i) {
    bucket *to = &s->buckets[bits_of(s->hashes[i].signs, block)];
    size_t *images = s->order + to->begin;
    images[to->n] = i;
    if (is_united(s, to, i))
        swap(&images[to->united++], &images[to->n]);
    to->n++;
    if (to->n >= FIRST_VOTE && (to->n & (to->n - 1)) == 0)
        put_first(s, to);
}

/* Links image i to those before it that have the same bits in the block and are like `signs`. */
static cs_status link_near(search *s, int block, size_t i, pack_signs signs, pack_likeness likeness) {
    const bucket *with = &s->buckets[bits_of(signs, block)];
    const size_t *images = s->order + with->begin;
    for (size_t k = is_united(s, with, i) ? with->united : 0; k < with->n; k++) {
        const int distance = pack_sign_distance(signs, s->hashes[images[k]].signs);
        if (distance > PACK_NEAR_BITS)
            continue;
        CS_TRY(add_link(s->sets, (pack_link){images[k], i, likeness, distance}));
        if (k < with->united)
            k = with->united - 1;
    }
    return CS_OK;
}

static cs_status link_all(search *s) {
    CS_TRY(link_exact(s));
    for (int block = 0; block < BLOCKS; block++) {
        clear_buckets(s, block);
        for (size_t i = 0; i < s->n; i++) {
            if (*s->stop)
                return cs_fail(CS_ERR_INTERRUPTED, "interrupted; nothing was written");
            if (!s->compared[i])
                continue;
            CS_TRY(link_near(s, block, i, s->hashes[i].signs, PACK_NEAR));
            CS_TRY(link_near(s, block, i, pack_mirror_signs(s->hashes[i].signs, s->odd), PACK_MIRRORED));
            add_image(s, block, i);
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
    CS_TRY_GOTO(cs_alloc(BUCKETS, sizeof *s.buckets, "duplicates", &s.buckets), end);
    CS_TRY_GOTO(cs_alloc(n, sizeof *s.order, "duplicates", &s.order), end);
    CS_TRY_GOTO(link_all(&s), end);
    for (size_t i = 0; i < n; i++)
        out->first[i] = pack_set_of(out->first, i);
    status = sort_links(out);
end:
    free(s.compared);
    free(s.buckets);
    free(s.order);
    return status;
}

void pack_sets_clear(pack_sets *sets) {
    free(sets->first);
    free(sets->links);
}
