/* SPDX-License-Identifier: Apache-2.0 */
#include "hdf5_reader.h"

#include "cnnsweep/dataset.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"

#include <stdlib.h>
#include <string.h>

/* A file whose bytes were changed has another checksum. It is not verified, for the rest of the reader to be reached.
 */
void fuzz_read_begin(void) {
    cs_log_set_level(CS_LOG_ERROR);
    if (setenv("CNNSWEEP_TRUST_SHARDS", "1", 1) != 0)
        abort();
}

/* Reads all that the dataset gives. */
static void read_samples(const cs_dataset *dataset, cs_split split) {
    for (int64_t i = 0; i < cs_dataset_count(dataset, split); i++) {
        size_t size;
        const char *id = cs_dataset_id(dataset, split, i), *group = cs_dataset_group(dataset, split, i);
        const uint8_t *bytes = cs_dataset_bytes(dataset, split, i, &size);
        const int32_t label = cs_dataset_label(dataset, split, i);
        const float weight = cs_dataset_weight(dataset, split, i);
        const uint64_t seen[] = {cs_checksum(id, strlen(id)), cs_checksum(group, strlen(group)),
                                 cs_checksum(bytes, size)};
        if (label < 0 || label >= cs_dataset_class_count(dataset) || !(weight >= 0) ||
            cs_checksum(seen, sizeof seen) == 0)
            abort();
    }
}

cs_status fuzz_read(const char *path) {
    cs_dataset *dataset = NULL;
    CS_TRY(cs_dataset_open(path, &dataset));
    const cs_source_classes *classes = cs_dataset_source_classes(dataset);
    for (int i = 0; i < classes->n; i++)
        if (!classes->names[i] || classes->labels[i] >= cs_dataset_class_count(dataset))
            abort();
    cs_dataset_warn_if_black(dataset);
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        read_samples(dataset, (cs_split)s);
    cs_dataset_close(dataset);
    return CS_OK;
}
