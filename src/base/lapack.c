/* SPDX-License-Identifier: Apache-2.0 */
/* For RTLD_DEFAULT. */
#define _GNU_SOURCE

#include "cnnsweep/lapack.h"

#include <dlfcn.h>
#include <string.h>

void cs_lapack_use_one_thread(void) {
    enum { ITS_OWN_THREADS = 1 };
    void *parallel = dlsym(RTLD_DEFAULT, "openblas_get_parallel");
    void *set = dlsym(RTLD_DEFAULT, "openblas_set_num_threads");
    int (*get_parallel)(void);
    void (*set_num_threads)(int);
    if (!parallel || !set)
        return;
    memcpy(&get_parallel, &parallel, sizeof get_parallel);
    memcpy(&set_num_threads, &set, sizeof set_num_threads);
    if (get_parallel() == ITS_OWN_THREADS)
        set_num_threads(1);
}
