/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and opens the plug-in that holds the engine for GPUs. */
#include "plugin.h"

#include "cnnsweep/file.h"
#include "cnnsweep/version.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN_FILE "libcnnsweep_cuda.so"

/* The folders that may hold the plug-in, relative to the folder of the program. */
static const char *const places[] = {"", "../lib/cnnsweep/"};

static cs_status program_folder(char *out, size_t size) {
    ssize_t length = readlink("/proc/self/exe", out, size - 1);
    if (length < 0)
        return cs_fail_errno("/proc/self/exe: cannot read");
    out[length] = '\0';
    char *slash = strrchr(out, '/');
    if (slash)
        slash[1] = '\0';
    return CS_OK;
}

/* Returns the path of the plug-in, or just its file name, for which the dynamic linker searches its own folders. */
static cs_status find_file(char out[CS_PATH_MAX]) {
    char folder[CS_PATH_MAX];
    CS_TRY(program_folder(folder, sizeof folder));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        CS_TRY(cs_path(out, CS_PATH_MAX, "%s%s" PLUGIN_FILE, folder, places[i]));
        if (cs_file_exists(out))
            return CS_OK;
    }
    return cs_path(out, CS_PATH_MAX, PLUGIN_FILE);
}

/* Loads only the driver's library, because loading the plug-in's libraries would take a tenth of a second. */
static cs_status check_driver(void) {
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (!driver)
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "this machine has no NVIDIA driver (%s)", dlerror()),
                       "nvidia-smi tells of GPUs and their driver");
    dlclose(driver);
    return CS_OK;
}

static cs_status fail_open(const char *path) {
    const char *why = dlerror();
    why = why ? why : "dlopen failed";
    if (strcmp(path, PLUGIN_FILE) == 0 && strncmp(why, PLUGIN_FILE, strlen(PLUGIN_FILE)) == 0)
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "the engine for GPUs is not in this build (no " PLUGIN_FILE ")"),
                       "install the CUDA toolkit, cuDNN 9 and NCCL and build with -DCNNSWEEP_CUDA=ON");
    /* Dlopen failed for the plug-in itself and not for a library that it needs. */
    bool itself = strncmp(why, path, strlen(path)) == 0;
    return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "the engine for GPUs cannot be loaded: %s%s%s", itself ? "" : path,
                           itself ? "" : ": ", why),
                   "it needs the libraries of CUDA, cuDNN 9 and NCCL: install them, or name their folders in "
                   "LD_LIBRARY_PATH");
}

static cs_status enter(void *library, const char *path, const cs_engine_ops **out) {
    const cs_plugin_host host = {.abi = CS_PLUGIN_ABI, .version = CNNSWEEP_VERSION, .links = cs_base_links_own()};
    void *symbol = dlsym(library, CS_PLUGIN_SYMBOL);
    cs_plugin_entry *entry;
    if (!symbol)
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "%s is no plug-in of cnnsweep: it has no " CS_PLUGIN_SYMBOL, path),
                       "CNNSWEEP_CUDA_PLUGIN names another file than " PLUGIN_FILE " beside the program");
    memcpy(&entry, &symbol, sizeof entry);
    *out = entry(&host);
    if (!*out)
        return cs_hint(cs_fail(CS_ERR_UNSUPPORTED, "%s is of another version of cnnsweep than this program (%s)", path,
                               CNNSWEEP_VERSION),
                       "build both from the same source, and leave no older " PLUGIN_FILE " beside the program");
    return CS_OK;
}

static cs_status open_plugin(const cs_engine_ops **out) {
    char path[CS_PATH_MAX];
    const char *named = getenv("CNNSWEEP_CUDA_PLUGIN");
    if (named && *named) {
        CS_TRY(cs_path(path, sizeof path, "%s", named));
    } else {
        CS_TRY(find_file(path));
        if (strcmp(path, PLUGIN_FILE) != 0)
            CS_TRY(check_driver());
    }
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return fail_open(path);
    cs_status status = enter(library, path, out);
    if (status != CS_OK)
        dlclose(library);
    return status;
}

cs_status cs_cuda_plugin(const cs_engine_ops **out) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static const cs_engine_ops *ops;
    static cs_error reason;
    pthread_mutex_lock(&lock);
    if (!ops && reason.code == CS_OK && open_plugin(&ops) != CS_OK)
        reason = *cs_error_last();
    pthread_mutex_unlock(&lock);
    *out = ops;
    return ops ? CS_OK : cs_error_restore(&reason);
}
