/* libFuzzer: any bytes as an HDF5 file, read as users read it, in a child process.
 *
 * HDF5 itself is not fixed here: its crashes and hangs must become errors of ours. What the sanitizers find in our own
 * code ends the child with FOUND, and that ends the campaign. */
#define _GNU_SOURCE /* dladdr, MAP_ANONYMOUS */
#include "network.h"

#include "cnnsweep/weights.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <hdf5.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { FOUND = 77, HDF5_S_OWN = 3, MOST_COUNTERS = 1 << 16 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
const char *__asan_default_options(void);
void __asan_on_error(void);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

const char *__asan_default_options(void) {
    return "exitcode=77:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_abort=0:allocator_may_return_null=1:"
           "max_allocation_size_mb=1024:detect_leaks=0";
}

void __asan_on_error(void) {
    void *frames[64];
    int n = backtrace(frames, sizeof frames / sizeof frames[0]);
    for (int i = 0; i < n; i++) {
        Dl_info info;
        if (dladdr(frames[i], &info) && strstr(info.dli_fname, "libhdf5"))
            __real__exit(HDF5_S_OWN);
    }
}

/* The child's coverage comes back through shared memory, and goes where libFuzzer looks for more counters. */
extern uint8_t __start___sancov_cntrs[], __stop___sancov_cntrs[];
__attribute__((section("__libfuzzer_extra_counters"), used)) static uint8_t counters[MOST_COUNTERS];
static uint8_t *from_child;

static size_t n_counters(void) {
    size_t n = (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs);
    return n < MOST_COUNTERS ? n : MOST_COUNTERS;
}

void __wrap__exit(int status) {
    memcpy(from_child, __start___sancov_cntrs, n_counters());
    __real__exit(status);
}

/* libFuzzer's handlers are for this process; a child that HDF5 crashes must die of it. */
static void die_of_signals(void) {
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGXCPU};
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        (void)signal(fatal[i], SIG_DFL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    if (pthread_atfork(NULL, NULL, die_of_signals) != 0)
        return 1;
    from_child = mmap(NULL, MOST_COUNTERS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return from_child == MAP_FAILED || H5open() < 0; /* so that not every child has to */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static cs_params *params;
    cs_weights_report report;
    char found[32];
    if (!params && cs_params_create(fuzz_network(CS_DIALECT_KERAS), &params) != CS_OK)
        abort();
    const char *path = fuzz_file(bytes, size);
    memset(from_child, 0, n_counters());
    cs_error_clear();
    cs_status status = cs_weights_read(path, true, params, &report);
    cs_weights_report_clear(&report);
    memcpy(counters, from_child, n_counters());
    snprintf(found, sizeof found, "exit status %d", FOUND);
    if (status != CS_OK && (!strstr(cs_error_last()->text, path) || strstr(cs_error_last()->text, found)))
        abort();
    return 0;
}
