/* Pretrained weights: files in, matched to a graph by layer and parameter name. */
#ifndef CNNSWEEP_WEIGHTS_H
#define CNNSWEEP_WEIGHTS_H

#include "cnnsweep/graph.h"

typedef struct cs_weights_report {
    int matched;     /* parameters read */
    int missing;     /* parameters of the network that the file lacks, the head's own not counted */
    int unused;      /* datasets of the file that no parameter takes */
    int wrong_shape; /* names that agree, shapes that do not */
    char *text;      /* one line each of missing, unused, wrong shape, with both shapes; never NULL */
} cs_weights_report;
void cs_weights_report_clear(cs_weights_report *report);

/* Reads a Keras legacy .h5 (weights file, or full model with /model_weights) into `params`, by name. Layers from
 * graph->head on keep their values when the file lacks them. Missing parameters are CS_ERR_NOT_FOUND naming the first
 * ones unless `allow_missing`; a wrong shape is always CS_ERR_SHAPE. The report is filled also on those errors. What
 * the HDF5 library finds broken is CS_ERR_FORMAT; it has no checksum of its own structure, so files come from a source
 * you trust. */
CS_MUST_CHECK cs_status cs_weights_read(const char *path, bool allow_missing, cs_params *params,
                                        cs_weights_report *report);

#endif
