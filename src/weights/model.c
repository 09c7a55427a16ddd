/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the network that a weights file was made for. EfficientNet rescales its input once or, with ImageNet's
 * weights, twice, and the wrong number of rescalings gives wrong features without an error. */
#include "walk.h"

#include "cnnsweep/log.h"

#include <stdlib.h>
#include <string.h>

/* How often the network of a file rescales its input. */
typedef enum scaling { SCALING_UNKNOWN, SCALING_ONCE, SCALING_TWICE } scaling;

typedef struct reader {
    const char *path;
    scaling found;
} reader;

static cs_status take_record(void *context, const char *format, const char *preprocess) {
    reader *r = context;
    (void)format;
    if (strcmp(cs_record_kind(preprocess), cs_preprocess_name(CS_PREPROCESS_RAW_IMAGENET)) == 0)
        r->found = SCALING_TWICE;
    else if (preprocess[0])
        r->found = SCALING_ONCE;
    return CS_OK;
}

/* Whether `name` is an automatic name of that class: "rescaling", "rescaling_1", ... */
static bool is_of_class(const char *name, const char *class) {
    size_t length = strlen(class);
    return strncmp(name, class, length) == 0 && (name[length] == '_' || name[length] == '\0');
}

/* Counts the rescalings in a file's list of layers. A list without any leaves out all layers without weights, and one
 * without a normalization is of another network, such as the model around a nested base: the scaling is unknown. */
static cs_status take_layers(void *context, char *const *names, size_t n) {
    reader *r = context;
    int rescalings = 0, normalizations = 0;
    for (size_t i = 0; i < n; i++) {
        rescalings += is_of_class(names[i], "rescaling");
        normalizations += is_of_class(names[i], "normalization");
    }
    if (r->found == SCALING_UNKNOWN && normalizations > 0 && rescalings > 0)
        r->found = rescalings > 1 ? SCALING_TWICE : SCALING_ONCE;
    return CS_OK;
}

static cs_status pass_over(void *context, const cs_tensor *tensor) {
    (void)context, (void)tensor;
    return CS_OK;
}

static cs_status read_scaling(void *context, FILE *text) {
    reader *r = context;
    const cs_visitor visitor = {.context = r, .file = take_record, .layers = take_layers, .tensor = pass_over};
    CS_TRY(cs_weights_walk(r->path, &visitor));
    fputc('0' + (int)r->found, text);
    return CS_OK;
}

/* Reads the file, perhaps in a child process, whose text is the scaling that it found. */
static cs_status find_scaling(const char *path, scaling *out) {
    reader r = {.path = path};
    char *text = NULL;
    cs_status status = cs_weights_run(path, read_scaling, &r, &text);
    if (status == CS_OK)
        *out = (scaling)(text[0] - '0');
    free(text);
    return status;
}

cs_status cs_weights_model(const char *path, const cs_model_config *config, cs_graph **out) {
    cs_model_config wanted = *config;
    scaling found = SCALING_UNKNOWN;
    wanted.pretrained = path[0] != '\0';
    CS_TRY(cs_model_build(&wanted, out));
    if ((*out)->preprocess != CS_PREPROCESS_RAW_IMAGENET)
        return CS_OK;
    cs_status status = find_scaling(path, &found);
    if (status == CS_OK && found == SCALING_UNKNOWN)
        cs_log(CS_LOG_INFO,
               "%s does not tell how its input is scaled: taken for ImageNet's weights of %s, whose input "
               "is rescaled once more",
               path, (*out)->arch);
    if (status == CS_OK && found != SCALING_ONCE)
        return CS_OK;
    cs_graph_free(*out);
    *out = NULL;
    wanted.pretrained = false;
    return status == CS_OK ? cs_model_build(&wanted, out) : status;
}
