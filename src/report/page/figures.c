/* SPDX-License-Identifier: Apache-2.0 */
/* Every chart of the page as files of its own, with its data. */
#include "cnnsweep/file.h"
#include "page_impl.h"
#include "sweep_charts.h"

#include <string.h>

static const char sweep_folder[] = "figures"; /* of the charts of the sweep */

enum { FILE_NAME = CS_PAGE_NAME + 32 };

/* Draws the chart into "<stem>.svg", "<stem>.pdf" and "<stem>.png", and frees it. */
static cs_status write_drawing(cs_drawing *drawing, const char *stem) {
    const cs_status status = cs_drawing_write_all(drawing, stem);
    cs_drawing_free(drawing);
    return status;
}

static cs_status open_csv(const char *stem, cs_atomic_file **file) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s.csv", stem));
    return cs_atomic_open(path, file);
}

/* The name of chart i of a kind in file names: "curves-val_accuracy". */
static void name_chart(const cs_page_writer *writer, const cs_sweep_chart *chart, int i, char out[FILE_NAME]) {
    char name[CS_PAGE_NAME];
    chart->name(writer, i, name, sizeof name);
    snprintf(out, FILE_NAME, "%.24s%s%s", chart->id, name[0] ? "-" : "", name);
    for (char *at = out; *at; at++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", *at))
            *at = '_';
}

static cs_status write_sweep_chart(const cs_page_writer *writer, const cs_sweep_chart *chart, int i,
                                   const char *folder) {
    char name[FILE_NAME], stem[CS_PATH_MAX];
    cs_drawing *drawing = NULL;
    cs_atomic_file *file = NULL;
    name_chart(writer, chart, i, name);
    CS_TRY(cs_path(stem, sizeof stem, "%s/%s/%s", folder, sweep_folder, name));
    CS_TRY(chart->draw(writer, i, &drawing));
    CS_TRY(write_drawing(drawing, stem));
    CS_TRY(open_csv(stem, &file));
    const cs_status status = chart->csv(writer, i, cs_atomic_stream(file));
    if (status == CS_OK)
        return cs_atomic_commit(&file);
    cs_atomic_abort(&file);
    return status;
}

static cs_status write_sweep_charts(const cs_page_writer *writer, const char *folder) {
    char path[CS_PATH_MAX];
    int n;
    const cs_sweep_chart *charts = cs_sweep_charts(&n);
    CS_TRY(cs_path(path, sizeof path, "%s/%s", folder, sweep_folder));
    CS_TRY(cs_folder_create(path));
    for (int kind = 0; kind < n; kind++)
        for (int i = 0; i < charts[kind].count(writer); i++)
            CS_TRY(write_sweep_chart(writer, &charts[kind], i, folder));
    return CS_OK;
}

static cs_status write_trial_chart(const cs_page *page, const cs_page_trial *trial, const cs_trial_details *details,
                                   const cs_trial_chart *chart, const char *folder) {
    char path[CS_PATH_MAX], stem[CS_PATH_MAX];
    cs_drawing *drawing = NULL;
    cs_atomic_file *file = NULL;
    CS_TRY(cs_path(path, sizeof path, "%s/%s", folder, chart->id));
    CS_TRY(cs_folder_create(path));
    CS_TRY(cs_path(stem, sizeof stem, "%s/%s", path, trial->name));
    CS_TRY(chart->draw(page, trial, details, &drawing));
    CS_TRY(write_drawing(drawing, stem));
    CS_TRY(open_csv(stem, &file));
    chart->csv(page, trial, details, cs_atomic_stream(file));
    return cs_atomic_commit(&file);
}

static cs_status write_trial_charts(const cs_page *page, const cs_page_trial *trial, const char *folder) {
    int n;
    const cs_trial_chart *charts = cs_trial_charts(&n);
    cs_trial_details *details = cs_page_read_details(trial);
    cs_status status = CS_OK;
    for (int i = 0; status == CS_OK && i < n; i++)
        if (charts[i].wanted(page, trial, details))
            status = write_trial_chart(page, trial, details, &charts[i], folder);
    cs_trial_details_free(details);
    return status;
}

const char *cs_page_figure_folder(int i) {
    int n;
    const cs_trial_chart *charts = cs_trial_charts(&n);
    if (i == 0)
        return sweep_folder;
    return i <= n ? charts[i - 1].id : NULL;
}

cs_status cs_page_write_figures(const cs_page *page, const char *folder) {
    cs_page_writer writer;
    cs_status status = cs_page_writer_open(page, &writer);
    if (status == CS_OK)
        status = write_sweep_charts(&writer, folder);
    cs_page_writer_close(&writer);
    for (int t = 0; status == CS_OK && t < page->n_trials; t++)
        status = write_trial_charts(page, &page->trials[t], folder);
    return status;
}
