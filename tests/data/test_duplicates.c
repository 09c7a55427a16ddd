/* SPDX-License-Identifier: Apache-2.0 */
/* The sets of duplicates are those that comparing every pair of hashes gives. */
#include "test.h"

#include "duplicates.h"

#include <stdlib.h>

enum { N = 2500 };
static const volatile sig_atomic_t go_on = 0;

static unsigned draw(unsigned n) {
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % n;
}

/* Inverts `bits` bits, none in the first six of the eleven blocks of bits that are compared. */
static pack_signs change(pack_signs signs, int bits) {
    while (bits-- > 0) {
        const unsigned bit = draw(PACK_HASH_BITS / 11) * 11 + 6 + draw(5);
        signs.words[bit / 64] ^= UINT64_C(1) << bit % 64;
    }
    return signs;
}

/* Most images stem from one, in steps of at most PACK_NEAR_BITS bits, some from others, and some are mirrored. Blocks
 * that never change make them agree with each other. */
static void fill(pack_hash *hashes, pack_signs odd) {
    for (unsigned i = 0; i < N; i++) {
        pack_signs signs = {{0}};
        if (i < 30 || draw(10) == 0)
            signs = change(signs, 40);
        else
            signs = change(hashes[draw(3) == 0 ? draw(i) : draw(30)].signs, PACK_NEAR_BITS - (int)draw(3));
        if (draw(20) == 0)
            signs = pack_mirror_signs(signs, odd);
        hashes[i] = (pack_hash){.pixels = i, .signs = signs, .known = true, .has_sign = i % 70 != 69};
        if (i % 50 == 49)
            hashes[i] = hashes[draw(i)];
        if (i % 100 == 99)
            hashes[i] = (pack_hash){0};
    }
}

static bool are_alike(const pack_hash *a, const pack_hash *b, pack_signs odd) {
    if (a->known && b->known && a->pixels == b->pixels)
        return true;
    return a->has_sign && b->has_sign &&
           (pack_sign_distance(a->signs, b->signs) <= PACK_NEAR_BITS ||
            pack_sign_distance(a->signs, pack_mirror_signs(b->signs, odd)) <= PACK_NEAR_BITS);
}

static void sets_are_those_of_all_pairs(void **state) {
    (void)state;
    static pack_hash hashes[N];
    static size_t expected[N];
    const pack_signs odd = pack_odd_signs();
    size_t links = 0;
    fill(hashes, odd);
    for (size_t i = 0; i < N; i++) {
        expected[i] = i;
        for (size_t j = 0; j < i; j++)
            if (are_alike(&hashes[i], &hashes[j], odd))
                links += pack_unite(expected, i, j);
    }
    pack_sets sets;
    assert_ok(pack_find_duplicates(hashes, N, &go_on, &sets));
    assert_int_equal(sets.n, links);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(sets.first[i], pack_set_of(expected, i));
    for (size_t i = 0; i < sets.n; i++) {
        assert_true(sets.links[i].first < sets.links[i].second);
        assert_true(are_alike(&hashes[sets.links[i].first], &hashes[sets.links[i].second], odd));
    }
    pack_sets_clear(&sets);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sets_are_those_of_all_pairs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
