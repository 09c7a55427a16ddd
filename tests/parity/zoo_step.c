/* SPDX-License-Identifier: Apache-2.0 */
/* zoo_step DEVICE ARCH DIALECT HEAD ALPHA HxW FOLDER WEIGHTS...
 *
 * Computes one network, for comparison with other frameworks. FOLDER has images.f32 [N,H,W,3], preprocessed, and
 * labels.i32 [N] of CLASSES classes; each of WEIGHTS must give the same parameters. Writes to FOLDER features.f32 the
 * last feature map of the architecture, in inference mode probabilities.f32        [N,CLASSES], in inference mode
 *   gradient.safetensors     the gradient of the mean loss, with all layers trainable and no dropout
 *   ours.weights.h5 ours.h5 ours.safetensors    the parameters */
#include "cnnsweep/engine.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/weights.h"
#include "cnnsweep/zoo.h"

#include <stdlib.h>
#include <string.h>

enum { CLASSES = 5 };

typedef struct zoo_step {
    const char *folder;
    cs_model_config config;
    cs_engine *engine;
    cs_graph *graph;
    cs_params *params;
    float *images;
    int32_t *labels;
    int n;
} zoo_step;

static cs_status read_file(const zoo_step *step, const char *name, void *out, size_t *size) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s/%s", step->folder, name));
    return cs_file_read(path, SIZE_MAX, (char **)out, size);
}

static cs_status write_floats(const zoo_step *step, const char *name, const float *values, size_t count) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s/%s", step->folder, name));
    return cs_file_write(path, values, count * sizeof *values);
}

static cs_status write_params(const zoo_step *step, const char *name, const cs_params *params) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s/%s", step->folder, name));
    return cs_weights_write(path, params);
}

static cs_status load(zoo_step *step, char **files) {
    cs_params *other = NULL;
    cs_status status = CS_OK;
    for (int i = 0; files[i] && status == CS_OK; i++) {
        cs_weights_report report = {0};
        cs_params **into = i ? &other : &step->params;
        CS_TRY(cs_params_create(step->graph, into));
        status = cs_weights_read(files[i], false, *into, &report);
        bool whole = report.matched == step->graph->n_params && report.unused == 0;
        if (status == CS_OK && !whole)
            status = cs_fail(CS_ERR_NOT_FOUND, "%s: %d of %d parameters\n%s", files[i], report.matched,
                             step->graph->n_params, report.text);
        if (status == CS_OK && i && memcmp(other->data, step->params->data, step->graph->n_values * sizeof(float)) != 0)
            status = cs_fail(CS_ERR_FORMAT, "%s and %s hold different values", files[0], files[i]);
        cs_weights_report_clear(&report);
        if (i)
            cs_params_free(other);
    }
    return status;
}

static cs_status set_up(zoo_step *step, const char *device) {
    const cs_engine_options options = {.threads = 2};
    size_t image_bytes, label_bytes;
    CS_TRY(cs_model_build(&step->config, &step->graph));
    for (int i = 0; i < step->graph->n_layers; i++)
        step->graph->layers[i].rate = 0;
    CS_TRY(read_file(step, "images.f32", &step->images, &image_bytes));
    CS_TRY(read_file(step, "labels.i32", &step->labels, &label_bytes));
    step->n = (int)(label_bytes / sizeof(int32_t));
    return cs_engine_open(device, &options, &step->engine);
}

static cs_status compile(zoo_step *step, int end, cs_mode mode, cs_segment **segment, cs_program **program) {
    CS_TRY(cs_segment_create(step->graph, 0, end, segment));
    cs_program_spec spec = {.segment = *segment, .batch = step->n, .mode = mode};
    CS_TRY(cs_program_compile(step->engine, &spec, program));
    CS_TRY(cs_program_load(*program, CS_ARRAY_VALUE, step->params));
    CS_TRY(cs_program_set_input(*program, 0, step->images, step->n));
    return cs_program_forward(*program, step->n);
}

static cs_status run_features(zoo_step *step) {
    cs_segment *segment = NULL;
    cs_program *program = NULL;
    float *features = NULL;
    cs_status status;
    size_t count = (size_t)step->n * cs_shape_count(step->graph->layers[step->graph->head - 1].out);
    CS_TRY_GOTO(compile(step, step->graph->head, CS_MODE_INFER, &segment, &program), done);
    CS_TRY_GOTO(cs_alloc(count, sizeof *features, "features", &features), done);
    CS_TRY_GOTO(cs_program_get_output(program, 0, features, step->n), done);
    status = write_floats(step, "features.f32", features, count);
done:
    free(features);
    cs_program_free(program);
    cs_segment_free(segment);
    return status;
}

static cs_status run_probabilities(zoo_step *step) {
    cs_segment *segment = NULL;
    cs_program *program = NULL;
    float *probabilities = NULL;
    cs_loss loss;
    cs_status status;
    size_t count = (size_t)step->n * CLASSES;
    CS_TRY_GOTO(compile(step, step->graph->n_layers, CS_MODE_INFER, &segment, &program), done);
    CS_TRY_GOTO(cs_alloc(count, sizeof *probabilities, "probabilities", &probabilities), done);
    CS_TRY_GOTO(cs_program_loss(program, &(cs_targets){.labels = step->labels}, step->n, probabilities, &loss), done);
    status = write_floats(step, "probabilities.f32", probabilities, count);
done:
    free(probabilities);
    cs_program_free(program);
    cs_segment_free(segment);
    return status;
}

static cs_status run_gradient(zoo_step *step) {
    cs_segment *segment = NULL;
    cs_program *program = NULL;
    cs_params *gradient = NULL;
    cs_loss loss;
    cs_status status;
    CS_TRY_GOTO(compile(step, step->graph->n_layers, CS_MODE_TRAIN, &segment, &program), done);
    CS_TRY_GOTO(cs_program_loss(program, &(cs_targets){.labels = step->labels}, step->n, NULL, &loss), done);
    CS_TRY_GOTO(cs_program_backward(program, step->n), done);
    CS_TRY_GOTO(cs_params_create(step->graph, &gradient), done);
    CS_TRY_GOTO(cs_program_read(program, CS_ARRAY_GRADIENT, gradient), done);
    status = write_params(step, "gradient.safetensors", gradient);
done:
    cs_params_free(gradient);
    cs_program_free(program);
    cs_segment_free(segment);
    return status;
}

static cs_status run(zoo_step *step, const char *device, char **files) {
    CS_TRY(set_up(step, device));
    CS_TRY(load(step, files));
    CS_TRY(run_features(step));
    CS_TRY(run_probabilities(step));
    CS_TRY(run_gradient(step));
    CS_TRY(write_params(step, "ours.safetensors", step->params));
    if (step->graph->dialect == CS_DIALECT_TORCH)
        return CS_OK;
    CS_TRY(write_params(step, "ours.weights.h5", step->params));
    return write_params(step, "ours.h5", step->params);
}

int main(int argc, char **argv) {
    enum { DEVICE = 1, ARCH, DIALECT, HEAD, ALPHA, SIZE, FOLDER, WEIGHTS };
    zoo_step step = {0};
    cs_model_config *config = &step.config;
    if (argc <= WEIGHTS) {
        fprintf(stderr, "usage: zoo_step DEVICE ARCH keras|torch HEAD ALPHA HxW FOLDER WEIGHTS...\n");
        return 2;
    }
    cs_model_config_init(config);
    snprintf(config->arch, sizeof config->arch, "%s", argv[ARCH]);
    snprintf(config->head, sizeof config->head, "%s", argv[HEAD]);
    config->dialect = strcmp(argv[DIALECT], "torch") == 0 ? CS_DIALECT_TORCH : CS_DIALECT_KERAS;
    config->alpha = strtof(argv[ALPHA], NULL);
    config->classes = CLASSES;
    char *x;
    config->input_h = (int)strtol(argv[SIZE], &x, 10);
    config->input_w = (int)strtol(x + 1, NULL, 10);
    step.folder = argv[FOLDER];
    cs_status status = run(&step, argv[DEVICE], argv + WEIGHTS);
    if (status != CS_OK)
        cs_log_error_last();
    cs_engine_close(step.engine);
    cs_params_free(step.params);
    cs_graph_free(step.graph);
    free(step.images);
    free(step.labels);
    return status == CS_OK ? 0 : 1;
}
