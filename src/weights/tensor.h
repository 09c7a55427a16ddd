/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the weights room: the tensors of a weights file, whatever its format. A walker (walk.h) passes every tensor of
 * a file to a visitor, in the order of the file. */
#ifndef CS_WEIGHTS_TENSOR_H
#define CS_WEIGHTS_TENSOR_H

#include "cnnsweep/weights.h"

enum { CS_TENSOR_MAX_RANK = 32, CS_TENSOR_SHAPE_MAX = 128, CS_TENSOR_NAME_MAX = 256, CS_TENSOR_PATH_MAX = 4096 };

/* How a file says which layer a tensor belongs to. */
typedef enum cs_naming {
    CS_NAMING_LEGACY, /* layer: a group; weight: "conv1/kernel:0", and "block/conv1/kernel:0" in a nested model */
    CS_NAMING_VARS,   /* layer: its name, "" when the file has none; place: "conv2d_1"; weight: its number */
    CS_NAMING_FLAT    /* weight alone, such as "layer1.0.conv1.weight" or "conv1/kernel" */
} cs_naming;

typedef enum cs_tensor_type { CS_TENSOR_FLOAT, CS_TENSOR_INTEGER, CS_TENSOR_OTHER } cs_tensor_type;

typedef struct cs_tensor {
    cs_naming naming;
    const char *layer, *place, *weight;
    const char *path; /* its path in the file, for people */
    cs_tensor_type type;
    char type_name[16]; /* "F32" */
    int rank;
    uint64_t dims[CS_TENSOR_MAX_RANK];
    /* Reads all values as floats, in the order of the file. */
    cs_status (*read)(const struct cs_tensor *tensor, float *out);
    const void *source; /* the data that `read` needs */
} cs_tensor;

typedef struct cs_visitor {
    void *context;
    /* Called once, before the tensors. `preprocess` is the preprocessing that the file records, or "". */
    cs_status (*file)(void *context, const char *format, const char *preprocess);
    /* Optional: called with the names of a model's layers, if the file has them, and again for each nested model. */
    cs_status (*layers)(void *context, char *const *names, size_t n);
    cs_status (*tensor)(void *context, const cs_tensor *tensor);
} cs_visitor;

/* The name under which files record the preprocessing: an attribute of the root, or a key of __metadata__. */
extern const char cs_preprocess_key[];

/* The number of values of the tensor. */
uint64_t cs_tensor_count(const cs_tensor *tensor);

/* A list of tensors with copies of their strings and without their values. */
typedef struct cs_tensor_list {
    cs_tensor *items;
    size_t n, capacity;
} cs_tensor_list;
/* Appends a copy of the tensor. More than any network has are CS_ERR_FORMAT naming `file`. */
CS_MUST_CHECK cs_status cs_tensor_list_append(cs_tensor_list *list, const char *file, const cs_tensor *tensor);
void cs_tensor_list_clear(cs_tensor_list *list);

/* Writes a shape as text: "[3,3,8]". */
const char *cs_shape_text(const uint64_t *dims, int rank, char out[CS_TENSOR_SHAPE_MAX]);
/* Writes a name from a file as one line of at most CS_TENSOR_NAME_MAX - 1 ASCII characters. */
const char *cs_printable(const char *name, char out[CS_TENSOR_NAME_MAX]);

/* The hint of most errors about a damaged file. */
extern const char cs_damaged_hint[];

#endif
