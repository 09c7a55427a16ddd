/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that stand where another file should be. */
#include "cnnsweep/file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Skips a byte order mark and white space. */
static size_t text_begin(const char *text, size_t size) {
    size_t at = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (at < size && text[at] != '\0' && strchr(" \t\r\n", text[at]))
        at++;
    return at;
}

static bool begins_with(const char *text, size_t size, const char *start) {
    return size >= strlen(start) && strncasecmp(text, start, strlen(start)) == 0;
}

cs_status cs_refuse_stand_in(const char *name, const void *bytes, size_t size) {
    static const char *const pages[] = {"<!doctype html", "<html", "<head"};
    if (begins_with(bytes, size, "version https://git-lfs"))
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: this is a Git LFS pointer, not the file itself", name),
                       "git lfs pull fetches the files");
    const size_t at = text_begin(bytes, size);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (begins_with((const char *)bytes + at, size - at, pages[i]))
            return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: this is an HTML page: the download failed", name),
                           "download the file again; the page says why the server sent it instead");
    return CS_OK;
}

cs_status cs_refuse_stand_in_file(const char *path) {
    char start[512];
    FILE *file = fopen(path, "rb");
    if (!file)
        return CS_OK;
    const size_t n = fread(start, 1, sizeof start, file);
    fclose(file);
    return cs_refuse_stand_in(path, start, n);
}
