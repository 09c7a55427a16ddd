/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that the files of a trial hold what they held when the sweep began. */
#include "cnnsweep/file.h"
#include "cnnsweep/train.h"

cs_status cs_trial_check_weights(const cs_trial_config *trial) {
    uint64_t seen;
    if (trial->weights_checksum == 0)
        return CS_OK;
    CS_TRY(cs_checksum_file(trial->weights, &seen));
    if (seen == trial->weights_checksum)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_FORMAT,
                           "%s holds other bytes than when the sweep began: checksum %016llx, not %016llx",
                           trial->weights, (unsigned long long)seen, (unsigned long long)trial->weights_checksum),
                   "it was replaced meanwhile, or this node has another file there");
}

cs_status cs_trial_check_data(const cs_trial_config *trial, const cs_dataset *dataset) {
    uint64_t seen = cs_dataset_checksum(dataset);
    if (trial->data.checksum == 0 || seen == trial->data.checksum)
        return CS_OK;
    return cs_hint(
        cs_fail(CS_ERR_FORMAT, "%s holds other samples than when the sweep began: checksum %016llx, not %016llx",
                cs_dataset_path(dataset), (unsigned long long)seen, (unsigned long long)trial->data.checksum),
        "it was replaced meanwhile, or this node has another dataset there");
}
