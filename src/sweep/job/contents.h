/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what the files that a job names hold. */
#ifndef CNNSWEEP_CONTENTS_H
#define CNNSWEEP_CONTENTS_H

#include "cnnsweep/job.h"

/* Sets weights_checksum of every trial; reads each file once. Of a file that cannot be read it stays 0: the plan, which
 * reads it too, has more to say of what is wrong with it. */
CS_MUST_CHECK cs_status cs_job_read_contents(cs_job *job);
/* Do the dataset and the weights files hold that here, too? Reads each file once. */
CS_MUST_CHECK cs_status cs_job_check_contents(const cs_job *job);

#endif
