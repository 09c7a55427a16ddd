/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a moment of a program happen, so that no test has to meet it. LD_PRELOAD of this counts calls of the program:
 *
 * CNNSWEEP_TEST_AT="CALL TEXT N" says which moment: after the Nth write whose beginning has TEXT, after the Nth file
 * was opened whose name has it, or before the Nth rename of one.
 *
 * CNNSWEEP_TEST_HOLD="BYTES FILE": then a byte is appended to FILE, and the call does not return before FILE has so
 * many BYTES or a signal has come that the program handles. With 2 a test sees that the program stands still, and lets
 * it go on by a byte of its own; a program that is started again does not stand still again. With as many as there are
 * ranks they wait for each other.
 *
 * CNNSWEEP_TEST_CLOCK=SECONDS: from then on the clock tells so much more. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SIGNALS = 65, BEGINNING = 64 };

static atomic_bool signalled;
static atomic_int seen;
static atomic_long seconds_ahead;
static void (*handlers[SIGNALS])(int);

static int append_a_byte(const char *path) {
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_APPEND, 0666);
    if (file < 0 || syscall(SYS_write, file, ".", 1) != 1)
        abort(); /* the test would wait for ever */
    return file;
}

/* A test that died must leave no program behind. */
static void stand_still(const char *how) {
    const struct timespec pause = {.tv_nsec = 2 * 1000000L};
    const int most_naps = 10 * 60 * 500;
    long bytes;
    int path = 0;
    if (sscanf(how, "%ld %n", &bytes, &path) < 1)
        abort();
    int file = append_a_byte(how + path);
    for (int i = 0; lseek(file, 0, SEEK_END) < bytes && !atomic_load(&signalled); i++) {
        if (i == most_naps)
            abort();
        nanosleep(&pause, NULL);
    }
    close(file);
}

static void count(void) {
    const char *hold = getenv("CNNSWEEP_TEST_HOLD"), *clock = getenv("CNNSWEEP_TEST_CLOCK");
    int wanted = 0;
    if (sscanf(getenv("CNNSWEEP_TEST_AT"), "%*s %*s %d", &wanted) != 1)
        abort();
    if (atomic_fetch_add(&seen, 1) + 1 != wanted)
        return;
    if (clock)
        atomic_store(&seconds_ahead, atol(clock));
    if (hold)
        stand_still(hold);
}

/* Is it a call of this kind on something with that text? */
static bool is_meant(const char *call, const char *on, size_t size) {
    const char *at = getenv("CNNSWEEP_TEST_AT");
    char wanted[16], text[64];
    return at && sscanf(at, "%15s %63s", wanted, text) == 2 && strcmp(wanted, call) == 0 &&
           memmem(on, size, text, strlen(text));
}

ssize_t write(int file, const void *bytes, size_t size) {
    ssize_t written = syscall(SYS_write, file, bytes, size);
    if (is_meant("write", bytes, size < BEGINNING ? size : BEGINNING))
        count();
    return written;
}

int rename(const char *from, const char *to) {
    if (is_meant("rename", from, strlen(from)))
        count();
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (file >= 0 && is_meant("open", path, strlen(path)))
        count();
    return file;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int code = (int)syscall(SYS_clock_gettime, clock, now);
    now->tv_sec += atomic_load(&seconds_ahead);
    return code;
}

static void note(int number) {
    handlers[number](number);
    atomic_store(&signalled, true);
}

static bool is_handler(const struct sigaction *action) {
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* The C library's own; dlsym would tie this to a recent one, and a bundle for GPUs (tests/gpu_bundle.sh) goes anywhere.
 */
int __sigaction(int number, const struct sigaction *action, struct sigaction *before);

/* Handlers of the program run through note. */
int sigaction(int number, const struct sigaction *action, struct sigaction *before) {
    if (number < 1 || number >= SIGNALS)
        return __sigaction(number, action, before);
    void (*handler_before)(int) = handlers[number];
    struct sigaction noted;
    if (action && is_handler(action) && action->sa_handler != note) {
        noted = *action;
        handlers[number] = action->sa_handler;
        noted.sa_handler = note;
        action = &noted;
    }
    int code = __sigaction(number, action, before);
    if (code == 0 && before && is_handler(before) && before->sa_handler == note)
        before->sa_handler = handler_before;
    return code;
}
