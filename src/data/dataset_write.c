/* SPDX-License-Identifier: Apache-2.0 */
/* The dataset writer. Raw pixels are written straight to their final place in the shard, and so are the JPEGs of train,
 * which are the first. The others come after them, and the size of all JPEGs of a split is known only at the end of a
 * shard: those of val and test are collected in unnamed files and copied when the shard is full. */
#include "dataset_impl.h"

#include "cnnsweep/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COPY_BUFFER = 1 << 20 };

/* Texts one after another, each NUL-terminated. */
typedef struct texts {
    char *bytes;
    size_t used, capacity, longest; /* longest: with its NUL */
} texts;

/* One split of the shard that is being written. */
typedef struct split_writer {
    int64_t left;    /* samples of the layout that were not appended yet */
    int64_t n, room; /* samples in this shard; with raw images, the samples that fit */
    size_t image_bytes;
    haddr_t at; /* with raw images: where they begin in the shard */
    int spool;  /* unnamed file with the JPEGs so far; -1 for those that are written to the shard */
    cs_checksum_stream *checksum;
    int32_t *label;
    int64_t *offset;
    float *weight;
    size_t label_capacity, offset_capacity, weight_capacity;
    texts ids, groups;
} split_writer;

struct cs_dataset_writer {
    char path[CS_PATH_MAX], temporary[CS_PATH_MAX];
    cs_encoding encoding;
    cs_dataset_meta meta;
    int64_t shard_bytes;
    bool weighted, grouped, replace;
    split_writer splits[CS_SPLIT_COUNT];
    char shard[CS_PATH_MAX]; /* path of the shard that is being written */
    int file;                /* its descriptor; -1 between shards */
    cs_shard_entry *shards;
    size_t n_shards, shard_capacity;
};

static cs_status parent_of(const char *path, char folder[CS_PATH_MAX]) {
    CS_TRY(cs_path(folder, CS_PATH_MAX, "%s", path));
    char *slash = strrchr(folder, '/');
    if (!slash)
        strcpy(folder, ".");
    else
        slash[slash == folder] = '\0';
    return CS_OK;
}

/* Opens a file without a name, which disappears with the process, however that ends. */
static cs_status open_spool(const char *temporary, int *spool) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s.spool", temporary));
    *spool = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (*spool < 0)
        return cs_fail_errno("%s: cannot write", path);
    unlink(path);
    return CS_OK;
}

static cs_status copy_names(const char *const *from, int n, int *to_n, char ***to) {
    CS_TRY(cs_alloc((size_t)n, sizeof **to, "class names", to));
    *to_n = n;
    for (int i = 0; i < n; i++)
        CS_TRY(cs_strdup(from[i], &(*to)[i]));
    return CS_OK;
}

static cs_status copy_source_classes(const cs_source_classes *from, cs_source_classes *to) {
    const size_t n = (size_t)from->n;
    if (n == 0)
        return CS_OK;
    CS_TRY(copy_names((const char *const *)from->names, from->n, &to->n, &to->names));
    CS_TRY(cs_alloc(n, sizeof *to->labels, "class names", &to->labels));
    memcpy(to->labels, from->labels, n * sizeof *to->labels);
    return CS_OK;
}

static cs_status copy_source_counts(const cs_dataset_layout *layout, int64_t **to) {
    const size_t n = (size_t)layout->n_classes;
    if (!layout->source_counts)
        return CS_OK;
    CS_TRY(cs_alloc(n, sizeof **to, "class counts", to));
    memcpy(*to, layout->source_counts, n * sizeof **to);
    return CS_OK;
}

static cs_status copy_layout(cs_dataset_writer *writer, const cs_dataset_layout *layout) {
    writer->encoding = layout->encoding;
    writer->shard_bytes = layout->shard_bytes;
    writer->weighted = layout->weighted;
    writer->grouped = layout->grouped;
    writer->replace = layout->replace;
    writer->meta.resize = layout->resize;
    writer->meta.h = layout->h;
    writer->meta.w = layout->w;
    snprintf(writer->meta.filter, sizeof writer->meta.filter, "%s", layout->filter ? layout->filter : "none");
    snprintf(writer->meta.decode, sizeof writer->meta.decode, "%s", layout->decode ? layout->decode : "default");
    CS_TRY(copy_names(layout->classes, layout->n_classes, &writer->meta.n_classes, &writer->meta.classes));
    CS_TRY(copy_source_classes(&layout->source_classes, &writer->meta.source_classes));
    CS_TRY(copy_source_counts(layout, &writer->meta.source_counts));
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        writer->splits[s].left = layout->counts[s];
        if (layout->encoding == CS_ENCODING_JPEG && s != CS_SPLIT_TRAIN)
            CS_TRY(open_spool(writer->temporary, &writer->splits[s].spool));
    }
    return CS_OK;
}

static cs_status check_name(const char *path, bool replace) {
    char index[CS_PATH_MAX];
    if (!cs_file_exists(path))
        return CS_OK;
    if (!replace)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: already exists", path), "remove it first, or choose another name");
    CS_TRY(cs_path(index, sizeof index, "%s/" CS_DATASET_INDEX, path));
    if (cs_is_folder(path) && !cs_file_exists(index))
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: is a folder, and no dataset that could be replaced", path),
                       "choose another name");
    return CS_OK;
}

static cs_status check_layout(const char *path, const cs_dataset_layout *layout) {
    if (layout->n_classes < 1)
        return cs_fail(CS_ERR_ARG, "%s: a dataset of %d classes", path, layout->n_classes);
    if (layout->encoding == CS_ENCODING_RAW && (layout->h < 1 || layout->w < 1))
        return cs_fail(CS_ERR_ARG, "%s: raw images of %dx%d", path, layout->w, layout->h);
    return check_name(path, layout->replace);
}

static cs_status begin_shard(cs_dataset_writer *writer);

cs_status cs_dataset_create(const char *path, const cs_dataset_layout *layout, cs_dataset_writer **out) {
    char parent[CS_PATH_MAX];
    CS_TRY(check_layout(path, layout));
    CS_TRY(parent_of(path, parent));
    CS_TRY(cs_folder_create(parent));
    cs_dataset_writer *writer = NULL;
    CS_TRY(cs_alloc(1, sizeof *writer, "dataset writer", &writer));
    writer->file = -1;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        writer->splits[s].spool = -1;
    cs_status status;
    CS_TRY_GOTO(cs_path(writer->path, sizeof writer->path, "%s", path), fail);
    CS_TRY_GOTO(cs_path(writer->temporary, sizeof writer->temporary, "%s.tmp.%ld", path, (long)getpid()), fail);
    CS_TRY_GOTO(copy_layout(writer, layout), fail);
    if (writer->shard_bytes > 0)
        CS_TRY_GOTO(cs_folder_create(writer->temporary), fail);
    CS_TRY_GOTO(begin_shard(writer), fail);
    *out = writer;
    return CS_OK;
fail:
    cs_dataset_abort(&writer);
    return status;
}

void cs_dataset_abort(cs_dataset_writer **out) {
    if (!out || !*out)
        return;
    cs_dataset_writer *writer = *out;
    *out = NULL;
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        split_writer *split = &writer->splits[s];
        if (split->spool >= 0)
            close(split->spool);
        cs_checksum_close(split->checksum);
        free(split->label);
        free(split->offset);
        free(split->weight);
        free(split->ids.bytes);
        free(split->groups.bytes);
    }
    if (writer->file >= 0)
        close(writer->file);
    /* The caller must see the error that led to this call, not one of the clean-up. */
    cs_error cause = *cs_error_last();
    if (writer->temporary[0] && cs_remove_all(writer->temporary) != CS_OK)
        (void)cs_error_restore(&cause);
    cs_meta_clear(&writer->meta);
    free(writer->shards);
    free(writer);
}

void cs_dataset_set_mean_std(cs_dataset_writer *writer, const double mean[3], const double std[3]) {
    memcpy(writer->meta.mean, mean, sizeof writer->meta.mean);
    memcpy(writer->meta.std, std, sizeof writer->meta.std);
}

void cs_dataset_set_duplicates(cs_dataset_writer *writer, const cs_duplicate_counts *counts) {
    writer->meta.duplicates = *counts;
}

static size_t raw_size(const cs_dataset_writer *writer) {
    return (size_t)writer->meta.h * (size_t)writer->meta.w * 3;
}

static cs_status shard_path(const cs_dataset_writer *writer, const cs_shard_entry *entry, char path[CS_PATH_MAX]) {
    if (writer->shard_bytes == 0)
        return cs_path(path, CS_PATH_MAX, "%s", writer->temporary);
    return cs_path(path, CS_PATH_MAX, "%s/%s", writer->temporary, entry->file);
}

static cs_status open_shard(cs_dataset_writer *writer) {
    writer->file = open(writer->shard, O_RDWR);
    return writer->file < 0 ? cs_fail_errno("%s: cannot write", writer->shard) : CS_OK;
}

/* Creates a raw shard before its images arrive, with space for the next images of the layout, as many as fit. */
static cs_status begin_raw(cs_dataset_writer *writer) {
    int64_t room = INT64_MAX, counts[CS_SPLIT_COUNT];
    haddr_t at[CS_SPLIT_COUNT];
    if (writer->shard_bytes > 0)
        room = writer->shard_bytes / (int64_t)raw_size(writer);
    room = room > 0 ? room : 1;
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        counts[s] = writer->splits[s].left < room ? writer->splits[s].left : room;
        room -= counts[s];
    }
    CS_TRY(cs_shard_begin(writer->shard, writer->meta.h, writer->meta.w, counts, at));
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        writer->splits[s].room = counts[s];
        writer->splits[s].at = at[s];
    }
    return open_shard(writer);
}

static cs_status begin_jpegs(cs_dataset_writer *writer) {
    CS_TRY(cs_shard_begin(writer->shard, 0, 0, NULL, NULL));
    return open_shard(writer);
}

static cs_status begin_shard(cs_dataset_writer *writer) {
    CS_TRY(cs_grow(&writer->shards, &writer->shard_capacity, writer->n_shards + 1, sizeof *writer->shards, "shards"));
    cs_shard_entry *entry = &writer->shards[writer->n_shards];
    cs_shard_name(entry->file, writer->n_shards);
    CS_TRY(shard_path(writer, entry, writer->shard));
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        split_writer *split = &writer->splits[s];
        split->n = 0;
        split->image_bytes = split->ids.used = split->groups.used = 0;
        split->ids.longest = split->groups.longest = 1;
        CS_TRY(cs_checksum_open(&split->checksum));
        if (split->spool >= 0 && ftruncate(split->spool, 0) != 0)
            return cs_fail_errno("%s: cannot write", writer->path);
    }
    return writer->encoding == CS_ENCODING_RAW ? begin_raw(writer) : begin_jpegs(writer);
}

static cs_status read_back(const cs_dataset_writer *writer, int file, haddr_t from, char *buffer, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(file, buffer + done, size - done, (off_t)(from + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return cs_fail_errno("%s: cannot read back what was written", writer->path);
        done += (size_t)got;
    }
    return CS_OK;
}

static cs_status copy_spool(const cs_dataset_writer *writer, const split_writer *split, haddr_t at, char *buffer) {
    for (size_t done = 0; done < split->image_bytes;) {
        const size_t left = split->image_bytes - done, size = left < COPY_BUFFER ? left : COPY_BUFFER;
        CS_TRY(read_back(writer, split->spool, done, buffer, size));
        CS_TRY(cs_write_at(writer->file, writer->path, buffer, size, at + done));
        done += size;
    }
    return CS_OK;
}

/* Places the JPEGs of all splits when all have arrived. */
static cs_status place_jpegs(cs_dataset_writer *writer, char *buffer) {
    size_t bytes[CS_SPLIT_COUNT];
    haddr_t at[CS_SPLIT_COUNT];
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        bytes[s] = writer->splits[s].image_bytes;
    const size_t train = bytes[CS_SPLIT_TRAIN], moved = train < CS_HDF5_LARGE ? train : 0;
    CS_TRY(read_back(writer, writer->file, CS_HDF5_FIRST, buffer, moved));
    CS_TRY(cs_shard_place_jpegs(writer->shard, bytes, at));
    if (train > moved && at[CS_SPLIT_TRAIN] != CS_HDF5_FIRST)
        return cs_fail(CS_ERR_IO, "%s: HDF5 places the images at %llu, not at %d", writer->path,
                       (unsigned long long)at[CS_SPLIT_TRAIN], (int)CS_HDF5_FIRST);
    CS_TRY(cs_write_at(writer->file, writer->path, buffer, moved, at[CS_SPLIT_TRAIN]));
    for (int s = CS_SPLIT_TRAIN + 1; s < CS_SPLIT_COUNT; s++)
        CS_TRY(copy_spool(writer, &writer->splits[s], at[s], buffer));
    return CS_OK;
}

static cs_status finish_jpegs(cs_dataset_writer *writer) {
    char *buffer = NULL;
    CS_TRY(cs_alloc(COPY_BUFFER, 1, "copy buffer", &buffer));
    cs_status status = place_jpegs(writer, buffer);
    free(buffer);
    return status;
}

static cs_status add_text(texts *to, const char *text) {
    const size_t size = strlen(text) + 1;
    CS_TRY(cs_grow(&to->bytes, &to->capacity, to->used + size, 1, "texts of samples"));
    memcpy(to->bytes + to->used, text, size);
    to->used += size;
    to->longest = size > to->longest ? size : to->longest;
    return CS_OK;
}

/* Makes a column of n texts, padded to one length and malloc'ed. */
static cs_status make_texts(const texts *from, int64_t n, cs_text_column *out) {
    char *padded = NULL;
    CS_TRY(cs_alloc((size_t)n, from->longest, "texts of samples", &padded));
    *out = (cs_text_column){padded, from->longest};
    const char *text = from->bytes;
    for (int64_t i = 0; i < n; i++, text += strlen(text) + 1)
        strcpy(padded + (size_t)i * from->longest, text);
    return CS_OK;
}

/* Fills the columns of a split. The caller frees the texts of data->id and data->group. */
static cs_status make_columns(const cs_dataset_writer *writer, split_writer *split, cs_split_data *data) {
    *data = (cs_split_data){.n = split->n, .label = split->label};
    CS_TRY(make_texts(&split->ids, split->n, &data->id));
    if (writer->grouped)
        CS_TRY(make_texts(&split->groups, split->n, &data->group));
    if (writer->weighted) { /* a split without samples has an array, too */
        CS_TRY(
            cs_grow(&split->weight, &split->weight_capacity, (size_t)split->n + 1, sizeof *split->weight, "weights"));
        data->weight = split->weight;
    }
    if (writer->encoding == CS_ENCODING_JPEG) {
        size_t offsets = (size_t)split->n + 1;
        CS_TRY(cs_grow(&split->offset, &split->offset_capacity, offsets, sizeof *split->offset, "offsets"));
        split->offset[split->n] = (int64_t)split->image_bytes;
        data->offset = split->offset;
    }
    return CS_OK;
}

static cs_status finish_shard(cs_dataset_writer *writer) {
    cs_shard_entry *entry = &writer->shards[writer->n_shards];
    cs_split_data data[CS_SPLIT_COUNT] = {{0}};
    uint64_t images[CS_SPLIT_COUNT];
    cs_status status = writer->encoding == CS_ENCODING_JPEG ? finish_jpegs(writer) : CS_OK;
    for (int s = 0; s < CS_SPLIT_COUNT && status == CS_OK; s++) {
        split_writer *split = &writer->splits[s];
        status = make_columns(writer, split, &data[s]);
        entry->counts[s] = split->n;
        images[s] = cs_checksum_close(split->checksum);
        split->checksum = NULL;
    }
    if (status == CS_OK)
        status = cs_shard_finish(writer->shard, writer->file, data);
    if (status == CS_OK) {
        cs_split_checksum(data, images, entry->checksum);
        writer->n_shards++;
        int file = writer->file;
        writer->file = -1;
        if (close(file) != 0)
            status = cs_fail_errno("%s: cannot write", writer->shard);
    }
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        free((void *)data[s].id.text);
        free((void *)data[s].group.text);
    }
    return status;
}

static cs_status check_sample(const cs_dataset_writer *writer, const cs_dataset_sample *sample, size_t size) {
    const char *id = sample->id;
    if (sample->label < 0 || sample->label >= writer->meta.n_classes)
        return cs_fail(CS_ERR_ARG, "%s: label %d of %d classes", id, (int)sample->label, writer->meta.n_classes);
    if (!(sample->weight >= 0 && isfinite(sample->weight)))
        return cs_fail(CS_ERR_ARG, "%s: a weight of %g", id, (double)sample->weight);
    if (writer->splits[sample->split].left <= 0)
        return cs_fail(CS_ERR_ARG, "%s: more %s samples than the layout says", id, cs_split_name(sample->split));
    if (writer->encoding == CS_ENCODING_RAW && size != raw_size(writer))
        return cs_fail(CS_ERR_SHAPE, "%s: %zu bytes of pixels, not the %zu of %dx%dx3", id, size, raw_size(writer),
                       writer->meta.w, writer->meta.h);
    return CS_OK;
}

/* Finishes the current shard. */
static bool shard_is_full(const cs_dataset_writer *writer, size_t next) {
    int64_t n = 0, room = 0;
    size_t bytes = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        n += writer->splits[s].n;
        room += writer->splits[s].room;
        bytes += writer->splits[s].image_bytes;
    }
    if (writer->encoding == CS_ENCODING_RAW)
        return n == room;
    return writer->shard_bytes > 0 && n > 0 && bytes + next > (uint64_t)writer->shard_bytes;
}

static cs_status write_image(cs_dataset_writer *writer, split_writer *split, const uint8_t *bytes, size_t size) {
    if (split->spool >= 0)
        return cs_write_at(split->spool, writer->path, bytes, size, split->image_bytes);
    if (writer->encoding == CS_ENCODING_JPEG)
        return cs_write_at(writer->file, writer->path, bytes, size, CS_HDF5_FIRST + split->image_bytes);
    if (split->n == split->room)
        return cs_fail(CS_ERR_ARG, "%s: samples must come split by split", writer->path);
    return cs_write_at(writer->file, writer->path, bytes, size, split->at + split->image_bytes);
}

cs_status cs_dataset_append(cs_dataset_writer *writer, cs_split split, int32_t label, const char *id,
                            const uint8_t *bytes, size_t size) {
    const cs_dataset_sample sample = {.split = split, .label = label, .weight = 1, .id = id};
    return cs_dataset_append_sample(writer, &sample, bytes, size);
}

cs_status cs_dataset_append_sample(cs_dataset_writer *writer, const cs_dataset_sample *sample, const uint8_t *bytes,
                                   size_t size) {
    CS_TRY(check_sample(writer, sample, size));
    if (shard_is_full(writer, size)) {
        CS_TRY(finish_shard(writer));
        CS_TRY(begin_shard(writer));
    }
    split_writer *split = &writer->splits[sample->split];
    size_t n = (size_t)split->n;
    CS_TRY(cs_grow(&split->label, &split->label_capacity, n + 1, sizeof *split->label, "labels"));
    CS_TRY(cs_grow(&split->offset, &split->offset_capacity, n + 1, sizeof *split->offset, "offsets"));
    CS_TRY(cs_grow(&split->weight, &split->weight_capacity, n + 1, sizeof *split->weight, "weights"));
    CS_TRY(write_image(writer, split, bytes, size));
    CS_TRY(add_text(&split->ids, sample->id));
    CS_TRY(add_text(&split->groups, sample->group ? sample->group : ""));
    cs_checksum_add(split->checksum, bytes, size);
    split->label[n] = sample->label;
    split->weight[n] = sample->weight;
    split->offset[n] = (int64_t)split->image_bytes;
    split->image_bytes += size;
    split->n++;
    split->left--;
    return CS_OK;
}

static cs_status check_complete(const cs_dataset_writer *writer) {
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        if (writer->splits[s].left > 0)
            return cs_fail(CS_ERR_ARG, "%s: %lld %s samples of the layout never came", writer->path,
                           (long long)writer->splits[s].left, cs_split_name((cs_split)s));
    return CS_OK;
}

static cs_status seal_all(cs_dataset_writer *writer) {
    for (size_t i = 0; i < writer->n_shards; i++) {
        char path[CS_PATH_MAX];
        CS_TRY(shard_path(writer, &writer->shards[i], path));
        strcpy(writer->meta.checksum, writer->shards[i].checksum);
        CS_TRY(cs_shard_seal(path, &writer->meta));
    }
    if (writer->shard_bytes > 0) {
        CS_TRY(cs_index_write(writer->temporary, writer->shards, writer->n_shards));
        CS_TRY(cs_file_sync(writer->temporary));
    }
    return CS_OK;
}

/* `part` is NULL for a whole dataset. */
static cs_status commit(cs_dataset_writer **out, const cs_dataset_part *part) {
    cs_dataset_writer *writer = *out;
    cs_status status = check_complete(writer);
    if (status == CS_OK)
        status = finish_shard(writer);
    if (status == CS_OK)
        status = seal_all(writer);
    if (status == CS_OK && part)
        status = cs_part_write(writer->temporary, part);
    if (status == CS_OK)
        status = writer->replace && cs_file_exists(writer->path) ? cs_file_exchange(writer->temporary, writer->path)
                                                                 : cs_file_move(writer->temporary, writer->path);
    cs_dataset_abort(out); /* frees the writer, and removes what it has replaced, which has the temporary name now */
    return status;
}

cs_status cs_dataset_commit(cs_dataset_writer **out) {
    return commit(out, NULL);
}

cs_status cs_dataset_commit_part(cs_dataset_writer **out, const cs_dataset_part *part) {
    return commit(out, part);
}
