/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what the networks of trials looked at, for report.html. */
#ifndef CNNSWEEP_EXPLANATIONS_H
#define CNNSWEEP_EXPLANATIONS_H

#include "cnnsweep/engine.h"
#include "cnnsweep/page.h"
#include "results/collection.h"

typedef struct cs_explanations {
    const cs_collection *collection;
    cs_engine *engine;
    bool all;    /* explain every trial that kept its weights, not only the first that is asked for, the best one */
    bool is_one; /* one was explained */
} cs_explanations;

/* As cs_page.explain; `context` is a cs_explanations. */
CS_MUST_CHECK cs_status cs_explanations_make(void *context, int trial, const cs_trial_details *details,
                                             cs_page_explanation *out);

#endif
