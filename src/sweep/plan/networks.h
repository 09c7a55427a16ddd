/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the distinct networks of a job, the work that each needs, and how fast this machine does it.
 */
#ifndef CNNSWEEP_NETWORKS_H
#define CNNSWEEP_NETWORKS_H

#include "cnnsweep/cost.h"
#include "cnnsweep/job.h"

typedef struct cs_network {
    int trial; /* the first trial that trains this network */
    cs_work work;
    cs_rates rates;
    double seconds; /* that all its trials take if trained one by one, by the default rates */
} cs_network;

typedef struct cs_networks {
    const cs_job *job;         /* borrowed */
    const cs_dataset *dataset; /* borrowed */
    cs_engine *engine;         /* borrowed */
    cs_network *items;
    int n;
    int *of;       /* [n_trials] the index in `items` of each trial's network */
    bool measured; /* the rates were measured on this machine */
} cs_networks;

/* Finds the networks and builds each with its weights, as its trials will do later: a network that cannot be built
 * fails here, before anything is trained. The rates are those of an ordinary CPU. The caller sets the borrowed members,
 * zeroes the others, and calls cs_networks_clear in the end, also after a failure. */
CS_MUST_CHECK cs_status cs_networks_open(cs_networks *networks, int threads);
/* Measures the rates of the networks that take longest, for a second or two, or less if the whole sweep (`seconds`) is
 * short. A network that cannot be measured keeps its rates. */
void cs_networks_measure(cs_networks *networks, double seconds);
void cs_networks_clear(cs_networks *networks);

#endif
