/* SPDX-License-Identifier: Apache-2.0 */
/* A libFuzzer harness: reads any bytes as an HDF5 file, as users do, in a child process that reads many files before it
 * is replaced.
 *
 * HDF5 has faults of its own: when it crashes or hangs, only the child ends. An error is ours if the innermost frame
 * that is either in instrumented code, which is ours, or in HDF5 is in ours. An error of ours ends the campaign. */
#define _GNU_SOURCE /* dladdr, MAP_ANONYMOUS */
#include "hdf5_reader.h"
#include "scratch.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <hdf5.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OURS = 77, HDF5_S_OWN = 3, MOST_INPUTS = 1000, SECONDS = 1, MOST_COUNTERS = 1 << 16 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
const char *__asan_default_options(void);
void __asan_on_error(void);

const char *__asan_default_options(void) {
    return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_abort=0:handle_sigill=0:allocator_may_return_null=1:"
           "max_allocation_size_mb=1024:detect_leaks=0";
}

/* Addresses and flags of all instrumented blocks; the linker keeps our code together. */
extern const uintptr_t __start___sancov_pcs[], __stop___sancov_pcs[];

static bool is_ours(const void *frame) {
    static uintptr_t first = UINTPTR_MAX, last;
    for (const uintptr_t *pc = __start___sancov_pcs; last == 0 && pc < __stop___sancov_pcs; pc += 2) {
        first = *pc < first ? *pc : first;
        last = *pc > last ? *pc : last;
    }
    return (uintptr_t)frame >= first && (uintptr_t)frame <= last;
}

/* Ends the process; the first `skip` frames of the stack are those of the handler. */
static void attribute(int skip) {
    void *frames[64];
    int n = backtrace(frames, sizeof frames / sizeof frames[0]);
    for (int i = skip; i < n; i++) {
        Dl_info info;
        if (is_ours(frames[i]))
            _exit(OURS);
        if (dladdr(frames[i], &info) && strstr(info.dli_fname, "libhdf5"))
            _exit(HDF5_S_OWN);
    }
    _exit(OURS);
}

/* The first two frames are those of attribute and of this handler; the system's trampoline is not in our code. */
static void on_signal(int number) {
    (void)number;
    attribute(2);
}

void __asan_on_error(void) {
    attribute(2);
}

/* Memory that both processes share. The child's coverage is copied to extra counters of libFuzzer. */
extern uint8_t __start___sancov_cntrs[], __stop___sancov_cntrs[];
__attribute__((section("__libfuzzer_extra_counters"), used)) static uint8_t counters[MOST_COUNTERS];
static struct shared {
    bool named; /* an error named the file */
    uint8_t counters[MOST_COUNTERS];
} * shared;

static size_t n_counters(void) {
    size_t n = (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs);
    return n < MOST_COUNTERS ? n : MOST_COUNTERS;
}

static void read_once(const char *path) {
    memset(__start___sancov_cntrs, 0, n_counters());
    cs_error_clear();
    const cs_status status = fuzz_read(path);
    shared->named = status == CS_OK || strstr(cs_error_last()->text, path);
    memcpy(shared->counters, __start___sancov_cntrs, n_counters());
}

/* The child and the ends of two pipes: the parent sends a byte to have the file read, the child one when it is done. */
static pid_t child;
static int ask, answer;

static void serve(int asked, int answered, const char *path) {
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGPROF};
    const struct itimerval hang = {.it_value.tv_sec = SECONDS}, none = {0}; /* processor time */
    char byte;
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        (void)signal(fatal[i], on_signal);
    fuzz_read_begin();
    for (int i = 0; i < MOST_INPUTS && read(asked, &byte, 1) == 1; i++) {
        setitimer(ITIMER_PROF, &hang, NULL);
        read_once(path);
        setitimer(ITIMER_PROF, &none, NULL);
        if (write(answered, &byte, 1) != 1)
            break;
    }
    _exit(0);
}

static void start_child(const char *path) {
    int there[2], back[2];
    if (pipe(there) != 0 || pipe(back) != 0 || (child = fork()) < 0)
        abort();
    if (child == 0) {
        close(there[1]);
        close(back[0]);
        serve(there[0], back[1], path);
    }
    close(there[0]);
    close(back[1]);
    ask = there[1];
    answer = back[0];
}

/* Waits for the child's end and returns its status. */
static int end_child(void) {
    int how = 0;
    close(ask);
    close(answer);
    waitpid(child, &how, 0);
    child = 0;
    return WIFEXITED(how) ? WEXITSTATUS(how) : OURS;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    return shared == MAP_FAILED || H5open() < 0; /* so that the children need not */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static int inputs;
    const char *path = fuzz_file(bytes, size);
    char byte = 0;
    if (!child)
        start_child(path);
    bool read_it = write(ask, &byte, 1) == 1 && read(answer, &byte, 1) == 1;
    if (read_it) {
        memcpy(counters, shared->counters, n_counters());
        if (!shared->named)
            abort();
    }
    inputs++;
    if ((!read_it || inputs % MOST_INPUTS == 0) && end_child() == OURS)
        abort();
    if (!child)
        inputs = 0;
    return 0;
}
