/* SPDX-License-Identifier: Apache-2.0 */
/* Pretrained weights: reads files, matching their tensors to a graph's layers and parameters by name, and writes them.
 *
 * The format of a file is found by its content when it is read, and by the file's name when it is written:
 *   *.weights.h5    Keras 3: groups named by class and order, "layers/conv2d_1/vars/0"
 *   *.h5            Keras' legacy layout: "conv1/conv1/kernel:0"; reading also takes full models (/model_weights)
 *   *.safetensors   graphs of the torch dialect: torch's names and axes ("layer1.0.conv1.weight", OIHW);
 *                   graphs of the Keras dialect: "conv1/kernel" with Keras' axes
 * Preprocessing belongs to the weights: a written file records it (cs_graph_record) as "preprocess" (an attribute of
 * the root, or a key of __metadata__), and reading a file that records another one than the graph's is an error, unless
 * the caller allows it. */
#ifndef CNNSWEEP_WEIGHTS_H
#define CNNSWEEP_WEIGHTS_H

#include "cnnsweep/zoo.h"

typedef struct cs_weights_report {
    int matched;      /* parameters read */
    int missing;      /* parameters of the network that the file lacks, those of the head not counted */
    int unused;       /* tensors of the file that belong to no parameter */
    int wrong_shape;  /* parameters whose shape in the file is another, those of the head not counted */
    int head_differs; /* parameters of the head with another shape in the file, or missing while others are in it */
    char record[CS_RECORD_TEXT]; /* what the file records of the preprocessing; "": nothing */
    char *text; /* one line for each of the above but the matched ones, with the shapes; NULL when nothing was read */
} cs_weights_report;
void cs_weights_report_clear(cs_weights_report *report);

/* Builds the network (cs_model_build) that the file's weights were made for; the path "" is no file and gives initial
 * values. It sets config->pretrained by the preprocessing that the file records or else by the layers that it lists. A
 * file that does neither is taken for ImageNet's weights, and the log says so. */
CS_MUST_CHECK cs_status cs_weights_model(const char *path, const cs_model_config *config, cs_graph **out);

/* Flags of cs_weights_read, combined with |. */
enum {
    CS_WEIGHTS_ALLOW_MISSING = 1, /* parameters that the file lacks keep their values */
    CS_WEIGHTS_WHOLE = 2,         /* the head must be read like the other layers */
    CS_WEIGHTS_ANY_INPUT = 4,     /* whatever preprocessing the file records */
    CS_WEIGHTS_STANDARDIZED = 8   /* also with images that were standardized in place of the graph's preprocessing */
};

/* Reads a file into `params`. Parameters are matched by name. Names that Keras made up count over all models of a
 * session; such layers are matched by their position among the layers of their class. The head, which is the layers
 * from graph->head on, keeps its values unless the file has all of it with the same shapes.
 *
 * Missing parameters are CS_ERR_NOT_FOUND naming the first ones unless they are allowed, and always when nothing
 * matches; a wrong shape is CS_ERR_SHAPE; another preprocessing is CS_ERR_ARG; two tensors for one parameter and a
 * damaged file are CS_ERR_FORMAT naming the tensor or place. On an error `params` keeps its values, and the report is
 * filled as far as the file was read.
 *
 * HDF5 files are read in a child process with a limit on its time and memory, as HDF5 itself crashes or hangs on some
 * damaged files. No other thread may be inside HDF5 meanwhile. */
CS_MUST_CHECK cs_status cs_weights_read(const char *path, unsigned rules, cs_params *params, cs_weights_report *report);

/* Writes all of `params`, atomically, in a form that Keras (model.load_weights) or torch (load_state_dict) can load. */
CS_MUST_CHECK cs_status cs_weights_write(const char *path, const cs_params *params);

/* Describes what a file holds: one line for each tensor (name, shape, type), then totals, format and preprocessing.
 * *text is malloc'ed. */
CS_MUST_CHECK cs_status cs_weights_describe(const char *path, char **text);

#endif
