/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include "cnnsweep/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];

static void remove_folder(void) {
    if (cs_remove_all(folder) != CS_OK)
        abort();
}

const char *fuzz_folder(void) {
    if (!folder[0]) {
        const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        snprintf(folder, sizeof folder, "%s/cnnsweep-fuzz-%ld", parent, (long)getpid());
        if (cs_folder_create(folder) != CS_OK)
            abort();
        atexit(remove_folder);
    }
    return folder;
}

const char *fuzz_file(const uint8_t *bytes, size_t size) {
    static char path[sizeof folder + 8];
    static FILE *file;
    if (!file) {
        snprintf(path, sizeof path, "%s/input", fuzz_folder());
        file = fopen(path, "wb");
        if (!file)
            abort();
    }
    rewind(file);
    if (ftruncate(fileno(file), 0) != 0 || fwrite(bytes, 1, size, file) != size || fflush(file) != 0)
        abort();
    return path;
}
