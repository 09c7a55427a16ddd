/* SPDX-License-Identifier: Apache-2.0 */
/* For renameat2, which exchanges two names. POSIX has nothing like it. */
#define _GNU_SOURCE

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>
#ifdef CNNSWEEP_XXH_DISPATCH
#include <xxh_x86dispatch.h> /* gives the functions of xxhash.h other names */
#endif

cs_status cs_path(char *out, size_t size, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int used = vsnprintf(out, size, fmt, args);
    va_end(args);
    if (used < 0 || (size_t)used >= size)
        return cs_fail(CS_ERR_ARG, "path is longer than %zu bytes: %.60s...", size - 1, out);
    return CS_OK;
}

struct cs_atomic_file {
    FILE *stream;
    char path[CS_PATH_MAX];
    char temporary[CS_PATH_MAX];
};

cs_status cs_atomic_open(const char *path, cs_atomic_file **out) {
    cs_atomic_file *file = NULL;
    CS_TRY(cs_alloc(1, sizeof *file, "file", &file));
    cs_status status;
    CS_TRY_GOTO(cs_path(file->path, sizeof file->path, "%s", path), fail);
    CS_TRY_GOTO(cs_path(file->temporary, sizeof file->temporary, "%s.tmp.%ld", path, (long)getpid()), fail);
    file->stream = fopen(file->temporary, "wb");
    if (!file->stream) {
        status = cs_fail_errno("%s: cannot write", path);
        goto fail;
    }
    *out = file;
    return CS_OK;
fail:
    free(file);
    return status;
}

FILE *cs_atomic_stream(cs_atomic_file *file) {
    return file->stream;
}

void cs_atomic_abort(cs_atomic_file **file) {
    if (!file || !*file)
        return;
    if ((*file)->stream)
        fclose((*file)->stream);
    unlink((*file)->temporary);
    free(*file);
    *file = NULL;
}

/* Syncs the folder that holds `path`, so that the rename reaches the disk. */
static cs_status sync_parent(const char *path) {
    char folder[CS_PATH_MAX];
    CS_TRY(cs_path(folder, sizeof folder, "%s", path));
    char *slash = strrchr(folder, '/');
    if (slash == folder)
        slash[1] = '\0';
    else if (slash)
        *slash = '\0';
    return cs_file_sync(slash ? folder : ".");
}

static cs_status finish(cs_atomic_file **file, bool durable) {
    FILE *stream = (*file)->stream;
    cs_status status = CS_OK;
    errno = 0;
    if (ferror(stream) || fflush(stream) != 0 || (durable && fsync(fileno(stream)) != 0))
        status = cs_fail_errno("%s: cannot write", (*file)->path);
    (*file)->stream = NULL;
    if (fclose(stream) != 0 && status == CS_OK)
        status = cs_fail_errno("%s: cannot write", (*file)->path);
    if (status == CS_OK && rename((*file)->temporary, (*file)->path) != 0)
        status = cs_fail_errno("%s: cannot rename into place", (*file)->path);
    if (status == CS_OK && durable)
        status = sync_parent((*file)->path);
    cs_atomic_abort(file);
    return status;
}

cs_status cs_atomic_commit(cs_atomic_file **file) {
    return finish(file, true);
}

cs_status cs_atomic_publish(cs_atomic_file **file) {
    return finish(file, false);
}

cs_status cs_file_write(const char *path, const void *bytes, size_t size) {
    cs_atomic_file *file = NULL;
    cs_status status = cs_atomic_open(path, &file);
    if (!file)
        return status;
    if (fwrite(bytes, 1, size, file->stream) != size) {
        status = cs_fail_errno("%s: cannot write", path);
        cs_atomic_abort(&file);
        return status;
    }
    return cs_atomic_commit(&file);
}

cs_status cs_file_replace(const char *path, const void *bytes, size_t size) {
    char temporary[CS_PATH_MAX];
    CS_TRY(cs_path(temporary, sizeof temporary, "%s.tmp", path));
    FILE *stream = fopen(temporary, "wb");
    if (!stream)
        return cs_fail_errno("%s: cannot write", path);
    errno = 0;
    bool written = fwrite(bytes, 1, size, stream) == size;
    cs_status status = fclose(stream) == 0 && written ? CS_OK : cs_fail_errno("%s: cannot write", path);
    if (status == CS_OK && rename(temporary, path) != 0)
        status = cs_fail_errno("%s: cannot rename into place", path);
    if (status != CS_OK)
        unlink(temporary);
    return status;
}

cs_status cs_file_read(const char *path, size_t limit, char **bytes, size_t *size) {
    cs_status status = CS_OK;
    char *block = NULL;
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return cs_fail_errno("%s: cannot open", path);
    struct stat info;
    if (fstat(fileno(stream), &info) != 0) {
        status = cs_fail_errno("%s: cannot read", path);
    } else if (!S_ISREG(info.st_mode)) {
        status = cs_fail(CS_ERR_IO, "%s: not a regular file", path);
    } else if ((uint64_t)info.st_size > limit) {
        status =
            cs_fail(CS_ERR_FORMAT, "%s: %lld bytes, more than the %zu allowed", path, (long long)info.st_size, limit);
    } else {
        status = cs_alloc((size_t)info.st_size + 1, 1, path, &block);
    }
    if (status == CS_OK && fread(block, 1, (size_t)info.st_size, stream) != (size_t)info.st_size)
        status = cs_fail(CS_ERR_IO, "%s: ends before its %lld bytes", path, (long long)info.st_size);
    fclose(stream);
    if (status != CS_OK) {
        free(block);
        return status;
    }
    *bytes = block;
    *size = (size_t)info.st_size;
    return CS_OK;
}

cs_status cs_file_sync(const char *path) {
    int descriptor = open(path, O_RDONLY);
    if (descriptor < 0)
        return cs_fail_errno("%s: cannot open", path);
    int result = fsync(descriptor);
    if (result != 0 && (errno == EINVAL || errno == EROFS))
        result = 0; /* this file system cannot sync such a file */
    cs_status status = result == 0 ? CS_OK : cs_fail_errno("%s: cannot sync", path);
    close(descriptor);
    return status;
}

cs_status cs_file_move(const char *from, const char *to) {
    CS_TRY(cs_file_sync(from));
    if (rename(from, to) != 0)
        return cs_fail_errno("%s: cannot rename into place", to);
    return sync_parent(to);
}

cs_status cs_file_exchange(const char *from, const char *to) {
    CS_TRY(cs_file_sync(from));
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) != 0 &&
        ((errno != EINVAL && errno != ENOSYS) || rename(from, to) != 0))
        return cs_hint(cs_fail_errno("%s: cannot be replaced", to), "remove it first");
    return sync_parent(to);
}

struct cs_file_lock {
    char path[CS_PATH_MAX];
    int descriptor;
};

/* A process that releases a lock removes its file first. So a lock on a file that has no name any more is not valid. */
cs_status cs_file_lock_try(const char *path, cs_file_lock **out) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat info;
    cs_file_lock *lock = NULL;
    *out = NULL;
    CS_TRY(cs_alloc(1, sizeof *lock, "lock", &lock));
    cs_status status = cs_path(lock->path, sizeof lock->path, "%s", path);
    lock->descriptor = status == CS_OK ? open(path, O_RDWR | O_CREAT, 0666) : -1;
    if (status == CS_OK && lock->descriptor < 0)
        status = cs_fail_errno("%s: cannot write", path);
    if (status == CS_OK && fcntl(lock->descriptor, F_SETLK, &whole) == 0) {
        if (fstat(lock->descriptor, &info) == 0 && info.st_nlink > 0) {
            *out = lock;
            return CS_OK;
        }
    } else if (status == CS_OK && (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP)) {
        status =
            cs_fail(CS_ERR_UNSUPPORTED, "%s: cannot lock: the file system has no locks (%s)", path, strerror(errno));
        unlink(path);
    } else if (status == CS_OK && errno != EACCES && errno != EAGAIN) {
        status = cs_fail_errno("%s: cannot lock", path);
    }
    if (lock->descriptor >= 0)
        close(lock->descriptor);
    free(lock);
    return status;
}

void cs_file_lock_release(cs_file_lock *lock) {
    if (!lock)
        return;
    unlink(lock->path);
    close(lock->descriptor);
    free(lock);
}

bool cs_file_locked(const char *path) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int descriptor = open(path, O_RDONLY);
    if (descriptor < 0)
        return false;
    bool locked = fcntl(descriptor, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
    close(descriptor);
    return locked;
}

bool cs_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

bool cs_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

cs_status cs_folder_create(const char *path) {
    char partial[CS_PATH_MAX];
    CS_TRY(cs_path(partial, sizeof partial, "%s", path));
    for (char *at = partial + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(partial, 0777) != 0 && errno != EEXIST)
            return cs_fail_errno("%s: cannot create the folder", partial);
        *at = '/';
    }
    if (mkdir(partial, 0777) != 0 && !(errno == EEXIST && cs_is_folder(partial)))
        return cs_fail_errno("%s: cannot create the folder", partial);
    return CS_OK;
}

cs_status cs_remove_all(const char *path) {
    struct stat info;
    if (lstat(path, &info) != 0)
        return errno == ENOENT ? CS_OK : cs_fail_errno("%s: cannot remove", path);
    if (S_ISDIR(info.st_mode)) {
        DIR *folder = opendir(path);
        if (!folder)
            return cs_fail_errno("%s: cannot open", path);
        cs_status status = CS_OK;
        struct dirent *entry;
        while (status == CS_OK && (entry = readdir(folder)) != NULL) {
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                continue;
            char child[CS_PATH_MAX];
            status = cs_path(child, sizeof child, "%s/%s", path, entry->d_name);
            if (status == CS_OK)
                status = cs_remove_all(child);
        }
        closedir(folder);
        CS_TRY(status);
    }
    if (remove(path) != 0 && errno != ENOENT)
        return cs_fail_errno("%s: cannot remove", path);
    return CS_OK;
}

uint64_t cs_checksum(const void *bytes, size_t size) {
    return XXH3_64bits(bytes, size);
}

struct cs_checksum_stream {
    XXH3_state_t *state;
};

cs_status cs_checksum_open(cs_checksum_stream **out) {
    cs_checksum_stream *stream = NULL;
    CS_TRY(cs_alloc(1, sizeof *stream, "checksum", &stream));
    stream->state = XXH3_createState();
    if (!stream->state) {
        free(stream);
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for a checksum");
    }
    XXH3_64bits_reset(stream->state);
    *out = stream;
    return CS_OK;
}

void cs_checksum_add(cs_checksum_stream *stream, const void *bytes, size_t size) {
    XXH3_64bits_update(stream->state, bytes, size);
}

uint64_t cs_checksum_close(cs_checksum_stream *stream) {
    if (!stream)
        return 0;
    uint64_t value = XXH3_64bits_digest(stream->state);
    XXH3_freeState(stream->state);
    free(stream);
    return value;
}

/* Opens only a regular file, as opening any other kind might wait for ever. */
static cs_status open_regular(const char *path, int *out) {
    struct stat info;
    if (stat(path, &info) != 0)
        return cs_fail_errno("%s: cannot open", path);
    if (!S_ISREG(info.st_mode))
        return cs_fail(CS_ERR_IO, "%s: not a regular file", path);
    *out = open(path, O_RDONLY | O_CLOEXEC);
    return *out < 0 ? cs_fail_errno("%s: cannot open", path) : CS_OK;
}

static cs_status add_file(int file, const char *path, cs_checksum_stream *stream) {
    char block[1 << 16];
    ssize_t length;
    while ((length = read(file, block, sizeof block)) != 0) {
        if (length > 0)
            cs_checksum_add(stream, block, (size_t)length);
        else if (errno != EINTR)
            return cs_fail_errno("%s: cannot read", path);
    }
    return CS_OK;
}

cs_status cs_checksum_file(const char *path, uint64_t *out) {
    int file = -1;
    CS_TRY(open_regular(path, &file));
    cs_checksum_stream *stream = NULL;
    cs_status status = cs_checksum_open(&stream);
    if (stream) {
        status = add_file(file, path, stream);
        *out = cs_checksum_close(stream);
    }
    close(file);
    return status;
}
