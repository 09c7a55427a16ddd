/* SPDX-License-Identifier: Apache-2.0 */
/* Pretrained weights: files in, matched to a graph by layer and parameter name; and out.
 *
 * Formats, told apart by their content when read and by the file's name when written:
 *   *.weights.h5    Keras 3: groups named by class and order, "layers/conv2d_1/vars/0"
 *   *.h5            Keras' legacy layout: "conv1/conv1/kernel:0"; reading also takes full models (/model_weights)
 *   *.safetensors   graphs of the torch dialect: torch's names and axes ("layer1.0.conv1.weight", OIHW);
 *                   graphs of the Keras dialect: "conv1/kernel" with Keras' axes
 * Preprocessing belongs to the weights: writing records its kind (root attribute, or key of __metadata__,
 * "preprocess"), and a file that records another kind than the graph's is refused. */
#ifndef CNNSWEEP_WEIGHTS_H
#define CNNSWEEP_WEIGHTS_H

#include "cnnsweep/zoo.h"

typedef struct cs_weights_report {
    int matched;      /* parameters read */
    int missing;      /* parameters of the network that the file lacks, the head's own not counted */
    int unused;       /* tensors of the file that no parameter takes */
    int wrong_shape;  /* names that agree, shapes that do not, the head's own not counted */
    int head_differs; /* the head's parameters that have another shape there, or are absent where others are there */
    char *text;       /* one line each of all but those matched, with the shapes; NULL when nothing was read */
} cs_weights_report;
void cs_weights_report_clear(cs_weights_report *report);

/* cs_model_build of the network that the file's weights were made for; "" is no file: initial values. It sets
 * config->pretrained, by the preprocessing that the file records, else by the layers it lists; where it does neither,
 * it is taken for ImageNet's weights, and the log says so. */
CS_MUST_CHECK cs_status cs_weights_model(const char *path, const cs_model_config *config, cs_graph **out);

/* Rules of reading, or'ed. */
enum {
    CS_WEIGHTS_ALLOW_MISSING = 1, /* what the file lacks keeps its values */
    CS_WEIGHTS_WHOLE = 2          /* the head is read like all else */
};

/* Reads a file into `params`, by name; layers that Keras named itself by their place among those of their class, as it
 * counts them over all models of a session. The head, the layers from graph->head on, keeps its values unless the file
 * has the whole of it with the same shapes. Missing parameters are CS_ERR_NOT_FOUND naming the first ones unless
 * allowed, and always when nothing matches; a wrong shape is CS_ERR_SHAPE; other preprocessing is CS_ERR_ARG; two
 * tensors for one parameter and a damaged file are CS_ERR_FORMAT naming the place. On errors `params` keeps its values,
 * and the report is filled as far as the reading came.
 *
 * HDF5 files are read in a child process with a limit on its time and memory, as HDF5 itself crashes or hangs on some
 * damaged files: no other thread may be inside HDF5 meanwhile. */
CS_MUST_CHECK cs_status cs_weights_read(const char *path, unsigned rules, cs_params *params, cs_weights_report *report);

/* Writes all of `params`, atomically, as Keras (model.load_weights) or torch (load_state_dict) load them. */
CS_MUST_CHECK cs_status cs_weights_write(const char *path, const cs_params *params);

/* What a file holds: a line a tensor (name, shape, type), then totals, format and preprocessing. *text is malloc'ed. */
CS_MUST_CHECK cs_status cs_weights_describe(const char *path, char **text);

#endif
