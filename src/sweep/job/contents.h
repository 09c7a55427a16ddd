/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the checksums of the files that a job names. */
#ifndef CNNSWEEP_CONTENTS_H
#define CNNSWEEP_CONTENTS_H

#include "cnnsweep/job.h"

/* Sets weights_checksum of every trial, and reads each file once. The checksum of a file that cannot be read stays 0:
 * the plan also reads the file and gives a better error. */
CS_MUST_CHECK cs_status cs_job_read_contents(cs_job *job);
/* Sets weights_checksum of one trial, whose file is read only if no other trial has it. */
void cs_job_read_content(cs_job *job, int trial);
/* Checks that the dataset and the weights files have those checksums on this rank too. Reads each file once. */
CS_MUST_CHECK cs_status cs_job_check_contents(const cs_job *job);

#endif
