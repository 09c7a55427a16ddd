/* SPDX-License-Identifier: Apache-2.0 */
#include "augments.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

/* Reads numbers such as "=true" or "=0.5:0.9" and returns the end of them. */
static char *read_numbers(char *at, float *numbers) {
    for (int i = 0; i < CS_AUGMENT_NUMBERS && (*at == '=' || *at == ':'); i++)
        if (strncmp(++at, "true", 4) == 0) {
            numbers[i] = 1;
            at += 4;
        } else {
            numbers[i] = strtof(at, &at);
        }
    return at;
}

void test_augment_set(cs_augment *augment, const char *name, const float *numbers, int n) {
    const cs_augment_rule *rule = cs_augment_find(name);
    cs_augment_step *step;
    if (!rule)
        fail_msg("there is no augmentation '%s'", name);
    assert_int_equal(cs_augment_add(augment, rule, &step), CS_OK);
    memcpy(step->number, numbers, (size_t)n * sizeof *numbers);
}

void test_augment_mix(cs_augment *augment, const cs_mix *mix) {
    static const char *const names[CS_MIX_KINDS] = {[CS_MIX_MIXUP] = "mixup", [CS_MIX_CUTMIX] = "cutmix"};
    for (int kind = 0; kind < CS_MIX_KINDS; kind++) {
        const cs_mix_rule *rule = &mix->rules[kind];
        if (rule->alpha > 0) {
            test_augment_set(augment, names[kind], (const float[]){rule->alpha, (float)rule->convention}, 2);
            augment->steps[augment->n - 1].p = rule->p;
        }
    }
}

cs_augment test_augment(const char *text) {
    cs_augment augment = {0};
    while (*text) {
        char name[64] = "";
        float numbers[CS_AUGMENT_NUMBERS] = {0};
        size_t length = strcspn(text, "=");
        assert_true(length < sizeof name);
        memcpy(name, text, length);
        const char *at = read_numbers((char *)text + length, numbers);
        test_augment_set(&augment, name, numbers, CS_AUGMENT_NUMBERS);
        assert_true(*at == ' ' || *at == '\0');
        text = at + strspn(at, " ");
    }
    cs_augment_sort(&augment);
    return augment;
}

void test_augment_apply(const cs_picture *picture, const uint8_t *from, uint8_t *to) {
    cs_augment_scratch scratch = {0};
    const uint8_t *made;
    int h, w;
    assert_int_equal(cs_augment_apply(picture, from, &scratch, &made), CS_OK);
    cs_picture_size(picture, &h, &w);
    memcpy(to, made, (size_t)h * (size_t)w * 3);
    cs_augment_scratch_clear(&scratch);
}
