/* SPDX-License-Identifier: Apache-2.0 */
/* Drawings: what is recorded is printed. tests/report/test_charts.py parses whole charts. */
#include "test.h"

#include "cnnsweep/drawing.h"
#include "cnnsweep/file.h"
#include "cnnsweep/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static cs_drawing *create(void) {
    cs_drawing *drawing;
    assert_ok(cs_drawing_create(200, 100, 12, "title", NULL, &drawing));
    return drawing;
}

/* Prints, frees the drawing, and returns the text, which the caller frees. */
static char *print(cs_drawing *drawing, cs_svg_kind kind) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_ok(cs_drawing_print_svg(drawing, kind, "p7", out));
    fclose(out);
    cs_drawing_free(drawing);
    return text;
}

static void assert_contains(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

static void assert_printed(cs_drawing *drawing, const char *part) {
    char *text = print(drawing, CS_SVG_INLINE);
    assert_contains(text, part);
    free(text);
}

static const cs_style series = {.stroke = {.role = CS_ROLE_SERIES}, .width = 2, .dash = CS_DASH_LONG, .opacity = 0.5};

static void roles_are_classes_and_colours_of_their_own_are_attributes(void **state) {
    const cs_style mixed = {.stroke = {.role = CS_ROLE_GRID}, .fill = {CS_ROLE_COLOUR, {1, 2, 255}}};
    cs_drawing *drawing = create();
    (void)state;
    cs_drawing_line(drawing, 0, 1.25, 2, 3, &series);
    assert_printed(drawing, "<line x1=\"0\" y1=\"1.3\" x2=\"2\" y2=\"3\" class=\"cs-s-0\" stroke-width=\"2\" "
                            "stroke-dasharray=\"6 4\" opacity=\"0.5\"/>");
    drawing = create();
    cs_drawing_rectangle(drawing, 10, 20, -4, 5, &mixed);
    assert_printed(drawing, "<rect x=\"6\" y=\"20\" width=\"4\" height=\"5\" class=\"cs-s-grid\" fill=\"#0102ff\"/>");
    drawing = create();
    cs_drawing_circle(drawing, 1, 2, 3, &(cs_style){.stroke = {CS_ROLE_COLOUR, {0, 0, 0}}});
    assert_printed(drawing, "<circle cx=\"1\" cy=\"2\" r=\"3\" stroke=\"#000000\" fill=\"none\"/>");
}

static void a_missing_point_interrupts_a_path_and_a_missing_place_leaves_a_shape_out(void **state) {
    const double x[] = {NAN, 0, 1, 2, INFINITY, 4, 5}, y[] = {0, 0, 1, NAN, 3, 4, -5};
    cs_drawing *drawing = create();
    (void)state;
    cs_drawing_path(drawing, x, y, 7, &series);
    cs_drawing_line(drawing, 0, 0, NAN, 1, &series);
    cs_drawing_rectangle(drawing, 0, INFINITY, 1, 1, &series);
    cs_drawing_circle(drawing, 0, 0, NAN, &series);
    cs_drawing_text(drawing, NAN, 0, "gone", NULL);
    char *text = print(drawing, CS_SVG_INLINE);
    assert_contains(text, "d=\"M0 0L1 1M4 4L5 -5\"");
    assert_null(strstr(text, "<line"));
    assert_null(strstr(text, "<rect"));
    assert_null(strstr(text, "<circle"));
    assert_null(strstr(text, "gone"));
    free(text);
}

static void groups_have_keys_classes_and_tooltips(void **state) {
    cs_drawing *drawing = create();
    (void)state;
    cs_drawing_begin_group(drawing, &(cs_group){.key = "t\"3", .css_class = "cs-line", .tooltip = "a<b"});
    cs_drawing_begin_group(drawing, &(cs_group){.key = "1", .key_name = "axis"});
    cs_drawing_end_group(drawing);
    cs_drawing_end_group(drawing);
    assert_printed(drawing, "<g class=\"cs-line\" data-trial=\"t&#34;3\"><title>a&#60;b</title>\n<g data-axis=\"1\">\n"
                            "</g>\n</g>\n</svg>");
}

/* The children of an element with the role of an image are hidden from those who read with a screen reader. */
static void a_drawing_with_groups_that_can_be_focused_is_a_group_of_images(void **state) {
    cs_drawing *drawing = create();
    (void)state;
    assert_printed(drawing, "role=\"img\" aria-labelledby=\"p7-title\">\n<title id=\"p7-title\">title</title>");
    drawing = create();
    cs_drawing_begin_group(drawing, &(cs_group){.key = "t003", .tooltip = "t003", .focusable = true});
    cs_drawing_end_group(drawing);
    char *text = print(drawing, CS_SVG_INLINE);
    assert_contains(text, "role=\"group\" aria-labelledby=\"p7-title\"");
    assert_contains(text, "<g data-trial=\"t003\" tabindex=\"0\" role=\"img\"><title>t003</title>");
    free(text);
}

static void only_a_file_of_its_own_has_a_prolog_and_rules(void **state) {
    char *text = print(create(), CS_SVG_STANDALONE);
    (void)state;
    assert_int_equal(strncmp(text, "<?xml", 5), 0);
    assert_contains(text, "<style>");
    assert_null(strstr(text, "var("));
    free(text);
    text = print(create(), CS_SVG_INLINE);
    assert_int_equal(strncmp(text, "<svg", 4), 0);
    assert_null(strstr(text, "<style>"));
    free(text);
}

static void a_text_has_an_anchor_a_rotation_and_one_line(void **state) {
    cs_drawing *drawing = create();
    (void)state;
    cs_drawing_text(drawing, 5, 6.04, "a\nb\xFF",
                    &(cs_text_style){.anchor = CS_ANCHOR_END, .rotation = -90, .size = 9, .bold = true});
    assert_printed(drawing, "<text x=\"5\" y=\"6\" font-size=\"9\" text-anchor=\"end\" font-weight=\"bold\" "
                            "transform=\"rotate(-90 5 6)\">a b\xEF\xBF\xBD</text>");
}

static void assert_is_utf8(const char *text) {
    uint32_t code;
    int n;
    while ((n = cs_utf8_read(text, &code)) > 0)
        text += n;
    assert_int_equal(*text, '\0');
}

/* Letters of one to four bytes, shortened to every width: whole characters, an ellipsis, and never too wide. */
static void a_shortened_text_is_no_wider_than_its_place_and_ends_between_characters(void **state) {
    static const char text[] = "a\xC3\xAF\xE9\xBB\x91\xF0\x9F\x94\xAC melanocytic \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D";
    const double whole = cs_text_width(text, 10), ellipsis = cs_text_width("\xE2\x80\xA6", 10);
    char out[sizeof text];
    (void)state;
    for (int step = 0; step < 2 * (int)whole; step++)
        for (size_t size = 4; size <= sizeof text; size++) {
            const double width = ellipsis + step * 0.51;
            cs_text_shorten(text, width, 10, out, size);
            assert_true(strlen(out) < size);
            assert_is_utf8(out);
            assert_true(cs_text_width(out, 10) <= width + 1e-9);
            const size_t kept = strlen(out) - 3;
            const bool is_shortened = strcmp(out, text) != 0;
            assert_true(is_shortened == (width < whole || size < sizeof text));
            assert_true(!is_shortened || (strncmp(out, text, kept) == 0 && strcmp(out + kept, "\xE2\x80\xA6") == 0));
        }
}

static void files_that_cannot_be_written_are_errors_and_leave_nothing(void **state) {
    char path[CS_PATH_MAX];
    cs_drawing *drawing = create();
    (void)state;
    assert_ok(cs_path(path, sizeof path, "%s/missing/chart", test_scratch()));
    assert_fails(cs_drawing_write_all(drawing, path), CS_ERR_IO, "missing");
    assert_ok(cs_path(path, sizeof path, "%s/huge.png", test_scratch()));
    assert_fails(cs_drawing_write_png(drawing, 1e6, path), CS_ERR_UNSUPPORTED, "200 x 100");
    assert_false(cs_file_exists(path));
    cs_drawing_free(drawing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_are_classes_and_colours_of_their_own_are_attributes),
        cmocka_unit_test(a_missing_point_interrupts_a_path_and_a_missing_place_leaves_a_shape_out),
        cmocka_unit_test(groups_have_keys_classes_and_tooltips),
        cmocka_unit_test(a_drawing_with_groups_that_can_be_focused_is_a_group_of_images),
        cmocka_unit_test(only_a_file_of_its_own_has_a_prolog_and_rules),
        cmocka_unit_test(a_text_has_an_anchor_a_rotation_and_one_line),
        cmocka_unit_test(a_shortened_text_is_no_wider_than_its_place_and_ends_between_characters),
        cmocka_unit_test(files_that_cannot_be_written_are_errors_and_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
