/* SPDX-License-Identifier: Apache-2.0 */
#include "filters.h"

bool cs_filter_crops(const cs_filter_chain *chain) {
    int n;
    const cs_filter *filters = cs_filters(&n);
    for (int i = 0; i < chain->n; i++)
        if (filters[chain->steps[i].filter].crops)
            return true;
    return false;
}

cs_status cs_filter_apply(const cs_filter_chain *chain, cs_filter_scratch *scratch, cs_image *image) {
    int n;
    const cs_filter *filters = cs_filters(&n);
    for (int i = 0; i < chain->n; i++) {
        cs_scratch_reset(scratch);
        CS_TRY(filters[chain->steps[i].filter].apply(chain->steps[i].value, scratch, image));
    }
    return CS_OK;
}
