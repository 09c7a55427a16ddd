/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: paths as people write them in a job file. */
#ifndef CNNSWEEP_EXPAND_H
#define CNNSWEEP_EXPAND_H

#include "cnnsweep/status.h"

/* Writes the path with the home directory in place of a ~/ at its beginning, and with the value of each $NAME and
 * ${NAME}, as Python's os.path.expanduser and expandvars do; $$ is one $. A variable that is not set is an error. */
CS_MUST_CHECK cs_status cs_expand_path(const char *text, char *out, size_t size);

#endif
