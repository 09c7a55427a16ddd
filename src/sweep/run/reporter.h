/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the reporter, a thread of rank 0 that shows every second what the ranks train (display.h), and
 * keeps it in progress.json every other second. The steps of a trainer thus wait for neither a terminal nor a file. */
#ifndef CNNSWEEP_REPORTER_H
#define CNNSWEEP_REPORTER_H

#include "coordinator.h"

typedef struct cs_reporter cs_reporter;
/* Both are borrowed. */
CS_MUST_CHECK cs_status cs_reporter_open(cs_coordinator *coordinator, const char *folder, cs_reporter **out);
/* Ends the thread and removes progress.json. NULL-safe. */
void cs_reporter_close(cs_reporter *reporter);

#endif
