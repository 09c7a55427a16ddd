/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/html.h"
#include "cnnsweep/text.h"

#include <stdbool.h>
#include <string.h>

static void print_escaped(FILE *out, const char *text, const char *special) {
    while (*text) {
        uint32_t code;
        const int n = cs_utf8_read(text, &code);
        if (n == 0 || !cs_utf8_is_text(code))
            fputs("\xEF\xBF\xBD", out);
        else if (n == 1 && strchr(special, *text))
            fprintf(out, "&#%d;", *text);
        else
            fwrite(text, 1, (size_t)n, out);
        text += n > 0 ? n : 1;
    }
}

void cs_html_text(FILE *out, const char *text) {
    print_escaped(out, text, "&<>");
}

/* A tab or line feed that is not escaped would be read as a space by an XML parser. */
void cs_html_attribute(FILE *out, const char *text) {
    print_escaped(out, text, "&<>\"'\t\n");
}

/* In base64 (RFC 4648, section 4) three bytes become four letters. */
void cs_html_base64(FILE *out, const uint8_t *bytes, size_t size) {
    enum { PAD = 64 };
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    for (size_t i = 0; i < size; i += 3) {
        const bool has_second = i + 1 < size, has_third = i + 2 < size;
        const uint32_t second = has_second ? bytes[i + 1] : 0, third = has_third ? bytes[i + 2] : 0;
        const uint32_t bits = (uint32_t)bytes[i] << 16 | second << 8 | third;
        const char four[4] = {letters[bits >> 18], letters[bits >> 12 & 63], letters[has_second ? bits >> 6 & 63 : PAD],
                              letters[has_third ? bits & 63 : PAD]};
        fwrite(four, 1, sizeof four, out);
    }
}
