/* SPDX-License-Identifier: Apache-2.0 */
#include "page_data.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "depth.h"
#include "facts.h"
#include "network.h"
#include "page_files.h"
#include "results/history.h"
#include "sheets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static cs_status make_options(cs_page_data *data, const cs_collection *c, int classes) {
    const cs_job *job = c->job;
    cs_page_option *options = NULL;
    CS_TRY(cs_page_alloc(&data->memory, (size_t)job->n_swept, sizeof *options, &options));
    for (int i = 0; i < job->n_swept; i++) {
        options[i] = (cs_page_option){.name = cs_option_short_name(job->swept[i].option),
                                      .values = (const char *const *)job->swept[i].values,
                                      .n = job->swept[i].n,
                                      .is_inner = i >= job->n_swept - cs_job_inner_options(job)};
        CS_TRY(cs_page_depth(&data->memory, c, i, classes, &options[i]));
    }
    data->page.options = options;
    data->page.n_options = job->n_swept;
    return CS_OK;
}

/* The columns of trials.csv that the job writes. */
static cs_status make_figures(cs_page_data *data, const cs_job *job) {
    size_t n;
    const cs_column *columns = cs_columns(&n);
    cs_page_figure *figures = NULL;
    CS_TRY(cs_page_alloc(&data->memory, n, sizeof *figures, &figures));
    data->page.metric = -1;
    for (size_t i = 0; i < n; i++) {
        if (!cs_column_is_in(&columns[i], &job->metrics))
            continue;
        if (strcmp(columns[i].name, job->metric) == 0)
            data->page.metric = data->page.n_figures;
        figures[data->page.n_figures++] = (cs_page_figure){columns[i].name, columns[i].decimals, columns[i].maximize};
    }
    data->page.figures = figures;
    data->page.maximize = job->maximize;
    return CS_OK;
}

/* The curve of an epoch's values that goes with the sweep's metric: of test_accuracy that of val_accuracy. */
static int monitor_of(const cs_page *page, const char *metric) {
    const char *name = strncmp(metric, "test_", 5) == 0 ? metric + 5 : metric;
    int found = -1;
    for (int i = 0; i < page->n_curves; i++) {
        const char *curve = page->curves[i];
        if (strncmp(curve, "val_", 4) == 0 && strcmp(curve + 4, name) == 0)
            return i;
        if (strcmp(curve, name) == 0)
            found = i;
    }
    return found;
}

static cs_status make_curves(cs_page_data *data, const cs_job *job) {
    size_t n;
    const cs_epoch_key *keys = cs_epoch_keys(&n);
    const char **curves = NULL;
    CS_TRY(cs_page_alloc(&data->memory, n, sizeof *curves, &curves));
    for (size_t i = 0; i < n; i++)
        if (cs_epoch_key_is_in(&keys[i], &job->metrics))
            curves[data->page.n_curves++] = keys[i].name;
    data->page.curves = curves;
    data->page.monitor = monitor_of(&data->page, job->metric);
    return CS_OK;
}

/* Copies the epochs of a trial to `values`, from which the next epoch follows. */
static double *copy_epochs(const cs_job *job, const cs_collected_trial *trial, double *values) {
    size_t n;
    const cs_epoch_key *keys = cs_epoch_keys(&n);
    for (size_t e = 0; e < trial->n_epochs; e++)
        for (size_t i = 0; i < n; i++)
            if (cs_epoch_key_is_in(&keys[i], &job->metrics))
                *values++ = cs_epoch_value(&keys[i], &trial->epochs[e]);
    return values;
}

/* The epochs of the phases before come first. */
static cs_status make_epochs(cs_page_data *data, const cs_collection *c, int t, cs_page_trial *trial) {
    int length = 0, *chain = NULL, *ends = NULL;
    size_t total = 0;
    for (int at = t; at >= 0; at = c->job->before[at])
        length++;
    CS_TRY(cs_page_alloc(&data->memory, (size_t)length, sizeof *chain, &chain));
    for (int at = t, i = 0; at >= 0; at = c->job->before[at])
        chain[i++] = at;
    for (int i = 0; i < length; i++)
        total += c->trials[chain[i]].n_epochs;
    double *values = NULL;
    CS_TRY(cs_page_alloc(&data->memory, total * (size_t)data->page.n_curves, sizeof *values, &values));
    CS_TRY(cs_page_alloc(&data->memory, (size_t)length, sizeof *ends, &ends));
    trial->epochs = values;
    trial->phase_ends = ends;
    trial->n_phases = length;
    for (int i = length - 1, end = 0; i >= 0; i--) {
        values = copy_epochs(c->job, &c->trials[chain[i]], values);
        end += (int)c->trials[chain[i]].n_epochs;
        ends[length - 1 - i] = end;
    }
    trial->n_epochs = (int)total;
    return CS_OK;
}

static cs_status make_trial_figures(cs_page_data *data, const cs_collection *c, int t, cs_page_trial *trial) {
    size_t n;
    const cs_column *columns = cs_columns(&n);
    double *figures = NULL;
    int at = 0;
    CS_TRY(cs_page_alloc(&data->memory, (size_t)data->page.n_figures, sizeof *figures, &figures));
    for (size_t i = 0; i < n; i++)
        if (cs_column_is_in(&columns[i], &c->job->metrics))
            figures[at++] =
                trial->state == CS_PAGE_OK ? cs_column_value(&columns[i], &c->outcomes[t].result) : (double)NAN;
    trial->figures = figures;
    return CS_OK;
}

static cs_status find_files(cs_page_data *data, const cs_collection *c, int t, cs_page_trial *trial) {
    bool is_lost;
    if (trial->state != CS_PAGE_OK)
        return CS_OK;
    CS_TRY(cs_page_files(&data->memory, c, data->page.dataset, data->folder, t, trial, &is_lost));
    data->lacking += is_lost;
    return CS_OK;
}

static cs_page_state state_of(const cs_collection *c, int t) {
    switch (c->outcomes[t].state) {
    case CS_TRIAL_OK:
        return CS_PAGE_OK;
    case CS_TRIAL_FAILED:
        return CS_PAGE_FAILED;
    case CS_TRIAL_PENDING:
        break;
    }
    return c->trials[t].n_epochs > 0 || c->trials[t].begun > 0 ? CS_PAGE_RUNNING : CS_PAGE_WAITING;
}

/* The ranks and the groups of several folders get different numbers. */
static void place_trial(const cs_collection *c, int t, double first_start, cs_page_trial *trial) {
    const cs_collected_trial *own = &c->trials[t];
    const cs_collected_folder *folder = &c->folders[own->from];
    int ranks = 0, groups = 0;
    for (int i = 0; i < own->from; i++) {
        ranks += c->folders[i].ranks;
        groups += c->folders[i].groups;
    }
    const double ended = own->ended > 0 ? own->ended : folder->last_time;
    trial->rank = own->begun > 0 ? ranks + own->group_rank : -1;
    trial->group = own->group > 0 ? groups + own->group : 0;
    trial->begun = own->begun > 0 ? own->begun - first_start : (double)NAN;
    trial->ended = own->begun > 0 ? ended - first_start : (double)NAN;
}

static cs_status make_trial(cs_page_data *data, const cs_collection *c, int t, double first_start,
                            cs_page_trial *trial) {
    char name[32], text[CS_VALUE_MAX * 2];
    cs_job_trial_name(c->job, t, name, sizeof name);
    cs_job_describe_trial(c->job, t, text, sizeof text);
    CS_TRY(cs_page_text(&data->memory, name, &trial->name));
    CS_TRY(cs_page_text(&data->memory, text, &trial->describe));
    trial->values = &c->job->value_indices[(size_t)t * (size_t)c->job->n_swept];
    trial->state = state_of(c, t);
    trial->reason = c->outcomes[t].reason;
    trial->best_epoch = trial->state == CS_PAGE_OK ? c->outcomes[t].result.best_epoch : -1;
    trial->is_fold = c->job->trials[t].data.fold.count > 0;
    place_trial(c, t, first_start, trial);
    CS_TRY(make_trial_figures(data, c, t, trial));
    CS_TRY(make_epochs(data, c, t, trial));
    return find_files(data, c, t, trial);
}

static bool has_part(const cs_collection *c, int part) {
    for (int i = 0; i < c->n; i++)
        if (c->folders[i].parts == 0 || c->folders[i].part == part)
            return true;
    return false;
}

static cs_status make_trials(cs_page_data *data, const cs_collection *c) {
    cs_page_trial *trials = NULL;
    const double first_start = cs_page_first_start(c);
    CS_TRY(cs_page_alloc(&data->memory, (size_t)c->job->n_last, sizeof *trials, &trials));
    data->page.is_complete = true;
    for (int t = 0; t < c->job->n_last; t++) {
        CS_TRY(make_trial(data, c, t, first_start, &trials[t]));
        if (trials[t].state == CS_PAGE_OK || trials[t].state == CS_PAGE_FAILED)
            continue;
        data->page.is_complete = false;
        data->page.n_in_other_parts += !has_part(c, c->folders[0].trials[t].part);
    }
    if (data->lacking)
        cs_log(CS_LOG_WARN,
               "details/ has no file of %d trial%s that finished; the page shows no classes and images of %s",
               data->lacking, data->lacking == 1 ? "" : "s", data->lacking == 1 ? "it" : "them");
    data->page.trials = trials;
    data->page.n_trials = c->job->n_last;
    return CS_OK;
}

static cs_status make_names(cs_page_data *data, int option, int n, const char *const **out) {
    const char **names = NULL;
    CS_TRY(cs_page_alloc(&data->memory, (size_t)n, sizeof *names, &names));
    for (int i = 0; i < n; i++)
        names[i] = cs_pivot_heading(&data->pivot, option, i);
    *out = names;
    return CS_OK;
}

static cs_status make_table(cs_page_data *data, const cs_collection *c) {
    cs_page_table *table = &data->table;
    cs_pivot *pivot = &data->pivot;
    double *values = NULL;
    int *failed = NULL;
    CS_TRY(cs_pivot_open(c->job, c->outcomes, pivot));
    const size_t cells = (size_t)pivot->n_rows * (size_t)pivot->n_columns;
    CS_TRY(cs_page_alloc(&data->memory, 2 * cells, sizeof *values, &values));
    CS_TRY(cs_page_alloc(&data->memory, cells, sizeof *failed, &failed));
    for (size_t i = 0; i < cells; i++) {
        const cs_cell *cell = &pivot->cells[i];
        values[i] = cell->finished ? cell->mean : (double)NAN;
        values[cells + i] = cell->finished > 1 ? cs_cell_deviation(cell) : (double)NAN;
        failed[i] = cell->failed;
    }
    *table = (cs_page_table){
        .value = pivot->metric->name,
        .decimals = pivot->metric->decimals,
        .maximize = pivot->maximize,
        .row_option = pivot->rows < 0 ? "" : cs_option_short_name(c->job->swept[pivot->rows].option),
        .column_option = pivot->columns < 0 ? "" : cs_option_short_name(c->job->swept[pivot->columns].option),
        .rows = pivot->n_rows,
        .columns = pivot->n_columns,
        .mean = values,
        .sd = values + cells,
        .failed = failed};
    CS_TRY(make_names(data, pivot->rows, pivot->n_rows, &table->row_names));
    CS_TRY(make_names(data, pivot->columns, pivot->n_columns, &table->column_names));
    data->page.table = table;
    return CS_OK;
}

static cs_status read_job(cs_page_data *data, const cs_job *job) {
    const size_t most = 1 << 20;
    char *text = NULL;
    size_t size;
    data->page.job_path = job->path;
    if (!cs_file_exists(job->path) || cs_file_read(job->path, most, &text, &size) != CS_OK)
        return CS_OK;
    const cs_status status = cs_page_text(&data->memory, text, &data->page.job);
    free(text);
    return status;
}

/* The trial with the best metric; -1: none has finished. */
static int best_trial(const cs_page *page) {
    int best = -1;
    for (int t = 0; t < page->n_trials && page->metric >= 0; t++)
        if (page->trials[t].state == CS_PAGE_OK &&
            (best < 0 || cs_column_better(page->trials[t].figures[page->metric],
                                          page->trials[best].figures[page->metric], page->maximize)))
            best = t;
    return best;
}

static cs_status make_network(cs_page_data *data, const cs_collection *c, int classes) {
    const int best = best_trial(&data->page);
    cs_graph *graph = best < 0 ? NULL : cs_report_network(c, best, classes);
    char *text = NULL;
    size_t size;
    if (!graph)
        return CS_OK;
    FILE *out = open_memstream(&text, &size);
    if (out) {
        cs_graph_summary(graph, out);
        fclose(out);
    }
    cs_graph_free(graph);
    const cs_status status = text ? cs_page_text(&data->memory, text, &data->page.network) : CS_OK;
    free(text);
    return status;
}

static cs_status make_head(cs_page_data *data, const cs_collection *c) {
    char text[64];
    const time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "Made on %Y-%m-%d at %H:%M UTC", &utc);
    data->page.title = c->job->name;
    CS_TRY(cs_page_text(&data->memory, text, &data->page.generated));
    return read_job(data, c->job);
}

/* The number of classes, from the dataset or else from the details of a trial; 0: not known. */
static int count_classes(const cs_page *page) {
    int classes = page->dataset ? cs_dataset_class_count(page->dataset) : 0;
    for (int t = 0; t < page->n_trials && classes == 0; t++) {
        cs_trial_details *details = NULL;
        if (page->trials[t].details[CS_SPLIT_TEST] &&
            cs_trial_details_read(page->trials[t].details[CS_SPLIT_TEST], &details) == CS_OK)
            classes = details->n_classes;
        cs_trial_details_free(details);
    }
    return classes;
}

cs_status cs_page_data_open(const cs_collection *collection, const cs_dataset *dataset, const char *no_images,
                            const char *folder, cs_page_data *out) {
    *out = (cs_page_data){.folder = folder, .page = {.dataset = dataset, .no_images = no_images}};
    CS_TRY(make_head(out, collection));
    CS_TRY(make_figures(out, collection->job));
    CS_TRY(make_curves(out, collection->job));
    CS_TRY(make_trials(out, collection));
    const int classes = count_classes(&out->page);
    CS_TRY(make_options(out, collection, classes));
    CS_TRY(make_network(out, collection, classes));
    CS_TRY(cs_page_sheets(&out->memory, collection, dataset, &out->sheets, &out->page.n_sheets));
    out->page.sheets = out->sheets;
    CS_TRY(cs_page_facts(&out->memory, collection, &out->page.facts, &out->page.n_facts));
    return cs_table_is_leaderboard(collection->job) ? CS_OK : make_table(out, collection);
}

void cs_page_data_close(cs_page_data *data) {
    cs_pivot_close(&data->pivot);
    for (int i = 0; data->sheets && i < data->page.n_sheets; i++)
        cs_image_clear(&data->sheets[i].image);
    cs_page_memory_free(&data->memory);
    *data = (cs_page_data){0};
}
