/* SPDX-License-Identifier: Apache-2.0 */
#include "augments.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

cs_augment test_augment(const char *text) {
    cs_augment augment = {0};
    while (*text) {
        char name[64] = "";
        size_t length = strcspn(text, "=");
        assert_true(length < sizeof name);
        memcpy(name, text, length);
        int rule = cs_augment_find(name);
        if (rule < 0)
            fail_msg("there is no augmentation '%s'", name);
        char *at = (char *)text + length;
        for (int i = 0; i < CS_AUGMENT_NUMBERS && (*at == '=' || *at == ':'); i++)
            if (strncmp(++at, "true", 4) == 0) {
                augment.rules[rule].number[i] = 1;
                at += 4;
            } else {
                augment.rules[rule].number[i] = strtof(at, &at);
            }
        assert_true(*at == ' ' || *at == '\0');
        text = at + strspn(at, " ");
    }
    return augment;
}
