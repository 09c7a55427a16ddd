/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines and progress bars, on stderr. Tables and results go to stdout and never through here. */
#ifndef CNNSWEEP_LOG_H
#define CNNSWEEP_LOG_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum cs_log_level { CS_LOG_ERROR, CS_LOG_WARN, CS_LOG_INFO, CS_LOG_DEBUG } cs_log_level;

/* Level from the environment CNNSWEEP_LOG (error|warn|info|debug), default info. */
void cs_log_set_level(cs_log_level level);
cs_log_level cs_log_get_level(void);

/* A prefix for every line of this process, such as "[rank 1] "; copied, at most 31 bytes. */
void cs_log_set_prefix(const char *prefix);

/* One line; the newline is added. Lines from several threads do not mix. */
void cs_log(cs_log_level level, const char *fmt, ...) CS_PRINTF(2, 3);

/* Prints this thread's last error: "error: <text>", then "  hint: <hint>" and, at debug level, the place. */
void cs_log_error_last(void);

/* A progress bar with rate and time left, redrawn at most ten times a second; nothing when stderr is no terminal.
 * Thread-safe. `unit` is plural ("images"). */
typedef struct cs_progress cs_progress;
CS_MUST_CHECK cs_status cs_progress_open(const char *label, const char *unit, int64_t total, cs_progress **out);
void cs_progress_add(cs_progress *progress, int64_t done);
void cs_progress_close(cs_progress *progress); /* NULL-safe; ends the line */

/* What a shared object with a copy of this room takes from the program that opens it, so that there is one of each:
 * where a thread's last error is, and how a line is logged. */
typedef struct cs_base_links {
    cs_error *(*last_error)(void);
    void (*log_line)(cs_log_level level, const char *line);
    cs_log_level (*log_level)(void);
} cs_base_links;
const cs_base_links *cs_base_links_own(void);
void cs_base_links_take(const cs_base_links *links); /* before anything else of the room is called */

/* Seconds on the monotonic clock. */
double cs_now(void);

#endif
