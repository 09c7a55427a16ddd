/* SPDX-License-Identifier: Apache-2.0 */
#include "links.h"

#include "cnnsweep/memory.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 }; /* longer lines are cut off */

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double cs_now(void) {
    return seconds_of(CLOCK_MONOTONIC);
}

double cs_wall_seconds(void) {
    return seconds_of(CLOCK_REALTIME);
}

cs_log_level cs_log_get_level(void) {
    return cs_links->log_level();
}

void cs_log(cs_log_level level, const char *fmt, ...) {
    if (level > cs_log_get_level())
        return;
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    cs_links->log_line(level, line);
}

void cs_log_error_last(void) {
    const cs_error *error = cs_error_last();
    cs_log(CS_LOG_ERROR, "%s", error->text);
    if (error->hint[0])
        cs_log(CS_LOG_INFO, "  hint: %s", error->hint);
    cs_log(CS_LOG_DEBUG, "raised at %s (%s)", error->where, cs_status_name(error->code));
}

struct cs_progress {
    char label[64];
    char unit[16];
    int64_t total, done;
    double started, drawn;
    bool terminal;
    pthread_mutex_t lock;
};

cs_status cs_progress_open(const char *label, const char *unit, int64_t total, cs_progress **out) {
    cs_progress *progress = NULL;
    CS_TRY(cs_alloc(1, sizeof *progress, "progress", &progress));
    snprintf(progress->label, sizeof progress->label, "%s", label);
    snprintf(progress->unit, sizeof progress->unit, "%s", unit);
    progress->total = total;
    progress->started = cs_now();
    progress->terminal = isatty(STDERR_FILENO);
    pthread_mutex_init(&progress->lock, NULL);
    *out = progress;
    return CS_OK;
}

static void progress_draw(const cs_progress *progress, double now) {
    enum { WIDTH = 30 };
    double elapsed = now - progress->started;
    double rate = elapsed > 0 ? (double)progress->done / elapsed : 0;
    double left = rate > 0 ? (double)(progress->total - progress->done) / rate : 0;
    int filled = progress->total > 0 ? (int)(WIDTH * progress->done / progress->total) : WIDTH;
    static const char bar[] = "##############################";
    fprintf(stderr, "\r%s [%-*.*s] %lld/%lld  %.0f %s/s  %02d:%02d left ", progress->label, WIDTH, filled, bar,
            (long long)progress->done, (long long)progress->total, rate, progress->unit, (int)left / 60,
            (int)left % 60);
}

void cs_progress_add(cs_progress *progress, int64_t done) {
    const double redraw_interval = 0.1;
    pthread_mutex_lock(&progress->lock);
    progress->done += done;
    double now = cs_now();
    if (progress->terminal && now - progress->drawn >= redraw_interval) {
        progress->drawn = now;
        progress_draw(progress, now);
    }
    pthread_mutex_unlock(&progress->lock);
}

void cs_progress_close(cs_progress *progress) {
    if (!progress)
        return;
    if (progress->terminal) {
        progress_draw(progress, cs_now());
        fputc('\n', stderr);
    }
    pthread_mutex_destroy(&progress->lock);
    free(progress);
}
