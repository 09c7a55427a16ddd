/* SPDX-License-Identifier: Apache-2.0 */
/* for MAP_ANONYMOUS */
#define _GNU_SOURCE
#include "isolated.h"

#include "cnnsweep/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A sanitizer needs the signals, the standard error and the address space for itself. */
#if defined(__SANITIZE_ADDRESS__)
static const bool sanitized = true;
#elif defined(__has_feature)
static const bool sanitized = __has_feature(address_sanitizer);
#else
static const bool sanitized = false;
#endif

/* The memory that child and parent share. */
typedef struct control {
    bool done; /* all members below are filled */
    cs_status status;
    cs_error error;
    size_t text_size;
    char text[CS_ISOLATED_TEXT_MAX];
} control;

/* Allocates shared memory; NULL when there is none. */
static void *share(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

cs_status cs_shared_alloc(size_t size, const char *what, void *out) {
    void *memory = share(size);
    if (!memory)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for %s (%zu bytes)", what, size);
    *(void **)out = memory;
    return CS_OK;
}

void cs_shared_free(void *memory, size_t size) {
    if (memory)
        munmap(memory, size);
}

cs_limits cs_limits_of(const char *path) {
    enum { SECONDS = 20, WALL_FACTOR = 6, BYTES_A_SECOND = 10 << 20, SLACK = 1 << 30, COPIES = 4 };
    struct stat info;
    size_t size = stat(path, &info) == 0 ? (size_t)info.st_size : 0;
    long seconds = SECONDS + (long)(size / BYTES_A_SECOND);
    return (cs_limits){
        .cpu_seconds = seconds, .wall_seconds = (double)(WALL_FACTOR * seconds), .memory = SLACK + COPIES * size};
}

static void limit(int resource, rlim_t value) {
    /* The hard limit is higher, as the child would get SIGKILL there, which does not give the reason. */
    struct rlimit both = {value, value + 1}, now;
    if (getrlimit(resource, &now) == 0 && (now.rlim_max == RLIM_INFINITY || value < now.rlim_max))
        (void)setrlimit(resource, &both); /* if this limit cannot be set, the one on the elapsed time remains */
}

/* Limits the child's memory to `bytes` more than the parent uses. */
static void limit_memory(size_t bytes) {
    char text[32];
    FILE *size = fopen("/proc/self/statm", "r");
    if (!size)
        return;
    if (fgets(text, sizeof text, size))
        limit(RLIMIT_AS, (rlim_t)strtoul(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE) + (rlim_t)bytes);
    fclose(size);
}

/* Lets the child end with its parent, as a parent that was killed cannot stop a child that hangs. */
static void end_with_parent(pid_t parent) {
#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent)
        _exit(1);
}

/* Prepares the child so that a crash ends it at once and silently; the parent reports it. */
static void prepare_child(pid_t parent, const cs_limits *limits) {
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGXCPU, SIGALRM};
    end_with_parent(parent);
    limit(RLIMIT_CPU, (rlim_t)limits->cpu_seconds);
    limit(RLIMIT_CORE, 0);
    if (sanitized)
        return;
    limit_memory(limits->memory);
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        (void)signal(fatal[i], SIG_DFL);
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0)
        (void)dup2(nowhere, STDERR_FILENO);
}

/* Runs the work. *text is what it wrote, malloc'ed, or NULL when there is no memory for it. */
static cs_status run_work(cs_status (*work)(void *context, FILE *text), void *context, char **text, size_t *size) {
    *text = NULL;
    *size = 0;
    FILE *stream = open_memstream(text, size);
    if (!stream)
        return cs_fail_errno("text");
    cs_status status = work(context, stream);
    if (fclose(stream) != 0 && status == CS_OK)
        status = cs_fail_errno("text");
    return status;
}

static void run_child(cs_status (*work)(void *context, FILE *text), void *context, control *shared) {
    char *text;
    size_t size;
    shared->status = run_work(work, context, &text, &size);
    if (text) {
        shared->text_size = size < CS_ISOLATED_TEXT_MAX ? size : CS_ISOLATED_TEXT_MAX;
        memcpy(shared->text, text, shared->text_size);
    }
    shared->error = *cs_error_last();
    shared->done = true;
}

cs_status cs_not_isolated(cs_status (*work)(void *context, FILE *text), void *context, char **text) {
    size_t size;
    return run_work(work, context, text, &size);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Waits at most `seconds` for the child to end; false if it did not. *how is its wait status, or -1 where the process
 * ignores SIGCHLD. */
static bool wait_for(pid_t child, double seconds, int *how) {
    const long longest = 10 * 1000000L;
    struct timespec pause = {0, 100 * 1000L};
    double end = now() + seconds;
    do {
        pid_t ended = waitpid(child, how, WNOHANG);
        if (ended < 0 && errno != EINTR) {
            *how = -1;
            return true;
        }
        if (ended == child)
            return true;
        nanosleep(&pause, NULL);
        pause.tv_nsec = 2 * pause.tv_nsec < longest ? 2 * pause.tv_nsec : longest;
    } while (now() < end);
    return false;
}

/* Reports how a child ended that did not finish its work, `seconds` after its start. */
static cs_status fail_ended(const char *path, bool in_time, double seconds, int how) {
    static const char damaged[] = "the file is damaged: fetch it again";
    int by = how != -1 && WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    if (!in_time || by == SIGXCPU)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: the HDF5 library hung on it (stopped after %.1f s)", path, seconds),
                       "%s; or its disk does not answer", damaged);
    if (by == SIGKILL)
        return cs_hint(cs_fail(CS_ERR_NO_MEMORY, "%s: the process that read it was killed", path),
                       "the system does so when memory runs short: give the job more, or use fewer ranks a node");
    if (by)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: the HDF5 library crashed on it (%s)", path, strsignal(by)), "%s",
                       damaged);
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: the HDF5 library crashed on it (exit status %d)", path,
                           how == -1 ? -1 : WEXITSTATUS(how)),
                   "%s", damaged);
}

static cs_status collect(const control *shared, char **text) {
    CS_TRY(cs_alloc(shared->text_size + 1, 1, "text", text));
    memcpy(*text, shared->text, shared->text_size);
    return shared->status == CS_OK ? CS_OK : cs_error_restore(&shared->error);
}

/* Waits for the child and kills it if its time is over. A child that is stuck in the kernel (on a network disk that
 * does not answer) cannot even be killed; then it is left running. */
static cs_status end_child(const char *path, const cs_limits *limits, pid_t child, const control *shared, char **text) {
    const double to_die = 5;
    int how = -1, killed;
    double started = now();
    bool in_time = wait_for(child, limits->wall_seconds, &how);
    double seconds = now() - started;
    if (!in_time) {
        kill(child, SIGKILL);
        (void)wait_for(child, to_die, &killed);
    }
    return shared->done ? collect(shared, text) : fail_ended(path, in_time, seconds, how);
}

cs_status cs_isolated(const char *path, cs_limits limits, cs_status (*work)(void *context, FILE *text), void *context,
                      char **text) {
    control *shared = share(sizeof *shared);
    pid_t parent = getpid();
    if (!shared)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for the report on %s", path);
    pid_t child = fork();
    if (child == 0) {
        prepare_child(parent, &limits);
        run_child(work, context, shared);
        _exit(0);
    }
    cs_status status = child < 0 ? cs_fail_errno("%s: cannot start a process to read it", path)
                                 : end_child(path, &limits, child, shared, text);
    cs_shared_free(shared, sizeof *shared);
    return status;
}
