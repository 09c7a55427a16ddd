/* SPDX-License-Identifier: Apache-2.0 */
/* The state that a process must have only once. This is the lowest file of the room and calls none of the others. */
#include "links.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static cs_log_level log_level = CS_LOG_INFO;
static bool level_known;
static char log_prefix[32];

static const char *const level_names[] = {
    [CS_LOG_ERROR] = "error", [CS_LOG_WARN] = "warn", [CS_LOG_INFO] = "info", [CS_LOG_DEBUG] = "debug"};

static cs_error *own_error(void) {
    static _Thread_local cs_error last_error;
    return &last_error;
}

static void own_log_line(cs_log_level level, const char *line) {
    pthread_mutex_lock(&log_lock);
    fputs(log_prefix, stderr);
    if (level != CS_LOG_INFO)
        fprintf(stderr, "%s: ", level_names[level]);
    fprintf(stderr, "%s\n", line);
    pthread_mutex_unlock(&log_lock);
}

static cs_log_level own_log_level(void) {
    if (!level_known) {
        const char *wanted = getenv("CNNSWEEP_LOG");
        for (int i = 0; wanted && i <= CS_LOG_DEBUG; i++)
            if (strcmp(wanted, level_names[i]) == 0)
                log_level = (cs_log_level)i;
        level_known = true;
    }
    return log_level;
}

void cs_log_set_level(cs_log_level level) {
    log_level = level;
    level_known = true;
}

void cs_log_set_prefix(const char *prefix) {
    snprintf(log_prefix, sizeof log_prefix, "%s", prefix);
}

static const cs_base_links own = {own_error, own_log_line, own_log_level};
const cs_base_links *cs_links = &own;

const cs_base_links *cs_base_links_own(void) {
    return &own;
}

void cs_base_links_take(const cs_base_links *links) {
    cs_links = links;
}
