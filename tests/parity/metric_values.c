/* SPDX-License-Identifier: Apache-2.0 */
/* Prints all metrics of inputs that a script has made. Input: int32 K, int32 n, int32 labels [n], float logits [n,K],
 * and so on. Output: a line for each, "name value name value ...". */
#include "cnnsweep/memory.h"
#include "cnnsweep/metrics.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct input {
    int32_t size[2]; /* K, n */
    int32_t *labels;
    int64_t *samples;
    float *logits;
} input;

static cs_status read_input(input *in) {
    size_t classes = (size_t)in->size[0], n = (size_t)in->size[1];
    CS_TRY(cs_alloc(n, sizeof *in->labels, "labels", &in->labels));
    CS_TRY(cs_alloc(n, sizeof *in->samples, "samples", &in->samples));
    CS_TRY(cs_alloc(n * classes, sizeof *in->logits, "logits", &in->logits));
    if (fread(in->labels, sizeof *in->labels, n, stdin) != n ||
        fread(in->logits, sizeof *in->logits, n * classes, stdin) != n * classes)
        return cs_fail(CS_ERR_FORMAT, "the input ends too early");
    for (size_t i = 0; i < n; i++)
        in->samples[i] = (int64_t)i;
    return CS_OK;
}

static void print_interval(const char *name, cs_interval interval) {
    printf("%s_low %.17g %s_high %.17g ", name, interval.low, name, interval.high);
}

static cs_status print_values(const cs_evaluation *evaluation) {
    double values[CS_RESULT_VALUES];
    cs_metric_set all;
    cs_bootstrap bootstrap;
    int n;
    const cs_metric_column *columns = cs_metric_columns(&n, NULL);
    cs_tally tally = cs_evaluation_tally(evaluation);
    CS_TRY(cs_metric_set_read("all", &all));
    cs_metric_compute(&all, CS_METRIC_TRAIN, evaluation, values);
    CS_TRY(cs_bootstrap_make(evaluation, true, 1, 0, &bootstrap));
    for (int i = 0; i < n && columns[i].split == CS_METRIC_TRAIN; i++)
        printf("%s %.17g ", columns[i].name, values[i]);
    print_interval("wilson", cs_wilson_interval(tally.correct, tally.rows));
    print_interval("bootstrap_f1", bootstrap.macro_f1);
    print_interval("bootstrap_auc", bootstrap.macro_auc);
    printf("mcnemar %.17g\n", cs_mcnemar(tally.correct, tally.rows - tally.correct));
    return CS_OK;
}

static int64_t count_correct(const cs_evaluation *evaluation) {
    int64_t correct = 0;
    for (int k = 0; k < evaluation->spec.classes; k++)
        correct += cs_evaluation_count(evaluation, k, k);
    return correct;
}

static cs_status print_metrics(input *in) {
    const cs_evaluation_spec spec = {
        .classes = in->size[0], .needs = CS_NEEDS_CONFUSION | CS_NEEDS_LOGITS, .rows = in->size[1]};
    cs_evaluation *evaluation = NULL;
    CS_TRY(read_input(in));
    CS_TRY(cs_evaluation_create(&spec, &evaluation));
    cs_evaluation_add(evaluation, &(cs_tally){.rows = spec.rows},
                      &(cs_evaluated_rows){in->logits, in->labels, in->samples});
    cs_evaluation_set_tally(evaluation, &(cs_tally){.correct = count_correct(evaluation), .rows = spec.rows});
    cs_status status = print_values(evaluation);
    cs_evaluation_free(evaluation);
    return status;
}

int main(void) {
    input in = {0};
    cs_status status = CS_OK;
    while (status == CS_OK && fread(in.size, sizeof in.size, 1, stdin) == 1) {
        status = print_metrics(&in);
        free(in.labels);
        free(in.samples);
        free(in.logits);
        in = (input){0};
    }
    if (status != CS_OK)
        fprintf(stderr, "%s\n", cs_error_last()->text);
    return status == CS_OK ? 0 : 1;
}
