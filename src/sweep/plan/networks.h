/* Inside the sweep room: the distinct networks of a job, what each asks for and how fast this machine runs it. */
#ifndef CNNSWEEP_NETWORKS_H
#define CNNSWEEP_NETWORKS_H

#include "cnnsweep/cost.h"
#include "cnnsweep/job.h"

typedef struct cs_network {
    int trial; /* the first that has it */
    cs_work work;
    cs_rates rates;
    double seconds; /* of its trials one by one, by the default rates */
} cs_network;

typedef struct cs_networks {
    const cs_job *job;         /* borrowed */
    const cs_dataset *dataset; /* borrowed */
    cs_engine *engine;         /* borrowed */
    cs_network *items;
    int n;
    int *of;       /* [n_trials] index of its network */
    bool measured; /* the rates are this machine's */
} cs_networks;

/* Finds them (`networks` zeroed but for what is borrowed), builds each with its weights as its trials will, and so
 * finds what would fail in every trial. Rates are those of an ordinary CPU. Cleared by the caller, also on failure. */
CS_MUST_CHECK cs_status cs_networks_open(cs_networks *networks, int threads);
/* Measures the rates of those that take longest, for a second or two, less where `seconds` are soon over. What cannot
 * be measured keeps the rates it has. */
void cs_networks_measure(cs_networks *networks, double seconds);
void cs_networks_clear(cs_networks *networks);

#endif
