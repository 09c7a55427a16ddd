/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the named augmentations of a job file. */
#ifndef CNNSWEEP_AUGMENTATIONS_H
#define CNNSWEEP_AUGMENTATIONS_H

#include "cnnsweep/job.h"
#include "node.h"

/* Reads the map under augmentations:. NULL: only "none" exists. */
CS_MUST_CHECK cs_status cs_augmentations_read(const cs_node *map, cs_augmentations *out);
void cs_augmentations_clear(cs_augmentations *augmentations);
/* Sets the augmentations of a trial by their names. An unknown name is CS_ERR_ARG with "did you mean". */
CS_MUST_CHECK cs_status cs_augmentations_resolve(const cs_augmentations *augmentations, cs_trial_config *trial);

/* augment_parameters.c: read parameter k of a step, and its probability. */
CS_MUST_CHECK cs_status cs_augment_read_parameter(const cs_node *value, int k, cs_augment_step *step);
CS_MUST_CHECK cs_status cs_augment_read_p(const cs_node *value, cs_augment_step *step);

#endif
