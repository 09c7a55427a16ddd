/* SPDX-License-Identifier: Apache-2.0 */
/* Text and bytes in HTML and XML. */
#include "test.h"

#include "cnnsweep/html.h"
#include "cnnsweep/text.h"

#include <stdlib.h>
#include <string.h>

static char *printed(void (*print)(FILE *out, const char *text), const char *text) {
    char *bytes = NULL;
    size_t size;
    FILE *out = open_memstream(&bytes, &size);
    assert_non_null(out);
    print(out, text);
    fclose(out);
    return bytes;
}

static void assert_printed(void (*print)(FILE *out, const char *text), const char *text, const char *expected) {
    char *bytes = printed(print, text);
    assert_string_equal(bytes, expected);
    free(bytes);
}

static void text_between_tags_opens_no_tag(void **state) {
    (void)state;
    assert_printed(cs_html_text, "<b> & \"c\" 'd'\n", "&#60;b&#62; &#38; \"c\" 'd'\n");
}

static void a_value_does_not_end_its_attribute(void **state) {
    (void)state;
    assert_printed(cs_html_attribute, "<b> & \"c\" 'd'\t\n", "&#60;b&#62; &#38; &#34;c&#34; &#39;d&#39;&#9;&#10;");
}

#define REPLACED "\xEF\xBF\xBD"

/* Latin-1, half a character, a surrogate, an overlong slash, a byte-order mark's reversal, escape, DEL, NEL. */
static void what_is_no_text_is_replaced(void **state) {
    static const char *const bad[][2] = {{"caf\xE9!", "caf" REPLACED "!"},
                                         {"\xE4\xB8", REPLACED REPLACED},
                                         {"\xED\xA0\x80", REPLACED REPLACED REPLACED},
                                         {"\xC0\xAF", REPLACED REPLACED},
                                         {"\xEF\xBF\xBE", REPLACED},
                                         {"\x1B[1m", REPLACED "[1m"},
                                         {"\x7F", REPLACED},
                                         {"\xC2\x85", REPLACED}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_printed(cs_html_text, bad[i][0], bad[i][1]);
        assert_printed(cs_html_attribute, bad[i][0], bad[i][1]);
    }
}

static void text_of_all_scripts_stays(void **state) {
    static const char text[] = "na\xC3\xAFve \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xE9\xBB\x91 \xF0\x9F\x94\xAC";
    (void)state;
    assert_printed(cs_html_text, text, text);
    assert_printed(cs_html_attribute, text, text);
}

static void characters_have_their_code_points(void **state) {
    uint32_t code;
    (void)state;
    assert_int_equal(cs_utf8_read("A", &code), 1);
    assert_int_equal(code, 'A');
    assert_int_equal(cs_utf8_read("\xC3\xAF", &code), 2);
    assert_int_equal(code, 0xEF);
    assert_int_equal(cs_utf8_read("\xE9\xBB\x91", &code), 3);
    assert_int_equal(code, 0x9ED1);
    assert_int_equal(cs_utf8_read("\xF0\x9F\x94\xAC", &code), 4);
    assert_int_equal(code, 0x1F52C);
    assert_int_equal(cs_utf8_read("", &code), 0);
}

/* The examples of RFC 4648, section 10. */
static void base64_is_that_of_the_rfc(void **state) {
    static const char *const examples[][2] = {{"", ""},
                                              {"f", "Zg=="},
                                              {"fo", "Zm8="},
                                              {"foo", "Zm9v"},
                                              {"foob", "Zm9vYg=="},
                                              {"fooba", "Zm9vYmE="},
                                              {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        char *bytes = NULL;
        size_t size;
        FILE *out = open_memstream(&bytes, &size);
        assert_non_null(out);
        cs_html_base64(out, (const uint8_t *)examples[i][0], strlen(examples[i][0]));
        fclose(out);
        assert_string_equal(bytes, examples[i][1]);
        free(bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_between_tags_opens_no_tag),    cmocka_unit_test(a_value_does_not_end_its_attribute),
        cmocka_unit_test(what_is_no_text_is_replaced),       cmocka_unit_test(text_of_all_scripts_stays),
        cmocka_unit_test(characters_have_their_code_points), cmocka_unit_test(base64_is_that_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
