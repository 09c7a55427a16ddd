/* SPDX-License-Identifier: Apache-2.0 */
#include "content.h"

#include "cnnsweep/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void pack_content_clear(pack_content *content) {
    cs_image_clear(&content->pixels);
    free(content->bytes);
}

cs_status pack_read_at(int file, const char *name, void *out, size_t size, uint64_t offset) {
    for (size_t done = 0; done < size;) {
        const ssize_t got = pread(file, (char *)out + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? cs_fail_errno("%s: cannot read", name)
                           : cs_fail(CS_ERR_IO, "%s: became shorter while it was read", name);
        done += (size_t)got;
    }
    return CS_OK;
}

/* The memory of content->bytes is used again for every file: opening and reading takes a large part of the time for a
 * small image. */
cs_status pack_content_read_part(pack_content *content, int file, uint64_t offset, uint64_t size) {
    if (size > PACK_FILE_LIMIT)
        return cs_fail(CS_ERR_FORMAT, "%s: a file of more than %d MB", content->name, PACK_FILE_LIMIT >> 20);
    CS_TRY(cs_grow(&content->bytes, &content->capacity, (size_t)size, 1, "image file"));
    content->size = (size_t)size;
    return pack_read_at(file, content->name, content->bytes, content->size, offset);
}

static cs_status read_file(int file, pack_content *out) {
    struct stat info;
    if (fstat(file, &info) != 0)
        return cs_fail_errno("%s: cannot read", out->name);
    if (!S_ISREG(info.st_mode))
        return cs_fail(CS_ERR_FORMAT, "%s: a pipe, socket or device, not a file", out->name);
    return pack_content_read_part(out, file, 0, (uint64_t)info.st_size);
}

cs_status pack_parent_folder(const char *path, char out[CS_PATH_MAX]) {
    CS_TRY(cs_path(out, CS_PATH_MAX, "%s", path));
    char *slash = strrchr(out, '/');
    if (!slash)
        return cs_path(out, CS_PATH_MAX, ".");
    slash[slash == out] = '\0';
    return CS_OK;
}

cs_status pack_content_read_file(pack_content *content) {
    int file = open(content->name, O_RDONLY | O_NONBLOCK); /* else opening a pipe would wait for a writer */
    if (file < 0)
        return cs_fail_errno("%s: cannot open", content->name);
    cs_status status = read_file(file, content);
    close(file);
    return status;
}
