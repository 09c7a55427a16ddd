/* SPDX-License-Identifier: Apache-2.0 */
/* Sets a breakpoint in a program, so that a test need not guess when the program reaches that point. A program that is
 * started with this library in LD_PRELOAD has its calls of write, open and rename counted:
 *
 * CNNSWEEP_TEST_BREAKPOINT="CALL TEXT N" says where the breakpoint is. "write TEXT N": after the Nth write whose first
 * 64 bytes contain TEXT. "open TEXT N": after the Nth file whose name contains TEXT was opened. "rename TEXT N": before
 * the Nth rename of a file whose name contains TEXT.
 *
 * CNNSWEEP_TEST_STOP="BYTES FILE" stops the program at the breakpoint: it appends a byte to FILE and goes on when FILE
 * has that many BYTES, or when a signal has come that the program handles. With BYTES 2, a test sees by the first byte
 * that the program is stopped, and appends the second one to let it go on; if the program is started again, it does not
 * stop again. With one byte for each rank, the ranks wait for each other.
 *
 * CNNSWEEP_TEST_CLOCK=SECONDS: from the breakpoint on, the clock is that many seconds ahead. */
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
        abort(); /* otherwise the test would wait for ever */
    return file;
}

/* Gives up after ten minutes: if the test has died, nobody lets this program go on. */
static void stop(const char *how) {
    const struct timespec pause = {.tv_nsec = 2 * 1000000L};
    const int most_pauses = 10 * 60 * 500;
    long bytes;
    int path = 0;
    if (sscanf(how, "%ld %n", &bytes, &path) < 1)
        abort();
    int file = append_a_byte(how + path);
    for (int i = 0; lseek(file, 0, SEEK_END) < bytes && !atomic_load(&signalled); i++) {
        if (i == most_pauses)
            abort();
        nanosleep(&pause, NULL);
    }
    close(file);
}

static void count(void) {
    const char *how = getenv("CNNSWEEP_TEST_STOP"), *clock = getenv("CNNSWEEP_TEST_CLOCK");
    int wanted = 0;
    if (sscanf(getenv("CNNSWEEP_TEST_BREAKPOINT"), "%*s %*s %d", &wanted) != 1)
        abort();
    if (atomic_fetch_add(&seen, 1) + 1 != wanted)
        return;
    if (clock)
        atomic_store(&seconds_ahead, atol(clock));
    if (how)
        stop(how);
}

/* Does the breakpoint count this call? */
static bool is_counted(const char *call, const char *on, size_t size) {
    const char *where = getenv("CNNSWEEP_TEST_BREAKPOINT");
    char wanted[16], text[64];
    return where && sscanf(where, "%15s %63s", wanted, text) == 2 && strcmp(wanted, call) == 0 &&
           memmem(on, size, text, strlen(text));
}

ssize_t write(int file, const void *bytes, size_t size) {
    ssize_t written = syscall(SYS_write, file, bytes, size);
    if (is_counted("write", bytes, size < BEGINNING ? size : BEGINNING))
        count();
    return written;
}

int rename(const char *from, const char *to) {
    if (is_counted("rename", from, strlen(from)))
        count();
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (file >= 0 && is_counted("open", path, strlen(path)))
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

/* The C library's sigaction. dlsym would require a recent C library, but tests/gpu_bundle.sh takes this one to machines
 * that may have an older one. */
int __sigaction(int number, const struct sigaction *action, struct sigaction *before);

/* Wraps the program's handler in note, which also records that a signal has come. */
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
