/* SPDX-License-Identifier: Apache-2.0 */
#include "links.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *cs_status_name(cs_status code) {
    static const char *const names[CS_STATUS_COUNT] = {
        "ok",    "argument",    "io",        "no space", "format", "not found",
        "shape", "unsupported", "no memory", "diverged", "comm",   "interrupted",
    };
    return (unsigned)code < CS_STATUS_COUNT ? names[code] : "unknown";
}

static void record(const char *file, int line, cs_status code, const char *fmt, va_list args) {
    const char *base = strrchr(file, '/');
    cs_error *error = cs_links->last_error();
    error->code = code;
    error->hint[0] = '\0';
    snprintf(error->where, sizeof error->where, "%s:%d", base ? base + 1 : file, line);
    vsnprintf(error->text, sizeof error->text, fmt, args);
}

cs_status cs_fail_at(const char *file, int line, cs_status code, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    record(file, line, code, fmt, args);
    va_end(args);
    return code;
}

cs_status cs_fail_errno_at(const char *file, int line, const char *fmt, ...) {
    int saved = errno;
    bool full = saved == ENOSPC || saved == EDQUOT || saved == EFBIG;
    cs_status code = full ? CS_ERR_NO_SPACE : CS_ERR_IO;
    va_list args;
    va_start(args, fmt);
    record(file, line, code, fmt, args);
    va_end(args);
    cs_error *error = cs_links->last_error();
    size_t used = strlen(error->text);
    snprintf(error->text + used, sizeof error->text - used, ": %s", strerror(saved));
    if (full)
        return cs_hint(code, "free some space there and start again; finished work is kept");
    return code;
}

cs_status cs_hint(cs_status code, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    cs_error *error = cs_links->last_error();
    vsnprintf(error->hint, sizeof error->hint, fmt, args);
    va_end(args);
    return code;
}

cs_status cs_context(cs_status code, const char *fmt, ...) {
    cs_error *error = cs_links->last_error();
    char text[sizeof error->text], inner[sizeof error->text];
    memcpy(inner, error->text, sizeof inner);
    va_list args;
    va_start(args, fmt);
    int used = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (used < 0 || (size_t)used >= sizeof text)
        return code;
    size_t room = sizeof text - (size_t)used;
    snprintf(text + used, room, ": %.*s", (int)room, inner);
    memcpy(error->text, text, sizeof text);
    return code;
}

const cs_error *cs_error_last(void) {
    return cs_links->last_error();
}

void cs_error_clear(void) {
    memset(cs_links->last_error(), 0, sizeof(cs_error));
}

cs_status cs_error_restore(const cs_error *error) {
    *cs_links->last_error() = *error;
    return error->code;
}

/* The Levenshtein distance of two names. Their lengths are capped, as names are short. */
static size_t edit_distance(const char *a, const char *b) {
    enum { LONGEST = 64 };
    size_t row[LONGEST + 1], la = strlen(a), lb = strlen(b);
    if (la > LONGEST || lb > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t substitute = diagonal + (a[i - 1] != b[j - 1]);
            size_t insert = row[j - 1] + 1, delete = row[j] + 1;
            diagonal = row[j];
            row[j] = insert < delete ? insert : delete;
            if (substitute < row[j])
                row[j] = substitute;
        }
    }
    return row[lb];
}

cs_suggestion cs_suggestion_begin(const char *seen) {
    /* A name at a larger distance is another word. */
    return (cs_suggestion){.seen = seen, .distance = strlen(seen) / 3 + 2};
}

void cs_suggestion_try(cs_suggestion *suggestion, const char *candidate) {
    size_t distance = edit_distance(suggestion->seen, candidate);
    if (distance < suggestion->distance) {
        suggestion->distance = distance;
        suggestion->nearest = candidate;
    }
}

const char *cs_suggestion_text(const cs_suggestion *suggestion, char *buffer, size_t size) {
    buffer[0] = '\0';
    if (suggestion->nearest)
        snprintf(buffer, size, "; did you mean '%s'?", suggestion->nearest);
    return buffer;
}

const char *cs_did_you_mean(const char *seen, const char *const *candidates, size_t n, char *buffer, size_t size) {
    cs_suggestion suggestion = cs_suggestion_begin(seen);
    for (size_t i = 0; i < n; i++)
        cs_suggestion_try(&suggestion, candidates[i]);
    return cs_suggestion_text(&suggestion, buffer, size);
}
