/* Private to src/weights: what a weights file holds, whatever its format. A walker (legacy_h5.c, keras3_h5.c,
 * safetensors.c) shows every tensor of a file to a visitor, in the order of the file.
 *
 * To add a format: a walker, a row in formats (walk.c), a way of naming (match.c), a writer (write.c). */
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
    const char *path; /* where it lies in the file, for people */
    cs_tensor_type type;
    char type_name[16]; /* "F32" */
    int rank;
    uint64_t dims[CS_TENSOR_MAX_RANK];
    /* Reads all values, in the order of the file, as floats. */
    cs_status (*read)(const struct cs_tensor *tensor, float *out);
    const void *source; /* for `read` */
} cs_tensor;

typedef struct cs_visitor {
    void *context;
    /* Called once, before the tensors. `preprocess` is the one the file records, or "". */
    cs_status (*file)(void *context, const char *format, const char *preprocess);
    /* Optional: the names of a model's layers, where the file has them, and for a model in a model again. */
    cs_status (*layers)(void *context, char *const *names, size_t n);
    cs_status (*tensor)(void *context, const cs_tensor *tensor);
} cs_visitor;

/* Walks a file of the kind that its first bytes tell. HDF5 is used in this process: see isolated.h. */
CS_MUST_CHECK cs_status cs_weights_walk(const char *path, const cs_visitor *visitor);
/* Runs work(context, text), which walks the file: in a child process when a damaged one may crash the library that it
 * needs. What is written to `text` becomes *text, malloc'ed; NULL when the work did not come to its end. */
CS_MUST_CHECK cs_status cs_weights_run(const char *path, cs_status (*work)(void *context, FILE *text), void *context,
                                       char **text);
CS_MUST_CHECK cs_status cs_walk_hdf5(const char *path, const cs_visitor *visitor);
CS_MUST_CHECK cs_status cs_walk_safetensors(const char *path, const cs_visitor *visitor);

/* CS_ERR_NOT_FOUND, or why it cannot be opened: said before a child is started. */
CS_MUST_CHECK cs_status cs_weights_check_exists(const char *path);

/* The name under which a preprocessing kind is recorded: an attribute of the root, or a key of __metadata__. */
extern const char cs_preprocess_key[];

/* Tensors with their own copies of their texts; they have no values. */
typedef struct cs_tensor_list {
    cs_tensor *items;
    size_t n, capacity;
} cs_tensor_list;
/* CS_ERR_FORMAT naming `file` when there are absurdly many. */
CS_MUST_CHECK cs_status cs_tensor_list_append(cs_tensor_list *list, const char *file, const cs_tensor *tensor);
void cs_tensor_list_clear(cs_tensor_list *list);

/* params[i]: index of the parameter that tensor i of `file` is meant for, or -1. Two tensors for one parameter are
 * CS_ERR_FORMAT naming both. */
CS_MUST_CHECK cs_status cs_match(const char *file, const cs_graph *graph, const cs_tensor_list *tensors, int *params);
/* Tensors that belong to the framework, not to the network, and are passed over in silence. */
bool cs_match_ignores(const cs_graph *graph, const cs_tensor *tensor);
/* The parameter's name in files of that naming. */
void cs_match_name(const cs_graph *graph, const cs_param *param, cs_naming naming, char *out, size_t size);
/* "conv2d" for Conv2D: how Keras names layers and groups. */
void cs_match_class(cs_layer_kind kind, char *out, size_t size);
/* A number without a sign; -1 for anything else. */
int cs_name_number(const char *text);
/* n for "<class>_<n>", 0 for "<class>", -1 for another name. */
int cs_name_ordinal(const char *name, const char *class);
/* Is this a name that Keras made up for a layer of a kind it has? */
bool cs_name_automatic(const char *name, cs_layer_kind *kind, int *ordinal);

/* How a parameter lies in a file: axis a of the file is axis axes[a] of the parameter. */
typedef struct cs_layout {
    int rank;
    int axes[4];
    int dims[4]; /* in the file */
} cs_layout;
cs_layout cs_layout_of(const cs_graph *graph, const cs_param *param, cs_naming naming);
/* Copies between the two orders; `param` is the parameter's own. */
void cs_layout_from_file(const cs_layout *layout, const float *file, float *param);
void cs_layout_to_file(const cs_layout *layout, const float *param, float *file);

/* "[3,3,8]". */
const char *cs_shape_text(const uint64_t *dims, int rank, char out[CS_TENSOR_SHAPE_MAX]);
/* A name from a file as one line of at most CS_TENSOR_NAME_MAX - 1 characters of ASCII. */
const char *cs_printable(const char *name, char out[CS_TENSOR_NAME_MAX]);

#endif
