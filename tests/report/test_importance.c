/* SPDX-License-Identifier: Apache-2.0 */
/* The importance of options is what numpy computes for grids, and Optuna for searches. */
#include "test.h"

#include "cnnsweep/file.h"
#include "cnnsweep/importance.h"
#include "cnnsweep/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS = 5, TRIALS = 600 };

/* A table that is drawn, with memory of its own. */
typedef struct drawn {
    cs_importance_table table;
    cs_importance_option options[OPTIONS];
    const char *texts[TRIALS * OPTIONS];
    double values[TRIALS];
} drawn;

static const char *const option_names[OPTIONS] = {"depth", "augment", "lr", "batch", "width"};

/* Adds a trial whose values are numbers, printed, or words for options that are none. */
static void add_trial(drawn *d, const double numbers[OPTIONS], double value) {
    int t = d->table.n_trials++;
    for (int i = 0; i < d->table.n_options; i++) {
        char text[32];
        snprintf(text, sizeof text, d->options[i].is_number ? "%.12g" : "word %g", numbers[i]);
        d->texts[t * d->table.n_options + i] = isnan(numbers[i]) ? NULL : strdup(text);
    }
    d->values[t] = value;
}

static void begin(drawn *d, int options) {
    *d = (drawn){.table = {.n_options = options}};
    for (int i = 0; i < options; i++)
        d->options[i].name = option_names[i];
    d->table.options = d->options;
    d->table.texts = d->texts;
    d->table.values = d->values;
}

static void drop(drawn *d) {
    for (int i = 0; i < d->table.n_trials * d->table.n_options; i++)
        free((char *)d->texts[i]);
}

static void print_number(double value, FILE *out) {
    fprintf(out, isnan(value) ? "null" : "%.17g", value);
}

static void print_trials(const cs_importance_table *table, FILE *out) {
    fprintf(out, "{\"maximize\": %d, \"options\": [", table->maximize);
    for (int i = 0; i < table->n_options; i++) {
        const cs_importance_option *o = &table->options[i];
        fprintf(out, "%s[\"%s\", %d, %.17g, %.17g, %d, %d]", i ? ", " : "", o->name, o->is_number, o->low, o->high,
                o->is_log, o->is_whole);
    }
    fputs("],\n\"trials\": [", out);
    for (int t = 0; t < table->n_trials; t++) {
        fputs(t ? ",\n[" : "[", out);
        for (int i = 0; i < table->n_options; i++) {
            const char *text = table->texts[t * table->n_options + i];
            fprintf(out, text ? "\"%s\", " : "null, ", text);
        }
        print_number(table->values[t], out);
        fputc(']', out);
    }
    fputs("],\n", out);
}

static void print_importance(const cs_importance *importance, FILE *out) {
    fprintf(out, "\"method\": \"%s\", \"note\": \"%s\", \"higher\": ", importance->method, importance->note);
    print_number(importance->higher, out);
    fputs(", \"noise\": ", out);
    print_number(importance->noise, out);
    fputs(",\n\"parts\": [", out);
    for (int i = 0; i < importance->n_parts; i++)
        fprintf(out, "%s[%d, %d, %.17g]", i ? ", " : "", importance->parts[i].first, importance->parts[i].second,
                importance->parts[i].share);
    fputs("],\n", out);
}

static void print_means(const cs_importance_means *means, FILE *out) {
    fputs("{\"rows\": [", out);
    for (int i = 0; i < means->n_rows; i++)
        fprintf(out, "%s\"%s\"", i ? ", " : "", means->rows[i]);
    fputs("], \"columns\": [", out);
    for (int i = 0; i < means->n_columns; i++)
        fprintf(out, "%s\"%s\"", i ? ", " : "", means->columns ? means->columns[i] : "");
    fputs("], \"cells\": [", out);
    for (int i = 0; i < means->n_rows * means->n_columns; i++) {
        fprintf(out, "%s[%d, ", i ? ", " : "", means->cells[i].n);
        print_number(means->cells[i].mean, out);
        fputs(", ", out);
        print_number(means->cells[i].deviation, out);
        fputc(']', out);
    }
    fputs("]}", out);
}

/* The option against itself means alone. */
static void print_charts(const cs_importance_table *table, FILE *out) {
    fputs("\"means\": [", out);
    for (int a = 0; a < table->n_options; a++) {
        for (int b = a; b < table->n_options; b++) {
            cs_importance_means means;
            assert_ok(cs_importance_means_make(table, a, b > a ? b : -1, &means));
            fprintf(out, "%s[%d, %d, ", a + b > 0 ? ",\n" : "", a, b);
            print_means(&means, out);
            fputc(']', out);
            cs_importance_means_free(&means);
        }
    }
    fputs("],\n\"correlations\": [", out);
    for (int i = 0; i < table->n_options; i++) {
        cs_importance_correlation correlation;
        assert_ok(cs_importance_correlate(table, i, &correlation));
        fputs(i ? ", [" : "[", out);
        print_number(correlation.linear, out);
        fputs(", ", out);
        print_number(correlation.rank, out);
        fputc(']', out);
    }
    fputs("]}\n", out);
}

static void write_case(const char *name, int number, const cs_importance_table *table, const char *method) {
    char path[CS_PATH_MAX];
    cs_importance importance;
    assert_ok(cs_importance_find(table, method, &importance));
    assert_ok(cs_path(path, sizeof path, "%s/%s%03d.json", test_scratch(), name, number));
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    print_trials(table, out);
    print_importance(&importance, out);
    print_charts(table, out);
    assert_int_equal(fclose(out), 0);
    cs_importance_free(&importance);
}

/* Judges the cases whose names begin so. */
static void judge(const char *python, const char *names) {
    char command[3 * CS_PATH_MAX];
    snprintf(command, sizeof command, "%s -W ignore %s/tests/report/importance_judge.py %s %s", python, CS_TEST_SOURCE,
             test_scratch(), names);
    assert_int_equal(system(command), 0);
}

/* Adds `repeats` trials for each cell of a grid; of a cell that is left out none. */
static void fill_grid(drawn *d, cs_rng *rng, const int *levels, int repeats, double lacking) {
    int cells = 1;
    double effects[OPTIONS][8];
    for (int i = 0; i < d->table.n_options; i++) {
        cells *= levels[i];
        for (int k = 0; k < levels[i]; k++)
            effects[i][k] = (double)cs_rng_normal(rng);
    }
    for (int cell = 0; cell < cells; cell++) {
        double numbers[OPTIONS], value = 0.7 + 0.1 * (double)cs_rng_normal(rng);
        for (int i = 0, rest = cell; i < d->table.n_options; rest /= levels[i++]) {
            numbers[i] = rest % levels[i] + 1;
            value += 0.05 * effects[i][rest % levels[i]];
        }
        bool left_out = lacking > 0 && cell % (int)(1 / lacking) == 7;
        for (int r = 0; r < repeats && !left_out; r++)
            add_trial(d, numbers, value + (repeats > 1 ? 0.03 * (double)cs_rng_normal(rng) : 0));
    }
}

static void draw_grid(drawn *d, int i, cs_rng *rng) {
    int levels[OPTIONS];
    begin(d, 2 + i % 3);
    for (int k = 0; k < d->table.n_options; k++) {
        levels[k] = 2 + (int)cs_rng_below(rng, 3);
        d->options[k].is_number = k % 2 == 0;
    }
    fill_grid(d, rng, levels, 1 + i / 3 % 2, 0);
}

static void test_shares_of_a_grid_are_those_of_the_analysis_of_variance(void **state) {
    (void)state;
    cs_rng rng = cs_rng_at(21, CS_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < 48; i++) {
        drawn *d = malloc(sizeof *d);
        draw_grid(d, i, &rng);
        write_case("grid", i, &d->table, NULL);
        drop(d);
        free(d);
    }
    judge("/usr/bin/python3", "grid");
}

static void test_a_grid_that_lacks_a_few_cells_is_completed(void **state) {
    (void)state;
    static const int levels[][OPTIONS] = {{5, 4}, {4, 3, 3}, {3, 4, 2, 2}};
    cs_rng rng = cs_rng_at(22, CS_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < 6; i++) {
        drawn *d = malloc(sizeof *d);
        begin(d, 2 + i / 2);
        fill_grid(d, &rng, levels[i / 2], 1 + i % 2, 0.06);
        d->values[3] = (double)NAN; /* a trial without a result */
        write_case("lacking", i, &d->table, NULL);
        drop(d);
        free(d);
    }
    judge("/usr/bin/python3", "lacking");
}

/* A search: some options matter, some are of a part of the trials, and values cluster as a method that learns does. */
static void draw_search(drawn *d, int i, cs_rng *rng) {
    begin(d, OPTIONS);
    d->options[0] = (cs_importance_option){"depth", true, 1, i % 2 ? 12 : 80, false, true};
    d->options[2] = (cs_importance_option){"lr", true, 1e-5, 1e-1, true, false};
    d->options[3] = (cs_importance_option){"batch", true, 1, i % 3 ? 64 : 1000, true, true};
    d->options[4] = (cs_importance_option){"width", true, -2, 3.5, false, false};
    d->table.maximize = i % 2 == 0;
    int trials = 30 + (int)cs_rng_below(rng, 150);
    for (int t = 0; t < trials; t++) {
        double u[OPTIONS], numbers[OPTIONS];
        for (int k = 0; k < OPTIONS; k++)
            u[k] = (double)(t % 3 && i % 4 == 3 ? 0.3F + 0.1F * cs_rng_float(rng) : cs_rng_float(rng));
        numbers[0] = floor(1 + u[0] * d->options[0].high * 0.999);
        numbers[1] = floor(3 * u[1]);
        numbers[2] = 1e-5 * pow(1e4, u[2]);
        numbers[3] = floor(exp(u[3] * log(d->options[3].high)));
        numbers[4] = i % 3 == 1 && numbers[1] == 0 ? (double)NAN : -2 + 5.5 * u[4];
        double value =
            1 - fabs(u[2] - 0.4) - 0.3 * fabs(u[0] - 0.5) + 0.1 * (numbers[1] == 1) + 0.05 * (double)cs_rng_normal(rng);
        add_trial(d, numbers, d->table.maximize ? value : -value);
    }
    /* All categories occur, so that Optuna's are these. */
    for (int k = 0; k < 3; k++)
        add_trial(d, (const double[]){1, k, 1e-5, 1, k ? 0 : (i % 3 == 1 ? (double)NAN : 0)},
                  d->table.maximize ? 0 : 1);
}

static void test_ped_anova_is_that_of_optuna(void **state) {
    (void)state;
    const char *python = getenv("CNNSWEEP_KERAS_PYTHON");
    if (!python)
        skip();
    cs_rng rng = cs_rng_at(23, CS_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < 36; i++) {
        drawn *d = malloc(sizeof *d);
        draw_search(d, i, &rng);
        write_case("search", i, &d->table, "ped_anova");
        drop(d);
        free(d);
    }
    judge(python, "search");
}

/* Numbers that are drawn evenly, as Optuna's forest does not take logarithms. */
static void test_fanova_is_that_of_optuna_within_the_spread_of_its_seeds(void **state) {
    (void)state;
    const char *python = getenv("CNNSWEEP_KERAS_PYTHON");
    if (!python)
        skip();
    cs_rng rng = cs_rng_at(25, CS_PURPOSE_TEST, 0, 0);
    for (int i = 0; i < 2; i++) {
        drawn *d = malloc(sizeof *d);
        begin(d, 3);
        d->options[0] = (cs_importance_option){"depth", true, 1, 20, false, true};
        d->options[1] = (cs_importance_option){"momentum", true, 0, 1, false, false};
        d->options[2] = (cs_importance_option){"width", true, -2, 4, false, false};
        d->table.maximize = true;
        for (int t = 0; t < 80 + 40 * i; t++) {
            double u[3] = {(double)cs_rng_float(&rng), (double)cs_rng_float(&rng), (double)cs_rng_float(&rng)};
            const double numbers[OPTIONS] = {floor(1 + 19.99 * u[0]), u[1], 6 * u[2] - 2};
            add_trial(d, numbers, u[0] * u[0] + 0.5 * u[1] + i * u[1] * u[2] + 0.02 * (double)cs_rng_normal(&rng));
        }
        write_case("forest", i, &d->table, "fanova");
        drop(d);
        free(d);
    }
    judge(python, "forest");
}

/* The metric is a category's, or both options' together: then neither alone says anything. */
static void test_fanova_finds_what_categories_say_alone_and_together(void **state) {
    (void)state;
    cs_importance importance;
    for (int together = 0; together < 2; together++) {
        drawn *d = malloc(sizeof *d);
        begin(d, 2);
        for (int t = 0; t < 64; t++) {
            const double numbers[OPTIONS] = {t % 2, t / 2 % 2};
            add_trial(d, numbers, together ? (t % 2) ^ (t / 2 % 2) : t % 2);
        }
        assert_ok(cs_importance_find(&d->table, "fanova", &importance));
        assert_true(fabs(importance.parts[0].share - (together ? 0 : 1)) < 1e-12);
        assert_true(fabs(importance.higher - together) < 1e-12);
        assert_true(together || importance.parts[0].first == 0);
        cs_importance_free(&importance);
        drop(d);
        free(d);
    }
}

/* Two numbers whose middle is rounded to the first, or to the second: a tree divides between them once. */
static void test_fanova_divides_between_numbers_next_to_each_other(void **state) {
    (void)state;
    for (int second = 0; second < 2; second++) {
        const double low = second ? nextafter(1, 2) : 1, numbers[] = {low, nextafter(low, 2), 2};
        cs_importance importance;
        drawn *d = malloc(sizeof *d);
        begin(d, 1);
        d->options[0].is_number = true;
        for (int t = 0; t < 6; t++) {
            char text[32];
            snprintf(text, sizeof text, "%.17g", numbers[t % 3]);
            d->texts[d->table.n_trials] = strdup(text);
            d->values[d->table.n_trials++] = t % 3;
        }
        assert_ok(cs_importance_find(&d->table, "fanova", &importance));
        assert_true(fabs(importance.parts[0].share - 1) < 1e-12);
        cs_importance_free(&importance);
        drop(d);
        free(d);
    }
}

static void test_what_is_no_grid_is_a_search(void **state) {
    (void)state;
    cs_rng rng = cs_rng_at(24, CS_PURPOSE_TEST, 0, 0);
    cs_importance importance;
    drawn *d = malloc(sizeof *d);
    draw_search(d, 0, &rng);
    assert_fails(cs_importance_find(&d->table, "anova", &importance), CS_ERR_UNSUPPORTED, "too many combinations");
    assert_ok(cs_importance_find(&d->table, NULL, &importance));
    assert_string_equal(importance.method, "ped_anova");
    assert_int_equal(importance.parts[0].first, 2);
    cs_importance_free(&importance);
    drop(d);
    free(d);
}

static void test_nothing_varies(void **state) {
    (void)state;
    static const char *const methods[] = {"anova", "ped_anova"};
    const double numbers[OPTIONS] = {1, 2};
    drawn *d = malloc(sizeof *d);
    begin(d, 2);
    cs_importance importance;
    assert_fails(cs_importance_find(&d->table, NULL, &importance), CS_ERR_UNSUPPORTED, "of 0 trials");
    for (int t = 0; t < 3; t++)
        add_trial(d, numbers, 0.5);
    for (int m = 0; m < 2; m++) {
        assert_ok(cs_importance_find(&d->table, methods[m], &importance));
        assert_int_equal(importance.n_parts, 2);
        assert_true(importance.parts[0].share == 0 && importance.parts[1].share == 0);
        cs_importance_free(&importance);
    }
    assert_fails(cs_importance_find(&d->table, "guess", &importance), CS_ERR_ARG, "\"guess\"");
    drop(d);
    free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_of_a_grid_are_those_of_the_analysis_of_variance),
        cmocka_unit_test(test_a_grid_that_lacks_a_few_cells_is_completed),
        cmocka_unit_test(test_ped_anova_is_that_of_optuna),
        cmocka_unit_test(test_fanova_is_that_of_optuna_within_the_spread_of_its_seeds),
        cmocka_unit_test(test_fanova_finds_what_categories_say_alone_and_together),
        cmocka_unit_test(test_fanova_divides_between_numbers_next_to_each_other),
        cmocka_unit_test(test_what_is_no_grid_is_a_search),
        cmocka_unit_test(test_nothing_varies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
