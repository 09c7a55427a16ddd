/* SPDX-License-Identifier: Apache-2.0 */
#include "reporter.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "no_fork.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { TICK_MS = 1000, TICKS_PER_FILE = 2 };

struct cs_reporter {
    cs_coordinator *coordinator;
    const char *folder;
    int wake[2]; /* a pipe; the thread ends when its second end is closed */
    pthread_t thread;
    bool failed; /* a file could not be written: the user was told */
};

/* The file is only for looking at, so the sweep goes on without it. */
static void write_file(cs_reporter *reporter, const cs_progress_file *progress) {
    if (cs_progress_file_write(reporter->folder, progress) == CS_OK || reporter->failed)
        return;
    cs_log(CS_LOG_WARN, "%s: `cnnsweep status` will not show what is being trained", cs_error_last()->text);
    reporter->failed = true;
}

static void tick(cs_reporter *reporter, bool write) {
    cs_progress_file progress;
    cs_status status = cs_coordinator_look(reporter->coordinator, &progress);
    if (status == CS_OK && write)
        write_file(reporter, &progress);
    cs_progress_file_clear(&progress);
}

/* poll counts its time by itself, so that a clock that is set, or that a test sets, does not matter. */
static void *run(void *argument) {
    cs_reporter *reporter = argument;
    struct pollfd woken = {.fd = reporter->wake[0], .events = POLLIN};
    for (unsigned n = 0;; n++) {
        cs_no_fork_begin();
        tick(reporter, n % TICKS_PER_FILE == 0);
        cs_no_fork_end();
        if (poll(&woken, 1, TICK_MS) > 0)
            return NULL;
    }
}

cs_status cs_reporter_open(cs_coordinator *coordinator, const char *folder, cs_reporter **out) {
    cs_reporter *reporter = NULL;
    cs_no_fork_init();
    CS_TRY(cs_alloc(1, sizeof *reporter, "reporter", &reporter));
    reporter->coordinator = coordinator;
    reporter->folder = folder;
    if (pipe(reporter->wake) != 0) {
        free(reporter);
        return cs_fail_errno("cannot make a pipe");
    }
    if (pthread_create(&reporter->thread, NULL, run, reporter) != 0) {
        close(reporter->wake[0]);
        close(reporter->wake[1]);
        free(reporter);
        return cs_fail(CS_ERR_NO_MEMORY, "cannot start the thread that reports progress");
    }
    *out = reporter;
    return CS_OK;
}

void cs_reporter_close(cs_reporter *reporter) {
    if (!reporter)
        return;
    /* A byte, and not only the end of the pipe: a child process may have it open too. */
    if (write(reporter->wake[1], "", 1) != 1)
        cs_log(CS_LOG_WARN, "cannot end the thread that reports progress at once");
    close(reporter->wake[1]);
    pthread_join(reporter->thread, NULL);
    close(reporter->wake[0]);
    if (cs_progress_file_remove(reporter->folder) != CS_OK)
        cs_log(CS_LOG_WARN, "%s", cs_error_last()->text);
    free(reporter);
}
