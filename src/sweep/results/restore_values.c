/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/memory.h"
#include "job/sampler.h"
#include "journal.h"

#include <jansson.h>
#include <stdlib.h>

/* `texts` [n_swept] gets the value of each option that the trial of the record has; they live as long as `plan`. */
static void read_texts(const json_t *plan, const cs_job *job, const char **texts) {
    const json_t *at = json_object_get(plan, "at"), *options = json_object_get(plan, "options");
    for (int i = 0; i < job->n_swept; i++) {
        bool has_value = json_integer_value(json_array_get(at, (size_t)i)) != CS_NO_VALUE;
        texts[i] = has_value ? json_string_value(json_object_get(options, job->swept[i].option->key)) : NULL;
    }
}

/* The numbers of trials are in the order in which their values were chosen. */
cs_status cs_journal_restore_values(const cs_journal *journal, cs_job *job) {
    const char **texts = NULL;
    cs_status status = CS_OK;
    if (!job->sampler)
        return CS_OK;
    CS_TRY(cs_alloc((size_t)job->n_swept, sizeof *texts, "values of trials", &texts));
    int next = 0;
    for (size_t i = 0; i < journal->n && next < job->n_trials && status == CS_OK; i++) {
        const cs_record *record = &journal->records[i];
        bool fits = false;
        if (record->start == 0)
            continue;
        json_t *plan = json_loads(record->plan, 0, NULL);
        read_texts(plan, job, texts);
        status = cs_sampler_restore(job->sampler, next, texts, record->key, &fits);
        json_decref(plan);
        next += fits;
    }
    free(texts);
    return status;
}
