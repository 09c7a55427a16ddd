/* SPDX-License-Identifier: Apache-2.0 */
#include "kept.h"
#include "cnnsweep/train.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

cs_status cs_check_stop(const volatile sig_atomic_t *stop) {
    if (stop && *stop)
        return cs_fail(CS_ERR_INTERRUPTED, "stopped on request");
    return CS_OK;
}

/* The folder is data.features, or one next to the dataset. */
static cs_status find_folder(const cs_data_config *data, char *out, size_t size) {
    const char *suffix = ".h5";
    if (data->features[0])
        return cs_path(out, size, "%s", data->features);
    size_t length = strlen(data->path), tail = strlen(suffix);
    while (length > 1 && data->path[length - 1] == '/')
        length--;
    if (length > tail && strncmp(data->path + length - tail, suffix, tail) == 0)
        length -= tail;
    return cs_path(out, size, "%.*s.features", (int)length, data->path);
}

/* The nearest part of a path that exists. */
static void find_existing(char path[CS_PATH_MAX]) {
    while (!cs_file_exists(path)) {
        char *slash = strrchr(path, '/');
        if (!slash || slash == path)
            snprintf(path, CS_PATH_MAX, "%s", slash ? "/" : ".");
        else
            *slash = '\0';
    }
}

cs_status cs_features_folder_check(const cs_data_config *data) {
    char folder[CS_PATH_MAX], existing[CS_PATH_MAX];
    CS_TRY(find_folder(data, folder, sizeof folder));
    CS_TRY(cs_path(existing, sizeof existing, "%s", folder));
    find_existing(existing);
    if (cs_file_exists(folder) || (cs_is_folder(existing) && access(existing, W_OK) == 0))
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_IO, "%s: cannot create the folder: nothing can be written in %s", folder, existing),
                   "data.features names another folder for the features");
}

cs_status cs_kept_name(const cs_data_config *data, const char *stem, cs_kept *kept) {
    CS_TRY(find_folder(data, kept->folder, sizeof kept->folder));
    CS_TRY(cs_path(kept->path, sizeof kept->path, "%s/%s-%016llx.h5", kept->folder, stem,
                   (unsigned long long)cs_checksum(kept->source, strlen(kept->source))));
    return cs_path(kept->lock, sizeof kept->lock, "%s.lock", kept->path);
}

/* Returns when the file exists, or when this process holds the lock and must compute it. */
static cs_status find_or_lock(const cs_kept *kept, const volatile sig_atomic_t *stop, cs_file_lock **lock) {
    const struct timespec pause = {.tv_nsec = 20000000L}; /* 20 ms */
    cs_status status = cs_folder_create(kept->folder);
    if (status == CS_OK && !cs_file_exists(kept->path))
        status = cs_file_lock_try(kept->lock, lock);
    while (status == CS_OK && !*lock && !cs_file_exists(kept->path)) {
        nanosleep(&pause, NULL);
        CS_TRY(cs_check_stop(stop));
        status = cs_file_lock_try(kept->lock, lock);
    }
    return status == CS_OK ? CS_OK : cs_hint(status, "data.features names another folder for the features");
}

cs_status cs_kept_open(const cs_kept *kept, const volatile sig_atomic_t *stop,
                       cs_status (*compute)(void *context, const cs_kept *kept), void *context, cs_features **out) {
    cs_file_lock *lock = NULL;
    CS_TRY(find_or_lock(kept, stop, &lock));
    cs_status status = CS_OK;
    if (lock && !cs_file_exists(kept->path))
        status = compute(context, kept);
    cs_file_lock_release(lock);
    return status == CS_OK ? cs_features_open(kept->path, kept->source, out) : status;
}
