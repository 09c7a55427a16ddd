/* SPDX-License-Identifier: Apache-2.0 */
#include "expand.h"
#include "cnnsweep/file.h"

#include <ctype.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_MAX_LENGTH = 128 };

static cs_status append(char *out, size_t size, const char *text, size_t length) {
    size_t used = strlen(out);
    return cs_path(out + used, size - used, "%.*s", (int)length, text);
}

static cs_status append_home(char *out, size_t size) {
    const char *home = getenv("HOME");
    const struct passwd *user = home ? NULL : getpwuid(getuid());
    if (user)
        home = user->pw_dir;
    if (!home)
        return cs_fail(CS_ERR_ARG, "~ stands for the home directory, but HOME is not set");
    return append(out, size, home, strlen(home));
}

static size_t name_length(const char *text) {
    size_t n = 0;
    if (isdigit((unsigned char)*text))
        return 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_')
        n++;
    return n;
}

/* Appends what the $ at *at stands for, and moves *at behind it. */
static cs_status append_variable(const char **at, char *out, size_t size) {
    char name[NAME_MAX_LENGTH];
    const char *text = *at;
    bool braced = text[1] == '{';
    const char *first = text + 1 + braced;
    size_t length = name_length(first);
    if (length == 0 || length >= sizeof name || (braced && first[length] != '}')) {
        *at += text[1] == '$' ? 2 : 1;
        return append(out, size, "$", 1);
    }
    snprintf(name, sizeof name, "%.*s", (int)length, first);
    const char *value = getenv(name);
    if (!value)
        return cs_hint(cs_fail(CS_ERR_ARG, "the environment variable %s is not set", name),
                       "export %s=..., or write the path itself; $$ is a dollar sign", name);
    *at = first + length + braced;
    return append(out, size, value, strlen(value));
}

cs_status cs_expand_path(const char *text, char *out, size_t size) {
    const char *at = text;
    out[0] = '\0';
    if (at[0] == '~' && at[1] == '/') {
        CS_TRY(append_home(out, size));
        at++;
    }
    while (*at) {
        size_t plain = strcspn(at, "$");
        CS_TRY(append(out, size, at, plain));
        at += plain;
        if (*at)
            CS_TRY(append_variable(&at, out, size));
    }
    return CS_OK;
}
