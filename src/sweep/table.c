#include "table.h"
#include "best.h"
#include "cell.h"
#include "cnnsweep/memory.h"
#include "option_text.h"
#include "text_table.h"

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
    fprintf(out, ",rank,engine,precision,deterministic\n");
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
    fprintf(out, ",%d,%s,%s,%s\n", outcome->rank, outcome->engine, cs_precision_name(job->run.precision),
            job->run.deterministic ? "true" : "false");
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

typedef struct pivot {
    const cs_job *job;
    const cs_metric *metric;
    int rows, columns; /* axes, or -1 */
    int n_rows, n_columns;
    cs_cell *cells; /* [n_rows,n_columns] */
} pivot;

static const char *axis_value(const pivot *p, int axis, int index) {
    return axis < 0 ? p->metric->name : p->job->axes[axis].values[index];
}

static void print_corner(const pivot *p, char *out, size_t size) {
    const char *rows = p->rows < 0 ? "" : cs_option_short_name(p->job->axes[p->rows].option);
    const char *columns = p->columns < 0 ? "" : cs_option_short_name(p->job->axes[p->columns].option);
    snprintf(out, size, "%s%s%s", rows, rows[0] && columns[0] ? " \\ " : "", columns);
}

static void print_title(const pivot *p, FILE *out) {
    const char *separator = "; mean ± sd over ";
    fprintf(out, "%s: %s", p->job->name, p->metric->name);
    for (int i = 0; i < p->job->n_axes; i++) {
        if (i == p->rows || i == p->columns || p->job->axes[i].n == 1)
            continue;
        fprintf(out, "%s%s", separator, cs_option_short_name(p->job->axes[i].option));
        separator = ", ";
    }
    fputs("\n\n", out);
}

static cs_status fill_pivot(const pivot *p, cs_text_table *table) {
    char text[CS_VALUE_MAX];
    print_corner(p, text, sizeof text);
    CS_TRY(cs_text_table_set(table, 0, 0, text));
    for (int c = 0; c < p->n_columns; c++)
        CS_TRY(cs_text_table_set(table, 0, c + 1, axis_value(p, p->columns, c)));
    for (int r = 0; r < p->n_rows; r++) {
        CS_TRY(cs_text_table_set(table, r + 1, 0, axis_value(p, p->rows, r)));
        for (int c = 0; c < p->n_columns; c++) {
            cs_cell_print(&p->cells[(size_t)r * (size_t)p->n_columns + (size_t)c], p->metric, text, sizeof text);
            CS_TRY(cs_text_table_set(table, r + 1, c + 1, text));
        }
    }
    return CS_OK;
}

static cs_status print_pivot(const cs_job *job, const cs_outcome *outcomes, FILE *out) {
    pivot p = {.job = job};
    cs_text_table table = {0};
    CS_TRY(cs_metric_find(job->table_value, &p.metric));
    p.rows = find_axis(job, job->table_rows);
    p.columns = find_axis(job, job->table_columns);
    p.n_rows = p.rows < 0 ? 1 : job->axes[p.rows].n;
    p.n_columns = p.columns < 0 ? 1 : job->axes[p.columns].n;
    CS_TRY(cs_alloc((size_t)p.n_rows * (size_t)p.n_columns, sizeof *p.cells, "table", &p.cells));
    for (int t = 0; t < job->n_trials; t++) {
        int row = axis_index(job, t, p.rows), column = axis_index(job, t, p.columns);
        cs_cell_add(&p.cells[(size_t)row * (size_t)p.n_columns + (size_t)column], p.metric, &outcomes[t]);
    }
    print_title(&p, out);
    cs_status status = cs_text_table_open(&table, p.n_rows + 1, p.n_columns + 1);
    if (status == CS_OK)
        status = fill_pivot(&p, &table);
    if (status == CS_OK)
        cs_text_table_print(&table, out);
    cs_text_table_close(&table);
    free(p.cells);
    return status;
}

static void print_rest(const cs_job *job, const cs_outcome *outcomes, FILE *out) {
    int failed = 0, pending = 0;
    for (int t = 0; t < job->n_trials; t++) {
        failed += outcomes[t].state == CS_TRIAL_FAILED;
        pending += outcomes[t].state == CS_TRIAL_PENDING;
    }
    if (failed)
        fprintf(out, "\n%d of %d trials failed: the reasons are in trials.csv\n", failed, job->n_trials);
    if (pending)
        fprintf(out, "\n%d of %d trials did not run\n", pending, job->n_trials);
}

bool cs_table_is_leaderboard(const cs_job *job) {
    return job->random && !job->table_rows[0] && !job->table_columns[0];
}

cs_status cs_table_print(const cs_job *job, const cs_outcome *outcomes, FILE *out) {
    CS_TRY(cs_table_is_leaderboard(job) ? cs_leaderboard_print(job, outcomes, out) : print_pivot(job, outcomes, out));
    CS_TRY(cs_best_print(job, outcomes, out));
    print_rest(job, outcomes, out);
    return CS_OK;
}
