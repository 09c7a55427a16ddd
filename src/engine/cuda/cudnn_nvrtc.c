/* SPDX-License-Identifier: Apache-2.0 */
/* For dladdr, which returns the path of the CUDA runtime. */
#define _GNU_SOURCE
#include "cudnn_nvrtc.h"

#include "cnnsweep/file.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <glob.h>
#include <string.h>

void cu_load_nvrtc_builtins(void) {
    void *symbol;
    cudaError_t (*function)(int *) = cudaGetDeviceCount;
    char pattern[CS_PATH_MAX];
    Dl_info runtime;
    glob_t found;
    memcpy(&symbol, &function, sizeof symbol);
    if (!dladdr(symbol, &runtime) || !runtime.dli_fname)
        return;
    const char *slash = strrchr(runtime.dli_fname, '/');
    if (!slash || cs_path(pattern, sizeof pattern, "%.*s/libnvrtc-builtins.so.*", (int)(slash - runtime.dli_fname),
                          runtime.dli_fname) != CS_OK)
        return;
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        dlopen(found.gl_pathv[i], RTLD_LAZY | RTLD_LOCAL);
    globfree(&found);
}
