/* SPDX-License-Identifier: Apache-2.0 */
/* Line charts; tests/cli/test_cli_lr_find.py parses one as XML. */
#include "test.h"

#include "cnnsweep/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *print(const cs_chart *chart) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    cs_chart_print(chart, out);
    fclose(out);
    return text;
}

static void assert_contains(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("'%s' is not in:\n%s", part, text);
}

static const double x[] = {0.001, 0.01, 0.1}, y[] = {2, 1, 3};

static void text_is_escaped(void **state) {
    char *text = print(&(cs_chart){.title = "a<b & c>d", .x_label = "x", .y_label = "y", .x = x, .y = y, .n = 3});
    (void)state;
    assert_contains(text, "<title>a&lt;b &amp; c&gt;d</title>");
    free(text);
}

/* The plot is 630 x 300 pixels from (70, 60); x is from 0.001 to 0.1, y from 1 to 3. */
static void points_are_where_the_axes_say(void **state) {
    char *text = print(&(cs_chart){.title = "t", .x_label = "x", .y_label = "y", .x = x, .y = y, .n = 3});
    (void)state;
    assert_contains(text, "class=\"curve\" d=\"M70.0 210.0L385.0 360.0L700.0 60.0\"");
    assert_contains(text, "x=\"385.0\" y=\"378.0\">1e-2<");
    assert_contains(text, "y=\"214.0\">2<");
    free(text);
}

static void values_outside_the_range_interrupt_the_faint_line(void **state) {
    const double faint[] = {2, 50, 3};
    char *text =
        print(&(cs_chart){.title = "t", .x_label = "x", .y_label = "y", .x = x, .y = y, .faint = faint, .n = 3});
    (void)state;
    assert_contains(text, "class=\"faint\" d=\"M70.0 210.0M700.0 60.0\"");
    free(text);
}

static void a_mark_without_a_place_is_left_out(void **state) {
    const cs_chart_mark marks[] = {{(double)NAN, "nowhere"}, {0.01, "here"}};
    char *text = print(&(cs_chart){
        .title = "t", .x_label = "x", .y_label = "y", .x = x, .y = y, .n = 3, .marks = marks, .n_marks = 2});
    (void)state;
    assert_contains(text, ">here<");
    assert_null(strstr(text, "nowhere"));
    free(text);
}

static void a_single_or_constant_value_has_a_chart(void **state) {
    const double same[] = {0, 0, 0};
    (void)state;
    for (int n = 1; n <= 3; n += 2) {
        char *text = print(&(cs_chart){.title = "t", .x_label = "x", .y_label = "y", .x = x, .y = same, .n = n});
        assert_null(strstr(text, "nan"));
        assert_null(strstr(text, "inf"));
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(points_are_where_the_axes_say),
        cmocka_unit_test(values_outside_the_range_interrupt_the_faint_line),
        cmocka_unit_test(a_mark_without_a_place_is_left_out),
        cmocka_unit_test(a_single_or_constant_value_has_a_chart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
