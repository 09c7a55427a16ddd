/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CNNSWEEP_TESTS_COPY_H
#define CNNSWEEP_TESTS_COPY_H

#include "cnnsweep/log.h"

/* Takes the links, logs a warning, sets `level` to the copy's log level and fails. */
typedef cs_status copy_calls(const cs_base_links *links, cs_log_level *level);

#endif
