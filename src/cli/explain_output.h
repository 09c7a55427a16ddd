/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the command line: the files that `cnnsweep explain` writes for a network. */
#ifndef CNNSWEEP_EXPLAIN_OUTPUT_H
#define CNNSWEEP_EXPLAIN_OUTPUT_H

#include "explain_network.h"

#include <stdio.h>

/* What was found out of a batch of images [n]. */
typedef struct cs_explained {
    int first, n;           /* their numbers among all images */
    const char *const *ids; /* [n] */
    const uint8_t *pixels;  /* [n,H,W,3] */
    const int32_t *truth;   /* [n] the true classes; -1: not known */
    const int32_t *classes; /* [n] that are explained */
    const float *logits;    /* [n,K] */
} cs_explained;

typedef struct cs_output_spec {
    const char *folder;
    const cs_network *network;
    const cs_explain_method *const *methods; /* [n_methods] */
    int n_methods;
    int n_images;
    cs_colormap colours;
} cs_output_spec;

/* Writes maps.h5, with an array for each method, ids, classes and logits; explained.csv; and for each image and method
 * <image>.<method>.png, the picture with the map over it, and <image>.<method>.map.png, the map alone. */
typedef struct cs_output cs_output;
CS_MUST_CHECK cs_status cs_output_open(const cs_output_spec *spec, cs_output **out);
/* Writes what does not depend on the method. */
CS_MUST_CHECK cs_status cs_output_images(cs_output *output, const cs_explained *batch);
/* Writes the raw maps of a method, and draws them. `overlays` [n,H,W,3] gets the pictures. */
CS_MUST_CHECK cs_status cs_output_maps(cs_output *output, const cs_explained *batch, int method, const float *maps,
                                       uint8_t *overlays);
CS_MUST_CHECK cs_status cs_output_commit(cs_output **output); /* frees and clears, also on failure */
void cs_output_abort(cs_output **output);                     /* NULL-safe */

/* Writes an image as a PNG. */
CS_MUST_CHECK cs_status cs_write_png(const char *path, const cs_image *image);
/* The name of an image's files without ending: its number, and of its id the last part, in letters that every file
 * system has: "0007_lesion_12". */
void cs_image_stem(int number, const char *id, char out[CS_NAME_MAX * 2]);

#endif
