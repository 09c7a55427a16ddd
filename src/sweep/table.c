#include "table.h"
#include "cnnsweep/memory.h"
#include "metric.h"
#include "option_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_field(const char *text, FILE *out) {
    if (!strpbrk(text, ",\"\n\r")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void cs_csv_header(const cs_job *job, FILE *out) {
    size_t n;
    const cs_metric *metrics = cs_metrics(&n);
    fprintf(out, "trial");
    for (int i = 0; i < job->n_axes; i++)
        fprintf(out, ",%s", cs_option_short_name(job->axes[i].option));
    fprintf(out, ",status,reason");
    for (size_t i = 0; i < n; i++)
        fprintf(out, ",%s", metrics[i].name);
    fprintf(out, ",rank\n");
}

void cs_csv_row(const cs_job *job, int trial, const cs_outcome *outcome, FILE *out) {
    char text[CS_VALUE_MAX * 2];
    size_t n;
    const cs_metric *metrics = cs_metrics(&n);
    bool ok = outcome->state == CS_TRIAL_OK;
    cs_job_trial_name(job, trial, text, sizeof text);
    fputs(text, out);
    for (int i = 0; i < job->n_axes; i++) {
        cs_option_get(job->axes[i].option, &job->trials[trial], text, sizeof text);
        fputc(',', out);
        print_field(text, out);
    }
    fprintf(out, ",%s,", ok ? "ok" : "failed");
    print_field(outcome->reason, out);
    for (size_t i = 0; i < n; i++) {
        fputc(',', out);
        if (ok)
            fprintf(out, metrics[i].type == CS_METRIC_DOUBLE ? "%.9g" : "%.0f",
                    cs_metric_value(&metrics[i], &outcome->result));
    }
    fprintf(out, ",%d\n", outcome->rank);
}

/* The axis of an option key; -1 when the table has none. */
static int find_axis(const cs_job *job, const char *key) {
    for (int i = 0; i < job->n_axes; i++)
        if (strcmp(job->axes[i].option->key, key) == 0)
            return i;
    return -1;
}

/* Index of a trial's value on an axis. */
static int axis_index(const cs_job *job, int trial, int axis) {
    return axis < 0 ? 0 : job->places[trial * job->n_axes + axis];
}

typedef struct pivot_cell {
    double sum;
    int finished, failed;
} pivot_cell;

typedef struct pivot {
    const cs_job *job;
    const cs_metric *metric;
    int rows, columns; /* axes, or -1 */
    int n_rows, n_columns;
    pivot_cell *cells; /* [n_rows,n_columns] */
} pivot;

static void fill_cells(pivot *p, const cs_outcome *outcomes) {
    for (int t = 0; t < p->job->n_trials; t++) {
        int row = axis_index(p->job, t, p->rows), column = axis_index(p->job, t, p->columns);
        pivot_cell *cell = &p->cells[(size_t)row * (size_t)p->n_columns + (size_t)column];
        cell->failed += outcomes[t].state == CS_TRIAL_FAILED;
        if (outcomes[t].state == CS_TRIAL_OK) {
            cell->sum += cs_metric_value(p->metric, &outcomes[t].result);
            cell->finished++;
        }
    }
}

static void print_cell(const pivot *p, const pivot_cell *cell, char *out, size_t size) {
    if (cell->finished)
        snprintf(out, size, "%.*f", p->metric->decimals, cell->sum / cell->finished);
    else
        snprintf(out, size, "%s", cell->failed ? "failed" : "-");
}

static const char *axis_value(const pivot *p, int axis, int index) {
    return axis < 0 ? p->metric->name : p->job->axes[axis].values[index];
}

static void print_corner(const pivot *p, char *out, size_t size) {
    const char *rows = p->rows < 0 ? "" : cs_option_short_name(p->job->axes[p->rows].option);
    const char *columns = p->columns < 0 ? "" : cs_option_short_name(p->job->axes[p->columns].option);
    snprintf(out, size, "%s%s%s", rows, rows[0] && columns[0] ? " \\ " : "", columns);
}

static int longest(int width, const char *text) {
    int length = (int)strlen(text);
    return length > width ? length : width;
}

static void print_title(const pivot *p, FILE *out) {
    const char *separator = "; mean over ";
    fprintf(out, "%s: %s", p->job->name, p->metric->name);
    for (int i = 0; i < p->job->n_axes; i++) {
        if (i == p->rows || i == p->columns || p->job->axes[i].n == 1)
            continue;
        fprintf(out, "%s%s", separator, cs_option_short_name(p->job->axes[i].option));
        separator = ", ";
    }
    fputs("\n\n", out);
}

static void print_pivot(const pivot *p, FILE *out) {
    char cell[CS_VALUE_MAX * 2], corner[CS_VALUE_MAX];
    print_corner(p, corner, sizeof corner);
    int first = longest(3, corner), width = 6; /* "failed" */
    for (int r = 0; r < p->n_rows; r++)
        first = longest(first, axis_value(p, p->rows, r));
    for (int c = 0; c < p->n_columns; c++)
        width = longest(width, axis_value(p, p->columns, c));
    fprintf(out, "| %-*s |", first, corner);
    for (int c = 0; c < p->n_columns; c++)
        fprintf(out, " %*s |", width, axis_value(p, p->columns, c));
    fprintf(out, "\n|:%.*s-|", first, "----------------------------------------------------------------");
    for (int c = 0; c < p->n_columns; c++)
        fprintf(out, "-%.*s:|", width, "----------------------------------------------------------------");
    for (int r = 0; r < p->n_rows; r++) {
        fprintf(out, "\n| %-*s |", first, axis_value(p, p->rows, r));
        for (int c = 0; c < p->n_columns; c++) {
            print_cell(p, &p->cells[(size_t)r * (size_t)p->n_columns + (size_t)c], cell, sizeof cell);
            fprintf(out, " %*s |", width, cell);
        }
    }
    fputc('\n', out);
}

static cs_status print_best(const cs_job *job, const cs_outcome *outcomes, FILE *out) {
    const cs_metric *metric = NULL;
    CS_TRY(cs_metric_find(job->metric, &metric));
    int best = -1, failed = 0, pending = 0;
    double best_value = 0;
    for (int t = 0; t < job->n_trials; t++) {
        failed += outcomes[t].state == CS_TRIAL_FAILED;
        pending += outcomes[t].state == CS_TRIAL_PENDING;
        double value = cs_metric_value(metric, &outcomes[t].result);
        if (outcomes[t].state != CS_TRIAL_OK || isnan(value))
            continue;
        if (best < 0 || (job->maximize ? value > best_value : value < best_value)) {
            best = t;
            best_value = value;
        }
    }
    if (best >= 0) {
        char name[32], text[CS_VALUE_MAX * 2];
        cs_job_trial_name(job, best, name, sizeof name);
        cs_job_describe_trial(job, best, text, sizeof text);
        fprintf(out, "\nBest %s: %.*f, trial %s%s%s%s\n", metric->name, metric->decimals, best_value, name,
                text[0] ? " (" : "", text, text[0] ? ")" : "");
    }
    if (failed)
        fprintf(out, "\n%d of %d trials failed: the reasons are in trials.csv\n", failed, job->n_trials);
    if (pending)
        fprintf(out, "\n%d of %d trials did not run\n", pending, job->n_trials);
    return CS_OK;
}

cs_status cs_table_print(const cs_job *job, const cs_outcome *outcomes, FILE *out) {
    pivot p = {.job = job};
    CS_TRY(cs_metric_find(job->table_value, &p.metric));
    p.rows = find_axis(job, job->table_rows);
    p.columns = find_axis(job, job->table_columns);
    p.n_rows = p.rows < 0 ? 1 : job->axes[p.rows].n;
    p.n_columns = p.columns < 0 ? 1 : job->axes[p.columns].n;
    CS_TRY(cs_alloc((size_t)p.n_rows * (size_t)p.n_columns, sizeof *p.cells, "table", &p.cells));
    fill_cells(&p, outcomes);
    print_title(&p, out);
    print_pivot(&p, out);
    free(p.cells);
    return print_best(job, outcomes, out);
}
