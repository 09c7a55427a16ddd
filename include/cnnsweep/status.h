/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: what, where, the value seen, and a hint.
 *
 * Every function that can fail returns cs_status. A failure sets the thread's last error: code, message, hint and the
 * file:line that raised it. CS_TRY returns a failure unchanged to the caller; the command line prints it once.
 *
 *     if (n < 1)
 *         return cs_hint(cs_fail(CS_ERR_ARG, "%s: batch is %d", path, n), "use a batch of at least 1");
 */
#ifndef CNNSWEEP_STATUS_H
#define CNNSWEEP_STATUS_H

#include <stddef.h>

typedef enum cs_status {
    CS_OK = 0,
    CS_ERR_ARG,         /* a value the user gave is wrong (option, range, spelling) */
    CS_ERR_IO,          /* the system refused a read, a write or an open */
    CS_ERR_NO_SPACE,    /* the disk is full */
    CS_ERR_FORMAT,      /* a file is not what it should be (truncated, altered, wrong type) */
    CS_ERR_NOT_FOUND,   /* a name that does not exist (file, layer, split, class) */
    CS_ERR_SHAPE,       /* sizes that do not fit each other */
    CS_ERR_UNSUPPORTED, /* valid, but not supported by this build or machine */
    CS_ERR_NO_MEMORY,
    CS_ERR_DIVERGED,    /* the loss is no longer a finite number */
    CS_ERR_COMM,        /* a failure of MPI, or a rank that does not answer */
    CS_ERR_INTERRUPTED, /* a signal asked to stop */
    CS_STATUS_COUNT
} cs_status;

#if defined(__GNUC__) || defined(__clang__)
#define CS_MUST_CHECK        __attribute__((warn_unused_result))
#define CS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define CS_MUST_CHECK
#define CS_PRINTF(fmt, args)
#endif

/* Short lower-case name of a code ("io", "format", ...); never NULL. */
const char *cs_status_name(cs_status code);

#define cs_fail(code, ...) cs_fail_at(__FILE__, __LINE__, (code), __VA_ARGS__)
cs_status cs_fail_at(const char *file, int line, cs_status code, const char *fmt, ...) CS_PRINTF(4, 5);

/* Adds the hint line to this thread's last error and returns `code`, so that it wraps cs_fail. */
cs_status cs_hint(cs_status code, const char *fmt, ...) CS_PRINTF(2, 3);

/* Puts "<text>: " (the trial, the file) in front of this thread's last error and returns `code`. */
cs_status cs_context(cs_status code, const char *fmt, ...) CS_PRINTF(2, 3);

/* Records the failure of a system call: the message is "<fmt>: <strerror>", the code CS_ERR_NO_SPACE for ENOSPC, EDQUOT
 * and EFBIG, else CS_ERR_IO. */
#define cs_fail_errno(...) cs_fail_errno_at(__FILE__, __LINE__, __VA_ARGS__)
cs_status cs_fail_errno_at(const char *file, int line, const char *fmt, ...) CS_PRINTF(3, 4);

#define CS_TRY(expr)                                                                                                   \
    do {                                                                                                               \
        cs_status cs_try_status_ = (expr);                                                                             \
        if (cs_try_status_ != CS_OK)                                                                                   \
            return cs_try_status_;                                                                                     \
    } while (0)

/* Like CS_TRY, but jumps to the function's single exit label; a variable `status` must be in scope. */
#define CS_TRY_GOTO(expr, label)                                                                                       \
    do {                                                                                                               \
        status = (expr);                                                                                               \
        if (status != CS_OK)                                                                                           \
            goto label;                                                                                                \
    } while (0)

/* This thread's last error. Texts are valid until the next failure on the thread; "" when there is none. */
typedef struct cs_error {
    cs_status code;
    char text[1024];
    char hint[512];
    char where[128]; /* file:line */
} cs_error;

const cs_error *cs_error_last(void);
void cs_error_clear(void);

/* Carries an error from one thread to another: makes `error` this thread's last error and returns its code. */
cs_status cs_error_restore(const cs_error *error);

/* Finds the valid name that is nearest to the name `seen` that a user wrote, one candidate at a time. */
typedef struct cs_suggestion {
    const char *seen;
    const char *nearest; /* NULL: no candidate is near */
    size_t distance;
} cs_suggestion;
cs_suggestion cs_suggestion_begin(const char *seen);
void cs_suggestion_try(cs_suggestion *suggestion, const char *candidate);
/* "; did you mean 'x'?", or "" when no candidate is near. The text lives in `buffer` and is returned. */
const char *cs_suggestion_text(const cs_suggestion *suggestion, char *buffer, size_t size);
/* The same for `candidates` [n]. */
const char *cs_did_you_mean(const char *seen, const char *const *candidates, size_t n, char *buffer, size_t size);

#endif
