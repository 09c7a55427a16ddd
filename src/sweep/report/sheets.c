/* SPDX-License-Identifier: Apache-2.0 */
#include "sheets.h"
#include "cnnsweep/log.h"
#include "cnnsweep/sheet.h"

#include <string.h>

enum { SAMPLES = 2, EPOCHS = 5, MOST = 12 };

/* The swept option whose values are names of augmentations; NULL: there is none. */
static const cs_swept_option *swept_augment(const cs_job *job) {
    for (int i = 0; i < job->n_swept; i++)
        if (strcmp(job->swept[i].option->key, "train.augment") == 0)
            return &job->swept[i];
    return NULL;
}

static void draw(const cs_job *job, const cs_dataset *dataset, const cs_swept_option *swept, cs_page_sheet *sheets,
                 int *n) {
    for (int i = 0; i < swept->n && *n < MOST; i++) {
        const cs_sheet_options options = {
            .augment = swept->values[i], .samples = SAMPLES, .epochs = EPOCHS, .dataset = dataset};
        if (strcmp(swept->values[i], "none") == 0)
            continue;
        sheets[*n].name = swept->values[i];
        if (cs_sheet_draw(job, &options, &sheets[*n].image) == CS_OK) {
            (*n)++;
            continue;
        }
        cs_log(CS_LOG_DEBUG, "no sheet of %s: %s", swept->values[i], cs_error_last()->text);
        cs_image_clear(&sheets[*n].image);
    }
}

cs_status cs_page_sheets(cs_page_memory *memory, const cs_collection *collection, const cs_dataset *dataset,
                         cs_page_sheet **out, int *n) {
    const cs_job *described = collection->job;
    const cs_swept_option *swept = swept_augment(described);
    cs_job *job = NULL;
    *n = 0;
    if (!swept || !dataset ||
        cs_job_read(described->path, (const char *const *)described->sets, described->n_sets, &job) != CS_OK)
        return CS_OK;
    const cs_status status = cs_page_alloc(memory, MOST + 1, sizeof **out, out);
    if (status == CS_OK)
        draw(job, dataset, swept, *out, n);
    cs_job_free(job);
    return status;
}
