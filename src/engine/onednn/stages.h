/* SPDX-License-Identifier: Apache-2.0 */
/* Groups operations into stages, and so decides which tensors are kept and which are scratch. */
#ifndef CNNSWEEP_ONEDNN_STAGES_H
#define CNNSWEEP_ONEDNN_STAGES_H

#include "program.h"

CS_MUST_CHECK cs_status od_stages_plan(od_program *program);
void od_stages_free(od_program *program);

#endif
