/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the command line: a network that `cnnsweep explain` explains, and its images. */
#ifndef CNNSWEEP_EXPLAIN_NETWORK_H
#define CNNSWEEP_EXPLAIN_NETWORK_H

#include "cnnsweep/explain.h"
#include "cnnsweep/trained.h"
#include "cnnsweep/trial_input.h"
#include "model_args.h"

/* Which network. */
typedef struct cs_network_args {
    const char *trial, *data, *arch, *layer;
    cs_model_args model; /* with `arch` */
    int batch;
} cs_network_args;

typedef struct cs_network {
    char label[CS_NAME_MAX * 2]; /* for messages and folders: "cifar-t003", "mobilenet" */
    cs_trained trained;          /* of a results folder */
    cs_trial_config config;
    cs_graph *graph;     /* the trained one's, or own */
    cs_params *params;   /* likewise */
    cs_dataset *dataset; /* likewise; NULL: there is none */
    bool bgr;            /* the first channel of its input is blue */
    cs_trial_input *input;
    cs_explainer *explainer;
} cs_network;

/* Is this operand a results folder or a file of weights, and not an image? */
bool cs_is_network(const char *operand);
/* After a failure the caller still closes it. */
CS_MUST_CHECK cs_status cs_network_open(const char *operand, const cs_network_args *args, cs_engine *engine,
                                        cs_network *out);
void cs_network_close(cs_network *network);

int cs_network_classes(const cs_network *network);
/* The name of a class, or its number, which is written to `number`, where there is no dataset. */
const char *cs_network_class(const cs_network *network, int class, char number[16]);
/* Finds a class by its name or number. */
CS_MUST_CHECK cs_status cs_network_find_class(const cs_network *network, const char *name, int32_t *out);

#endif
