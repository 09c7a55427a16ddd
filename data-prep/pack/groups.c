/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include "cnnsweep/memory.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

/* Sets the group of a sample to what the first subexpression matches; a sample that does not match has none. */
static cs_status set_group(const regex_t *pattern, pack_sample *sample, size_t *without) {
    regmatch_t match[2];
    free(sample->group);
    sample->group = NULL;
    if (regexec(pattern, sample->id, 2, match, 0) != 0 || match[1].rm_so < 0 || match[1].rm_so == match[1].rm_eo) {
        ++*without;
        return CS_OK;
    }
    size_t length = (size_t)(match[1].rm_eo - match[1].rm_so);
    CS_TRY(cs_alloc(length + 1, 1, "groups", &sample->group));
    memcpy(sample->group, sample->id + match[1].rm_so, length);
    return CS_OK;
}

static cs_status compile(const char *text, regex_t *pattern) {
    int error = regcomp(pattern, text, REG_EXTENDED);
    char reason[128];
    if (error != 0) {
        regerror(error, pattern, reason, sizeof reason);
        return cs_fail(CS_ERR_ARG, "--group-regex: \"%s\" is no regular expression: %s", text, reason);
    }
    if (pattern->re_nsub >= 1)
        return CS_OK;
    regfree(pattern);
    return cs_hint(cs_fail(CS_ERR_ARG, "--group-regex: \"%s\" has no part in ( )", text),
                   "what that part matches is the group, such as person([0-9]+)_");
}

cs_status pack_find_groups(const pack_options *options, pack_list *list) {
    regex_t pattern;
    size_t without = 0;
    if (!options->group_regex)
        return CS_OK;
    CS_TRY(compile(options->group_regex, &pattern));
    cs_status status = CS_OK;
    for (size_t i = 0; i < list->n && status == CS_OK; i++)
        status = set_group(&pattern, &list->samples[i], &without);
    regfree(&pattern);
    CS_TRY(status);
    list->grouped = true;
    if (without == list->n)
        return cs_fail(CS_ERR_ARG, "--group-regex: \"%s\" matches no path, such as %s", options->group_regex,
                       list->samples[0].id);
    if (without > 0)
        cs_log(CS_LOG_WARN, "%zu of %zu images have no group: --group-regex does not match their paths", without,
               list->n);
    return CS_OK;
}

/* Warns of groups with images in different splits: the network is then tested on what it was trained on. */
static cs_status check_groups(const pack_list *list) {
    cs_group_member *members = NULL;
    size_t n = 0;
    CS_TRY(cs_alloc(list->n, sizeof *members, "groups", &members));
    for (size_t i = 0; i < list->n; i++)
        if (list->samples[i].group && list->samples[i].group[0])
            members[n++] = (cs_group_member){list->samples[i].group, list->samples[i].split};
    const cs_status status = cs_warn_of_crossing(members, n, "", "");
    free(members);
    return status;
}

/* Warns of classes that a split does not have. */
static cs_status check_classes(const pack_list *list) {
    enum { NAMED = 5 };
    int64_t *counts = NULL; /* [n_classes] */
    CS_TRY(cs_alloc((size_t)list->n_classes, sizeof *counts, "class counts", &counts));
    for (int s = CS_SPLIT_VAL; s < CS_SPLIT_COUNT; s++) {
        char names[CS_PATH_MAX] = "";
        int missing = 0;
        int64_t all = 0;
        memset(counts, 0, (size_t)list->n_classes * sizeof *counts);
        for (size_t i = 0; i < list->n; i++)
            if (list->samples[i].split == (cs_split)s) {
                counts[list->samples[i].label]++;
                all++;
            }
        for (int c = 0; c < list->n_classes && all > 0; c++) {
            size_t at = strlen(names);
            if (counts[c] == 0 && missing++ < NAMED)
                snprintf(names + at, sizeof names - at, "%s\"%s\"", missing > 1 ? ", " : "", list->classes[c]);
        }
        if (missing > 0)
            cs_log(CS_LOG_WARN, "%s has no image of %d of %d classes: %s%s", cs_split_name((cs_split)s), missing,
                   list->n_classes, names, missing > NAMED ? " ..." : "");
    }
    free(counts);
    return CS_OK;
}

cs_status pack_check_splits(const pack_list *list) {
    CS_TRY(check_groups(list));
    return check_classes(list);
}
