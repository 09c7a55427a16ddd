/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include <string.h>

cs_status pack_fingerprint(const pack_options *options, const pack_list *list, uint64_t *fingerprint) {
    const int64_t rules[] = {options->size[0],     options->size[1], options->resize.interpolation, options->encoding,
                             options->shard_bytes, (int64_t)list->n, options->resize.aspect};
    cs_checksum_stream *stream = NULL;
    CS_TRY(cs_checksum_open(&stream));
    cs_checksum_add(stream, rules, sizeof rules);
    char decode[CS_DECODE_TEXT];
    cs_decode_rules_text(&options->decode, decode);
    cs_checksum_add(stream, decode, strlen(decode));
    if (options->filter.n > 0)
        cs_checksum_add(stream, options->filter.text, strlen(options->filter.text));
    if (list->filter)
        cs_checksum_add(stream, list->filter, strlen(list->filter));
    for (int i = 0; i < list->n_classes; i++)
        cs_checksum_add(stream, list->classes[i], strlen(list->classes[i]) + 1);
    for (size_t i = 0; i < list->n; i++) {
        const int32_t place[] = {list->samples[i].label, (int32_t)list->samples[i].split, list->samples[i].repeats};
        cs_checksum_add(stream, place, sizeof place);
        cs_checksum_add(stream, list->samples[i].id, strlen(list->samples[i].id) + 1);
        if (list->grouped) {
            const char *group = list->samples[i].group ? list->samples[i].group : "";
            cs_checksum_add(stream, group, strlen(group) + 1);
        }
        if (list->weighted)
            cs_checksum_add(stream, &list->samples[i].weight, sizeof list->samples[i].weight);
    }
    *fingerprint = cs_checksum_close(stream);
    return CS_OK;
}
