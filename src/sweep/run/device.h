/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: opens the engine of a rank. */
#ifndef CNNSWEEP_SWEEP_DEVICE_H
#define CNNSWEEP_SWEEP_DEVICE_H

#include "cnnsweep/engine.h"
#include "cnnsweep/sweep.h"

/* Opens the engine that the job asks for. On a node with several GPUs each rank gets its own. */
CS_MUST_CHECK cs_status cs_job_open_engine(const cs_job *job, const cs_ranks *ranks, cs_engine **out);

#endif
