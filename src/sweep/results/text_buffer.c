/* SPDX-License-Identifier: Apache-2.0 */
#include "text_buffer.h"
#include "cnnsweep/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static cs_status write_all(int file, const char *path, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t written = write(file, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return cs_fail_errno("%s: cannot write", path);
        bytes += written;
        size -= (size_t)written;
    }
    return CS_OK;
}

static cs_status append(const char *path, const void *bytes, size_t size) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (file < 0)
        return cs_fail_errno("%s: cannot write", path);
    off_t before = lseek(file, 0, SEEK_END);
    cs_status status = write_all(file, path, bytes, size);
    /* An incomplete line is removed, because readers of the file could not parse it. The first error is the one to
     * report. */
    bool incomplete = status != CS_OK && before >= 0 && ftruncate(file, before) != 0;
    bool closed = close(file) == 0;
    if (status == CS_OK && !closed)
        return cs_fail_errno("%s: cannot write", path);
    return incomplete ? cs_context(status, "the last line of %s is cut short", path) : status;
}

static cs_status fail_memory(void) {
    return cs_fail(CS_ERR_NO_MEMORY, "no memory for text");
}

cs_status cs_text_open(cs_text_buffer *buffer) {
    *buffer = (cs_text_buffer){0};
    buffer->stream = open_memstream(&buffer->text, &buffer->size);
    return buffer->stream ? CS_OK : fail_memory();
}

static cs_status end(cs_text_buffer *buffer, const char *path,
                     cs_status (*write)(const char *path, const void *bytes, size_t size)) {
    cs_status status = fclose(buffer->stream) == 0 ? CS_OK : fail_memory();
    if (status == CS_OK)
        status = write(path, buffer->text, buffer->size);
    free(buffer->text);
    return status;
}

cs_status cs_text_append(cs_text_buffer *buffer, const char *path) {
    return end(buffer, path, append);
}

cs_status cs_text_replace(cs_text_buffer *buffer, const char *path) {
    return end(buffer, path, cs_file_write);
}

cs_status cs_text_drop(cs_text_buffer *buffer, cs_status failure) {
    cs_error error = *cs_error_last();
    fclose(buffer->stream);
    free(buffer->text);
    return failure == CS_OK ? CS_OK : cs_error_restore(&error);
}
