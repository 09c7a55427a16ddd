/* SPDX-License-Identifier: Apache-2.0 */
/* For each case "DEVICE FOLDER ROWS CLASSES settings" prints the mean loss of a batch as one of training and as
 * one of validation, and writes the gradient of the first with respect to the logits to gradient.f32, and with respect
 * to the kernel to kernel.f32. The folder has logits.f32 [ROWS,CLASSES], labels.i32 [ROWS] and perhaps soft.f32
 * [ROWS,CLASSES]. The network is a dense layer whose kernel is the identity. With CLASSES 1 it is a binary head: logits
 * and gradient are [ROWS,1], and there are 2 classes. If the folder has weights.f32 [ROWS], these are the samples'
 * weights. */
#include "cases.h"

#include "criterion.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

enum { DEVICE, FOLDER, ROWS, CLASSES, CLASSES_MAX = 64 };

typedef struct loss_run {
    const cs_case *of;
    int rows, outputs, classes;
    bool weighted;
    float *logits, *soft, *gradient, *weights;
    int64_t *samples;
    int32_t *labels;
    cs_dataset *dataset;
    cs_criterion criterion;
    cs_engine *engine;
    cs_graph *graph;
    cs_params *params;
    cs_segment *segment;
    cs_program *program;
} loss_run;

static cs_status read_values(const loss_run *run, const char *name, size_t count, void *out) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s/%s", run->of->words[FOLDER], name));
    FILE *file = fopen(path, "rb");
    if (!file)
        return cs_fail_errno("%s", path);
    bool complete = fread(out, sizeof(float), count, file) == count;
    fclose(file);
    return complete ? CS_OK : cs_fail(CS_ERR_FORMAT, "%s is too short", path);
}

static cs_status read_batch(loss_run *run) {
    const size_t logits = (size_t)run->rows * (size_t)run->outputs;
    const size_t count = (size_t)run->rows * (size_t)run->classes;
    CS_TRY(cs_alloc(logits, sizeof *run->logits, "logits", &run->logits));
    CS_TRY(cs_alloc(logits, sizeof *run->gradient, "gradient", &run->gradient));
    CS_TRY(cs_alloc((size_t)run->rows, sizeof *run->labels, "labels", &run->labels));
    CS_TRY(cs_alloc(count, sizeof *run->soft, "soft targets", &run->soft));
    CS_TRY(read_values(run, "logits.f32", logits, run->logits));
    CS_TRY(read_values(run, "labels.i32", (size_t)run->rows, run->labels));
    if (read_values(run, "soft.f32", count, run->soft) != CS_OK) {
        free(run->soft);
        run->soft = NULL;
    }
    CS_TRY(cs_alloc((size_t)run->rows, sizeof *run->samples, "samples", &run->samples));
    CS_TRY(cs_alloc((size_t)run->rows, sizeof *run->weights, "weights", &run->weights));
    run->weighted = read_values(run, "weights.f32", (size_t)run->rows, run->weights) == CS_OK;
    for (int i = 0; i < run->rows; i++) {
        run->samples[i] = i;
        run->weights[i] = run->weighted ? run->weights[i] : 1;
    }
    return CS_OK;
}

/* The training split of the dataset has the labels of the batch. */
static cs_status make_dataset(loss_run *run) {
    char path[CS_PATH_MAX], names[CLASSES_MAX][16];
    const char *classes[CLASSES_MAX];
    cs_dataset_writer *writer;
    for (int k = 0; k < run->classes; k++) {
        snprintf(names[k], sizeof names[k], "class%d", k);
        classes[k] = names[k];
    }
    const cs_dataset_layout layout = {.encoding = CS_ENCODING_RAW,
                                      .resize = {CS_BILINEAR, CS_ASPECT_STRETCH},
                                      .h = 1,
                                      .w = 1,
                                      .classes = classes,
                                      .n_classes = run->classes,
                                      .counts = {[CS_SPLIT_TRAIN] = run->rows},
                                      .weighted = run->weighted};
    CS_TRY(cs_path(path, sizeof path, "%s/data.h5", run->of->words[FOLDER]));
    CS_TRY(cs_remove_all(path));
    CS_TRY(cs_dataset_create(path, &layout, &writer));
    for (int i = 0; i < run->rows; i++) {
        const cs_dataset_sample sample = {.label = run->labels[i], .weight = run->weights[i], .id = "image"};
        CS_TRY(cs_dataset_append_sample(writer, &sample, (const uint8_t[3]){0}, 3));
    }
    CS_TRY(cs_dataset_commit(&writer));
    return cs_dataset_open(path, &run->dataset);
}

static cs_status make_program(loss_run *run) {
    const cs_engine_options options = {.threads = 1};
    const size_t outputs = (size_t)run->outputs;
    const cs_activation activation = run->outputs < run->classes ? CS_ACT_BINARY : CS_ACT_SOFTMAX;
    int in, flat, out;
    CS_TRY(cs_graph_create("identity", &run->graph));
    CS_TRY(cs_graph_input(run->graph, "input", 1, 1, run->outputs, &in));
    CS_TRY(cs_graph_flatten(run->graph, "flatten", in, &flat));
    CS_TRY(cs_graph_dense(run->graph, "logits", flat, run->outputs, activation, &out));
    run->graph->layers[out].l1 = run->of->trial.model.l1;
    run->graph->layers[out].l2 = run->of->trial.model.l2;
    CS_TRY(cs_params_create(run->graph, &run->params));
    for (size_t i = 0; i < run->graph->n_values; i++)
        run->params->data[i] = i < outputs * outputs && i % (outputs + 1) == 0;
    CS_TRY(cs_segment_create(run->graph, 0, run->graph->n_layers, &run->segment));
    CS_TRY(cs_engine_open(run->of->words[DEVICE], &options, &run->engine));
    const cs_program_spec spec = {
        .segment = run->segment, .batch = run->rows, .mode = CS_MODE_TRAIN, .gradients = &in, .n_gradients = 1};
    CS_TRY(cs_program_compile(run->engine, &spec, &run->program));
    return cs_program_load(run->program, CS_ARRAY_VALUE, run->params);
}

static cs_status mean_loss(const loss_run *run, bool training, double *out) {
    int32_t counts[CLASSES_MAX] = {0};
    double sums[CLASSES_MAX] = {0};
    for (int i = 0; i < run->rows; i++) {
        counts[run->labels[i]]++;
        sums[run->labels[i]] += (double)run->weights[i];
    }
    const cs_batch batch = {.n = run->rows,
                            .n_global = run->rows,
                            .labels = run->labels,
                            .soft = run->soft,
                            .samples = run->samples,
                            .class_counts = counts,
                            .class_sums = sums};
    const cs_targets targets = cs_criterion_targets(&run->criterion, &batch, training);
    cs_loss loss;
    CS_TRY(cs_program_set_input(run->program, 0, run->logits, run->rows));
    CS_TRY(cs_program_forward(run->program, run->rows));
    CS_TRY(cs_program_loss(run->program, &targets, run->rows, NULL, &loss));
    *out = loss.sum / run->rows + loss.penalty;
    return CS_OK;
}

static cs_status write_values(const loss_run *run, const char *name, const float *values, int count) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s/%s", run->of->words[FOLDER], name));
    FILE *file = fopen(path, "wb");
    if (!file)
        return cs_fail_errno("%s", path);
    fwrite(values, sizeof *values, (size_t)count, file);
    return fclose(file) == 0 ? CS_OK : cs_fail_errno("%s", path);
}

static cs_status write_gradients(const loss_run *run) {
    CS_TRY(cs_program_backward(run->program, run->rows));
    CS_TRY(cs_program_get_gradient(run->program, 0, run->gradient, run->rows));
    CS_TRY(write_values(run, "gradient.f32", run->gradient, run->rows * run->outputs));
    CS_TRY(cs_program_read(run->program, CS_ARRAY_GRADIENT, run->params));
    return write_values(run, "kernel.f32", run->params->data, run->outputs * run->outputs);
}

static cs_status run_case(loss_run *run) {
    double training, validation;
    CS_TRY(read_batch(run));
    CS_TRY(make_dataset(run));
    CS_TRY(make_program(run));
    CS_TRY(cs_criterion_open(&run->criterion, &run->of->trial.train, run->dataset, run->graph, run->rows));
    CS_TRY(mean_loss(run, false, &validation));
    CS_TRY(mean_loss(run, true, &training));
    printf("%.17g %.17g\n", training, validation);
    return write_gradients(run);
}

static void close_run(loss_run *run) {
    cs_program_free(run->program);
    cs_segment_free(run->segment);
    cs_engine_close(run->engine);
    cs_params_free(run->params);
    cs_graph_free(run->graph);
    cs_criterion_close(&run->criterion);
    cs_dataset_close(run->dataset);
    free(run->logits);
    free(run->soft);
    free(run->gradient);
    free(run->labels);
    free(run->samples);
    free(run->weights);
}

int main(void) {
    static cs_case of;
    while (case_read(&of)) {
        loss_run run = {.of = &of, .rows = atoi(of.words[ROWS]), .outputs = atoi(of.words[CLASSES])};
        run.classes = run.outputs == 1 ? 2 : run.outputs;
        cs_status status = run_case(&run);
        close_run(&run);
        if (status != CS_OK) {
            fprintf(stderr, "%s\n", cs_error_last()->text);
            return 1;
        }
    }
    return 0;
}
