/* SPDX-License-Identifier: Apache-2.0 */
/* A trial of a results folder that kept its weights (train.save_weights), with all that is needed to run its network.
 */
#ifndef CNNSWEEP_TRAINED_H
#define CNNSWEEP_TRAINED_H

#include "cnnsweep/file.h"
#include "cnnsweep/job.h"

typedef struct cs_trained {
    cs_trial_config config;         /* as it was trained, except that config.weights is the file that it kept */
    char name[32];                  /* "t003" */
    char options[CS_VALUE_MAX * 2]; /* its swept options: "augment=none lr=0.001"; "" if there are none */
    cs_dataset *stored, *dataset;   /* what it was trained on; the second has the splits of its fold */
    cs_graph *graph;
    cs_params *params;
} cs_trained;

/* Opens a trial of a results folder. `trial` is its name; NULL: the best by the metric of the sweep of those that kept
 * their weights. `data` is the dataset's path; NULL: the path in the journal, which is relative to the folder in which
 * `cnnsweep train` ran. A dataset with other samples than the trial's is CS_ERR_FORMAT. The job file is read for its
 * augmentations, if the trial has any that change the input of its network. */
CS_MUST_CHECK cs_status cs_trained_open(const char *folder, const char *trial, const char *data, cs_trained *out);
void cs_trained_close(cs_trained *trained); /* {0} is closed */
/* Does the results folder have the weights of a trial? */
bool cs_trained_kept_weights(const char *folder, const char *trial);

#endif
