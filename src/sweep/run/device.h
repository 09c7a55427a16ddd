/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the engine of a rank. */
#ifndef CNNSWEEP_SWEEP_DEVICE_H
#define CNNSWEEP_SWEEP_DEVICE_H

#include "cnnsweep/engine.h"
#include "cnnsweep/sweep.h"

/* As the job wants it; of GPUs the one that is this rank's of its node. */
CS_MUST_CHECK cs_status cs_job_open_engine(const cs_job *job, const cs_ranks *ranks, cs_engine **out);

#endif
