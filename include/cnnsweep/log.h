/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines and progress bars, on stderr. Tables and results are written to stdout and not by these functions. */
#ifndef CNNSWEEP_LOG_H
#define CNNSWEEP_LOG_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum cs_log_level { CS_LOG_ERROR, CS_LOG_WARN, CS_LOG_INFO, CS_LOG_DEBUG } cs_log_level;

/* Sets the level; lines of lesser importance are not printed. Until then the environment variable CNNSWEEP_LOG
 * (error|warn|info|debug) gives it; the default is info. */
void cs_log_set_level(cs_log_level level);
cs_log_level cs_log_get_level(void);

/* Sets a prefix for every line of this process, such as "[rank 1] ". It is copied; at most 31 bytes are kept. */
void cs_log_set_prefix(const char *prefix);

/* Prints one line and adds the newline. Lines of several threads do not mix. */
void cs_log(cs_log_level level, const char *fmt, ...) CS_PRINTF(2, 3);

/* Prints this thread's last error: "error: <text>", then " hint: <hint>" and, at debug level, the file and line that
 * raised it. */
void cs_log_error_last(void);

/* A progress bar with the rate and the time left, redrawn at most ten times a second. It prints nothing when stderr is
 * no terminal. It is thread-safe. `unit` is a plural ("images"). */
typedef struct cs_progress cs_progress;
CS_MUST_CHECK cs_status cs_progress_open(const char *label, const char *unit, int64_t total, cs_progress **out);
void cs_progress_add(cs_progress *progress, int64_t done);
void cs_progress_close(cs_progress *progress); /* NULL-safe; ends the line */

/* A shared object that was linked with its own copy of src/base takes these functions from the program that opens it,
 * so that the process has one last error a thread and one log. */
typedef struct cs_base_links {
    cs_error *(*last_error)(void);
    void (*log_line)(cs_log_level level, const char *line);
    cs_log_level (*log_level)(void);
} cs_base_links;
const cs_base_links *cs_base_links_own(void);
void cs_base_links_take(const cs_base_links *links); /* before any other function of src/base is called */

/* Seconds on the monotonic clock. */
double cs_now(void);
/* Seconds since 1970. */
double cs_wall_seconds(void);

#endif
