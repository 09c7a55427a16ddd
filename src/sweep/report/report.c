/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep report: writes report.html, and the charts as files, from the results folders of a sweep. */
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "explanations.h"
#include "page_data.h"

#include <stdio.h>
#include <string.h>

static cs_status choose_out(const char *const *paths, int n, const char *wanted, char out[CS_PATH_MAX]) {
    if (wanted || n == 1)
        return cs_path(out, CS_PATH_MAX, "%s", wanted ? wanted : paths[0]);
    return cs_common_parent(paths, n, out);
}

/* Opens the dataset of the sweep, if it is still there and the same. `why`: the reason if it is not. */
static cs_dataset *open_dataset(const cs_collection *c, char *why, size_t size) {
    cs_dataset *dataset = NULL;
    if (cs_dataset_open(c->first->dataset, &dataset) != CS_OK) {
        snprintf(why, size, "%s", cs_error_last()->text);
        return NULL;
    }
    if (cs_dataset_checksum(dataset) == c->first->checksum)
        return dataset;
    snprintf(why, size, "%s is not the dataset that the sweep was trained on", c->first->dataset);
    cs_dataset_close(dataset);
    return NULL;
}

static cs_status write_all(const cs_collection *c, const cs_dataset *dataset, const char *no_images, const char *folder,
                           const cs_report_options *options) {
    char path[CS_PATH_MAX];
    cs_page_data data;
    cs_explanations explanations = {.collection = c, .engine = options->engine, .all = options->explain_all};
    cs_status status = cs_page_data_open(c, dataset, no_images, folder, &data);
    if (options->engine) {
        data.page.explain = cs_explanations_make;
        data.page.explain_context = &explanations;
    }
    if (status == CS_OK)
        status = cs_path(path, sizeof path, "%s/report.html", folder);
    if (status == CS_OK)
        status = cs_page_write(&data.page, path);
    if (status == CS_OK && options->figures)
        status = cs_page_write_figures(&data.page, folder);
    cs_page_data_close(&data);
    return status;
}

static cs_status report(cs_collection *c, const char *const *folders, int n, const cs_report_options *options,
                        char out[CS_PATH_MAX]) {
    char why[CS_PATH_MAX] = "";
    const cs_collect_options table = {
        .rows = options->rows, .columns = options->columns, .value = options->value, .again = options->again};
    CS_TRY(cs_collection_open(folders, n, &table, c));
    CS_TRY(choose_out(folders, n, options->out, out));
    CS_TRY(cs_folder_create(out));
    cs_dataset *opened = options->dataset ? NULL : open_dataset(c, why, sizeof why);
    const cs_status status = write_all(c, options->dataset ? options->dataset : opened, why, out, options);
    cs_dataset_close(opened);
    return status;
}

cs_status cs_sweep_report(const char *const *folders, int n, const cs_report_options *options, char out[CS_PATH_MAX]) {
    cs_collection c;
    const cs_status status = report(&c, folders, n, options, out);
    cs_collection_close(&c);
    return status;
}
