/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the base room: where its files find this thread's last error and the log. A process must have only one of
 * each, even if it contains several copies of the room. */
#ifndef CNNSWEEP_BASE_LINKS_H
#define CNNSWEEP_BASE_LINKS_H

#include "cnnsweep/log.h"

/* The functions that the program passed to this copy of the room, or else this copy's own. */
extern const cs_base_links *cs_links;

#endif
