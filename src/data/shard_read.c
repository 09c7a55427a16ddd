/* SPDX-License-Identifier: Apache-2.0 */
/* Opens one shard. HDF5 gives the offsets of the arrays; then the file is mapped, and HDF5 is not used any more. */
#include "dataset_impl.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static cs_status find_column(const cs_shard *shard, hid_t file, int split, const char *column, hid_t type,
                             cs_extent *out) {
    return cs_hdf5_find(file, shard->path, &shard->map, cs_split_name((cs_split)split), column, type, out);
}

static cs_status fail_size(const cs_shard *shard, int split, const char *what) {
    return cs_fail(CS_ERR_FORMAT, "%s: %s: %s", shard->path, cs_split_name((cs_split)split), what);
}

static cs_status read_images(cs_shard *shard, hid_t file, int s) {
    cs_split_data *split = &shard->splits[s];
    cs_extent images = {0}, offset = {0};
    char name[32];
    snprintf(name, sizeof name, "%s/jpeg", cs_split_name((cs_split)s));
    if (H5Lexists(file, name, H5P_DEFAULT) <= 0) {
        CS_TRY(find_column(shard, file, s, "images", H5T_NATIVE_UINT8, &images));
        if (shard->meta.h < 1 || shard->meta.w < 1)
            return cs_fail(CS_ERR_FORMAT, "%s: raw images of %d x %d", shard->path, shard->meta.w, shard->meta.h);
        if (images.rank != 4 || images.dims[0] != (hsize_t)split->n || images.dims[1] != (hsize_t)shard->meta.h ||
            images.dims[2] != (hsize_t)shard->meta.w || images.dims[3] != 3)
            return fail_size(shard, s, "images has another shape than [labels, height, width, 3]");
    } else {
        CS_TRY(find_column(shard, file, s, "jpeg", H5T_NATIVE_UINT8, &images));
        CS_TRY(find_column(shard, file, s, "offset", H5T_NATIVE_INT64, &offset));
        if (images.rank != 1 || offset.rank != 1 || offset.dims[0] != (hsize_t)split->n + 1)
            return fail_size(shard, s, "offset has not one value more than label");
        split->offset = offset.bytes;
    }
    split->images = images.bytes;
    split->image_bytes = images.size;
    return CS_OK;
}

/* Finds a column that a dataset need not have; without it, *out is empty. */
static cs_status find_optional(const cs_shard *shard, hid_t file, int s, const char *column, hid_t type,
                               cs_extent *out) {
    char name[32], what[64];
    *out = (cs_extent){0};
    snprintf(name, sizeof name, "%s/%s", cs_split_name((cs_split)s), column);
    if (H5Lexists(file, name, H5P_DEFAULT) <= 0)
        return CS_OK;
    CS_TRY(find_column(shard, file, s, column, type, out));
    snprintf(what, sizeof what, "label and %s differ in length", column);
    return out->rank == 1 && out->dims[0] == (hsize_t)shard->splits[s].n ? CS_OK : fail_size(shard, s, what);
}

static cs_status read_split(cs_shard *shard, hid_t file, int s) {
    cs_split_data *split = &shard->splits[s];
    cs_extent label = {0}, id = {0}, weight, group;
    CS_TRY(find_column(shard, file, s, "label", H5T_NATIVE_INT32, &label));
    CS_TRY(find_column(shard, file, s, "id", H5I_INVALID_HID, &id));
    if (label.rank != 1 || id.rank != 1 || label.dims[0] != id.dims[0])
        return fail_size(shard, s, "label and id differ in length");
    split->n = (int64_t)label.dims[0];
    split->label = label.bytes;
    split->id = (cs_text_column){id.bytes, id.item};
    CS_TRY(find_optional(shard, file, s, "weight", H5T_NATIVE_FLOAT, &weight));
    CS_TRY(find_optional(shard, file, s, "group", H5I_INVALID_HID, &group));
    split->weight = weight.bytes;
    split->group = (cs_text_column){group.bytes, group.item};
    return read_images(shard, file, s);
}

static bool has_end(const cs_text_column *column, int64_t i) {
    return column->text[(size_t)(i + 1) * column->size - 1] == '\0';
}

/* Checks the values that later code trusts. */
static cs_status check_values(const cs_shard *shard, int s) {
    const cs_split_data *split = &shard->splits[s];
    for (int64_t i = 0; i < split->n; i++) {
        if (split->label[i] < 0 || split->label[i] >= shard->meta.n_classes)
            return fail_size(shard, s, "a label outside the classes");
        if (!has_end(&split->id, i) || (split->group.text && !has_end(&split->group, i)))
            return fail_size(shard, s, "an id or a group without an end");
        if (split->offset && (split->offset[i] < 0 || split->offset[i + 1] <= split->offset[i]))
            return fail_size(shard, s, "offsets that do not grow");
        if (split->weight && !(split->weight[i] >= 0 && isfinite(split->weight[i])))
            return fail_size(shard, s, "a weight that is negative or not finite");
    }
    if (split->offset && (split->offset[0] != 0 || split->offset[split->n] != (int64_t)split->image_bytes))
        return fail_size(shard, s, "offsets that do not cover the JPEG bytes");
    return CS_OK;
}

static cs_status read_shard(cs_shard *shard, hid_t file) {
    CS_TRY(cs_meta_read(file, shard->path, &shard->meta));
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        CS_TRY(read_split(shard, file, s));
        CS_TRY(check_values(shard, s));
        if (!shard->splits[s].offset != !shard->splits[0].offset)
            return fail_size(shard, s, "raw and jpeg splits in one file");
        if (!shard->splits[s].weight != !shard->splits[0].weight)
            return fail_size(shard, s, "some splits have weights, others have none");
        if (!shard->splits[s].group.text != !shard->splits[0].group.text)
            return fail_size(shard, s, "some splits have groups, others have none");
    }
    return CS_OK;
}

static cs_status verify_checksum(const cs_shard *shard) {
    char text[CS_CHECKSUM_TEXT];
    uint64_t images[CS_SPLIT_COUNT];
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        images[s] = cs_checksum(shard->splits[s].images, shard->splits[s].image_bytes);
    cs_split_checksum(shard->splits, images, text);
    if (strcmp(text, shard->meta.checksum) != 0)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: altered or damaged: checksum %s, but %s was written", shard->path,
                               text, shard->meta.checksum),
                       "copy it again, or pack the images again");
    return CS_OK;
}

cs_status cs_shard_open(const char *path, bool verify, cs_shard *shard) {
    *shard = (cs_shard){0};
    CS_TRY(cs_strdup(path, &shard->path));
    hid_t file;
    cs_status status = cs_hdf5_map(path, &shard->map, &file);
    if (status == CS_ERR_FORMAT && !cs_error_last()->hint[0])
        cs_hint(status, "cut short, damaged, or not a packed dataset: pack the images again");
    if (status == CS_OK)
        status = read_shard(shard, file);
    if (file >= 0)
        H5Fclose(file);
    if (status == CS_OK && verify)
        status = verify_checksum(shard);
    if (status != CS_OK)
        cs_shard_close(shard);
    return status;
}

void cs_shard_close(cs_shard *shard) {
    cs_hdf5_unmap(&shard->map);
    cs_meta_clear(&shard->meta);
    free(shard->path);
    *shard = (cs_shard){0};
}
