/* SPDX-License-Identifier: Apache-2.0 */
/* What a dataset tells of images that are in one split and known from another. */
#include "cnnsweep/crossing.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>

/* Lists the samples that have a group. */
static size_t list_members(const cs_dataset *dataset, cs_group_member *members) {
    size_t n = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        for (int64_t i = 0; i < cs_dataset_count(dataset, (cs_split)s); i++) {
            members[n] = (cs_group_member){cs_dataset_group(dataset, (cs_split)s, i), (cs_split)s};
            n += members[n].group[0] != '\0';
        }
    return n;
}

static cs_status warn_of_groups(const cs_dataset *dataset) {
    cs_group_member *members = NULL;
    char before[CS_PATH_MAX];
    int64_t all = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        all += cs_dataset_count(dataset, (cs_split)s);
    CS_TRY(cs_path(before, sizeof before, "%s: ", cs_dataset_path(dataset)));
    CS_TRY(cs_alloc((size_t)all, sizeof *members, "groups", &members));
    const cs_status status = cs_warn_of_crossing(members, list_members(dataset, members), before,
                                                 ": results on val and test are better than on new images");
    free(members);
    return status;
}

cs_status cs_dataset_warn_of_leaks(const cs_dataset *dataset) {
    const int64_t sets = cs_dataset_duplicates(dataset).across_splits;
    if (sets > 0)
        cs_log(CS_LOG_WARN,
               "%s: %lld set%s of duplicates %s images in more than one split: results on val and test are better than "
               "on new images (cnnsweep-pack --duplicates drop leaves them out)",
               cs_dataset_path(dataset), (long long)sets, sets == 1 ? "" : "s", sets == 1 ? "has" : "have");
    return cs_dataset_has_groups(dataset) ? warn_of_groups(dataset) : CS_OK;
}
