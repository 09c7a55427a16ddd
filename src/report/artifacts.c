/* SPDX-License-Identifier: Apache-2.0 */
/* The artifacts, a table row for each. To add one: a function and a row. */
#include "classification_report.h"
#include "cnnsweep/report.h"

static cs_status write_classification_report(const cs_artifact_input *input, FILE *out) {
    fprintf(out, "%s\n\n", input->title);
    cs_classification_report(input->evaluation, input->classes, out);
    cs_intervals_print(input->evaluation, &input->bootstrap, out);
    return CS_OK;
}

static const cs_artifact table[] = {
    {"classification report", "report", "txt", CS_NEEDS_CONFUSION, write_classification_report},
};
enum { N_ARTIFACTS = sizeof table / sizeof *table };

const cs_artifact *cs_artifacts(size_t *count) {
    *count = N_ARTIFACTS;
    return table;
}

unsigned cs_artifact_needs(void) {
    unsigned needs = CS_NEEDS_TALLY;
    for (size_t i = 0; i < N_ARTIFACTS; i++)
        needs |= table[i].needs;
    return needs;
}
