/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

static cs_status list_members(const cs_dataset *dataset, pack_groups *out) {
    int64_t images = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        images += cs_dataset_count(dataset, (cs_split)s);
    CS_TRY(cs_alloc((size_t)images, sizeof *out->members, "groups", &out->members));
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        for (int64_t i = 0; i < cs_dataset_count(dataset, (cs_split)s); i++) {
            const char *group = cs_dataset_group(dataset, (cs_split)s, i);
            if (group[0])
                out->members[out->images++] = (cs_group_member){group, (cs_split)s};
        }
    return CS_OK;
}

cs_status pack_list_groups(const cs_dataset *dataset, pack_groups *out) {
    *out = (pack_groups){0};
    CS_TRY(list_members(dataset, out));
    CS_TRY(cs_find_crossing(out->members, out->images, &out->crossing, &out->n_crossing)); /* sorts the members */
    for (size_t i = 0; i < out->images; i++)
        out->n += i == 0 || strcmp(out->members[i].group, out->members[i - 1].group) != 0;
    return CS_OK;
}

void pack_groups_clear(pack_groups *groups) {
    free(groups->members);
    free(groups->crossing);
}
