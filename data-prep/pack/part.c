/* SPDX-License-Identifier: Apache-2.0 */
/* A part of the images, for one of several processes that pack a dataset together. */
#include "image.h"

#include "cnnsweep/file.h"
#include "cnnsweep/log.h"

/* Keeps the samples of this part. If the number of images in a shard is known in advance, parts end where shards end,
 * so that the shards are the same as in a dataset that is packed in one run. */
static void keep_part(const pack_options *options, pack_list *list) {
    size_t fill = 1, bytes = (size_t)options->size[0] * (size_t)options->size[1] * 3;
    if (options->encoding == CS_ENCODING_RAW && bytes > 0)
        fill = (size_t)options->shard_bytes / bytes;
    fill = fill > 0 ? fill : 1;
    size_t shards = ((size_t)pack_list_images(list) + fill - 1) / fill, count = (size_t)options->part.count;
    size_t begin = shards * (size_t)options->part.index / count * fill;
    size_t end = shards * ((size_t)options->part.index + 1) / count * fill;
    size_t kept = 0;
    for (size_t i = 0, at = 0; i < list->n; i++) {
        pack_sample sample = list->samples[i];
        const size_t after = at + 1 + (size_t)sample.repeats;
        const size_t first = at > begin ? at : begin, last = after < end ? after : end;
        at = after;
        if (first >= last) {
            pack_sample_clear(&sample);
            continue;
        }
        sample.repeats = (int)(last - first) - 1;
        list->samples[kept++] = sample;
    }
    list->n = kept;
    if (kept == 0 && fill > 1)
        cs_log(CS_LOG_INFO,
               "part %d of %d gets no images, as all of them fill %zu shard(s); --shard-size makes smaller ones",
               options->part.index, options->part.count, shards);
}

/* Leaves out bad files and sets the options that must be the same for all parts: they depend on the files of all
 * parts. */
static cs_status prepare_list(pack_options *options, pack_list *list, const volatile sig_atomic_t *stop) {
    if (options->skip_bad) {
        CS_TRY(pack_find_bad(options, list, stop));
        CS_TRY(pack_list_bad(options, list));
        CS_TRY(pack_leave_out(options, list));
    }
    if (options->encoding == CS_ENCODING_RAW && options->size[0] == 0)
        CS_TRY(pack_find_size(options, list, &options->size[1], &options->size[0]));
    return pack_fingerprint(options, list, &options->part.source);
}

cs_status pack_take_part(pack_options *options, pack_list *list, const volatile sig_atomic_t *stop, bool *done) {
    char folder[CS_PATH_MAX];
    cs_dataset_part found;
    *done = false;
    if (cs_file_exists(options->out))
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: already exists", options->out), "remove it first");
    CS_TRY(prepare_list(options, list, stop));
    CS_TRY(cs_dataset_part_path(options->out, options->part.index, folder, sizeof folder));
    keep_part(options, list);
    if (!cs_file_exists(folder))
        return CS_OK;
    CS_TRY(cs_dataset_read_part(folder, &found));
    if (found.source != options->part.source || found.count != options->part.count)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: exists already, as part %d of %d of other images or options", folder,
                               found.index, found.count),
                       "remove %s.parts first", options->out);
    cs_log(CS_LOG_INFO, "%s: this part exists already", folder);
    *done = true;
    return CS_OK;
}
