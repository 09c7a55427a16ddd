/* MAP_ANONYMOUS */
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CS_ISOLATED_SECONDS
#define CS_ISOLATED_SECONDS 20 /* of the processor; the reading itself comes on top */
#endif
enum { WALL_FACTOR = 6, BYTES_A_SECOND = 10 << 20, TEXT_MAX = 4 << 20 };

/* A sanitizer wants the signals, the standard error and the address space for itself. */
#if defined(__SANITIZE_ADDRESS__)
static const bool sanitized = true;
#elif defined(__has_feature)
static const bool sanitized = __has_feature(address_sanitizer);
#else
static const bool sanitized = false;
#endif

/* What child and parent share. */
typedef struct control {
    bool done; /* all below is filled */
    cs_status status;
    cs_error error;
    size_t text_size;
    char text[TEXT_MAX];
} control;

/* NULL when there is none. */
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

static long seconds_for(const char *path) {
    struct stat info;
    return CS_ISOLATED_SECONDS + (stat(path, &info) == 0 ? (long)(info.st_size / BYTES_A_SECOND) : 0);
}

static void limit(int resource, rlim_t value) {
    struct rlimit both = {value, value + 1}, now; /* at the upper one SIGKILL would come, which says less */
    if (getrlimit(resource, &now) == 0 && (now.rlim_max == RLIM_INFINITY || value < now.rlim_max))
        (void)setrlimit(resource, &both); /* a limit that cannot be set leaves the one on the clock */
}

/* The parent's size and as much again as an honest file of this size could want. */
static void limit_memory(const char *path) {
    enum { SLACK = 1 << 30 };
    struct stat info;
    char text[32];
    FILE *size = fopen("/proc/self/statm", "r");
    if (!size)
        return;
    if (fgets(text, sizeof text, size) && stat(path, &info) == 0)
        limit(RLIMIT_AS,
              (rlim_t)strtoul(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE) + SLACK + 4 * (rlim_t)info.st_size);
    fclose(size);
}

/* A crash shall end the child at once and in silence: the parent tells of it. */
static void prepare_child(const char *path, long seconds) {
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGXCPU, SIGALRM};
    limit(RLIMIT_CPU, (rlim_t)seconds);
    limit(RLIMIT_CORE, 0);
    if (sanitized)
        return;
    limit_memory(path);
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        (void)signal(fatal[i], SIG_DFL);
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0)
        (void)dup2(nowhere, STDERR_FILENO);
}

static void run_child(cs_status (*work)(void *context, FILE *text), void *context, control *shared) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    cs_status status = stream ? work(context, stream) : cs_fail_errno("text");
    if (stream && fclose(stream) != 0 && status == CS_OK)
        status = cs_fail_errno("text");
    if (stream && text) {
        shared->text_size = size < TEXT_MAX ? size : TEXT_MAX;
        memcpy(shared->text, text, shared->text_size);
    }
    shared->status = status;
    shared->error = *cs_error_last();
    shared->done = true;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Waits for the child and buries it. *how is its wait status, -1 where the process ignores SIGCHLD. False: time is up.
 */
static bool wait_for(pid_t child, double seconds, int *how) {
    const long longest = 10 * 1000000L;
    struct timespec pause = {0, 100 * 1000L};
    double end = now() + seconds;
    for (;;) {
        pid_t ended = waitpid(child, how, WNOHANG);
        if (ended < 0 && errno != EINTR) {
            *how = -1;
            return true;
        }
        if (ended == child)
            return true;
        if (now() > end)
            break;
        nanosleep(&pause, NULL);
        pause.tv_nsec = 2 * pause.tv_nsec < longest ? 2 * pause.tv_nsec : longest;
    }
    kill(child, SIGKILL);
    while (waitpid(child, how, 0) < 0 && errno == EINTR)
        continue;
    return false;
}

static cs_status fail_crashed(const char *path, bool in_time, long seconds, int how) {
    bool hung = !in_time || (how != -1 && WIFSIGNALED(how) && WTERMSIG(how) == SIGXCPU);
    cs_status status;
    if (hung)
        status = cs_fail(CS_ERR_FORMAT, "%s: the HDF5 library hung on it (for %ld s): damaged", path, seconds);
    else if (how != -1 && WIFSIGNALED(how))
        status =
            cs_fail(CS_ERR_FORMAT, "%s: the HDF5 library crashed on it (%s): damaged", path, strsignal(WTERMSIG(how)));
    else
        status = cs_fail(CS_ERR_FORMAT, "%s: the HDF5 library crashed on it (exit status %d): damaged", path,
                         how == -1 ? -1 : WEXITSTATUS(how));
    return cs_hint(status, "fetch the file again");
}

static cs_status collect(const control *shared, char **text) {
    CS_TRY(cs_alloc(shared->text_size + 1, 1, "text", text));
    memcpy(*text, shared->text, shared->text_size);
    return shared->status == CS_OK ? CS_OK : cs_error_restore(&shared->error);
}

cs_status cs_isolated(const char *path, cs_status (*work)(void *context, FILE *text), void *context, char **text) {
    control *shared = share(sizeof *shared);
    int how = 0;
    long seconds = seconds_for(path);
    cs_status status = CS_OK;
    if (!shared)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for the report on %s", path);
    pid_t child = fork();
    if (child == 0) {
        prepare_child(path, seconds);
        run_child(work, context, shared);
        _exit(0);
    }
    if (child < 0) {
        status = cs_fail_errno("%s: cannot start a process to read it", path);
    } else {
        bool in_time = wait_for(child, (double)(WALL_FACTOR * seconds), &how);
        status = shared->done ? collect(shared, text) : fail_crashed(path, in_time, seconds, how);
    }
    cs_shared_free(shared, sizeof *shared);
    return status;
}
