/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the base room: where its files find this thread's last error and the log, which there must be one of in a
 * process, even if the process holds several copies of the room. */
#ifndef CNNSWEEP_BASE_LINKS_H
#define CNNSWEEP_BASE_LINKS_H

#include "cnnsweep/log.h"

/* Those that the program handed to this copy of the room, or this copy's own. */
extern const cs_base_links *cs_links;

#endif
