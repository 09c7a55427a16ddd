/* The dataset writer. Samples are spooled to unnamed files, one a split; when a shard is full (or at the end) it is
 * written in one go, since only then are the sizes of its contiguous datasets known. */
#include "dataset_impl.h"

#include "cnnsweep/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPOOL_BUFFER = 1 << 18 };

typedef struct split_spool {
    FILE *images;
    char *buffer; /* of `images` */
    size_t image_bytes;
    int64_t n, limit; /* samples here; samples still allowed */
    int32_t *label;
    int64_t *offset;
    size_t label_capacity, offset_capacity;
    char *ids; /* one after the other, NUL-terminated */
    size_t id_bytes, id_capacity, id_size;
} split_spool;

struct cs_dataset_writer {
    char path[CS_PATH_MAX], temporary[CS_PATH_MAX];
    cs_encoding encoding;
    cs_dataset_meta meta;
    int64_t shard_bytes;
    split_spool splits[CS_SPLIT_COUNT];
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

/* A file with no name: gone with the process, whatever ends it. */
static cs_status open_spool(const char *temporary, split_spool *spool) {
    char path[CS_PATH_MAX];
    CS_TRY(cs_path(path, sizeof path, "%s.spool", temporary));
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (descriptor < 0)
        return cs_fail_errno("%s: cannot write", path);
    unlink(path);
    spool->images = fdopen(descriptor, "w+b");
    if (!spool->images) {
        close(descriptor);
        return cs_fail_errno("%s: cannot write", path);
    }
    CS_TRY(cs_alloc(SPOOL_BUFFER, 1, "write buffer", &spool->buffer));
    setvbuf(spool->images, spool->buffer, _IOFBF, SPOOL_BUFFER);
    return CS_OK;
}

static cs_status copy_layout(cs_dataset_writer *writer, const cs_dataset_layout *layout) {
    writer->encoding = layout->encoding;
    writer->shard_bytes = layout->shard_bytes;
    writer->meta.resize = layout->resize;
    writer->meta.h = layout->h;
    writer->meta.w = layout->w;
    CS_TRY(cs_alloc((size_t)layout->n_classes, sizeof(char *), "class names", &writer->meta.classes));
    writer->meta.n_classes = layout->n_classes;
    for (int i = 0; i < layout->n_classes; i++)
        CS_TRY(cs_strdup(layout->classes[i], &writer->meta.classes[i]));
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        writer->splits[s].limit = layout->counts[s];
        writer->splits[s].id_size = 1;
    }
    return CS_OK;
}

static cs_status check_layout(const char *path, const cs_dataset_layout *layout) {
    if (layout->n_classes < 1)
        return cs_fail(CS_ERR_ARG, "%s: a dataset of %d classes", path, layout->n_classes);
    if (layout->encoding == CS_ENCODING_RAW && (layout->h < 1 || layout->w < 1))
        return cs_fail(CS_ERR_ARG, "%s: raw images of %dx%d", path, layout->w, layout->h);
    if (cs_file_exists(path))
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: already exists", path), "remove it first, or choose another name");
    return CS_OK;
}

cs_status cs_dataset_create(const char *path, const cs_dataset_layout *layout, cs_dataset_writer **out) {
    char parent[CS_PATH_MAX];
    CS_TRY(check_layout(path, layout));
    CS_TRY(parent_of(path, parent));
    CS_TRY(cs_folder_create(parent));
    cs_dataset_writer *writer = NULL;
    CS_TRY(cs_alloc(1, sizeof *writer, "dataset writer", &writer));
    cs_status status;
    CS_TRY_GOTO(cs_path(writer->path, sizeof writer->path, "%s", path), fail);
    CS_TRY_GOTO(cs_path(writer->temporary, sizeof writer->temporary, "%s.tmp.%ld", path, (long)getpid()), fail);
    CS_TRY_GOTO(copy_layout(writer, layout), fail);
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        CS_TRY_GOTO(open_spool(writer->temporary, &writer->splits[s]), fail);
    if (writer->shard_bytes > 0)
        CS_TRY_GOTO(cs_folder_create(writer->temporary), fail);
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
        split_spool *spool = &writer->splits[s];
        if (spool->images)
            fclose(spool->images);
        free(spool->buffer);
        free(spool->label);
        free(spool->offset);
        free(spool->ids);
    }
    /* The error that led here is the one to tell, not one of the tidying. */
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

static cs_status check_sample(const cs_dataset_writer *writer, cs_split split, int32_t label, const char *id,
                              size_t size) {
    size_t raw = (size_t)writer->meta.h * (size_t)writer->meta.w * 3;
    if (label < 0 || label >= writer->meta.n_classes)
        return cs_fail(CS_ERR_ARG, "%s: label %d of %d classes", id, (int)label, writer->meta.n_classes);
    if (writer->splits[split].limit <= 0)
        return cs_fail(CS_ERR_ARG, "%s: more %s samples than the layout says", id, cs_split_name(split));
    if (writer->encoding == CS_ENCODING_RAW && size != raw)
        return cs_fail(CS_ERR_SHAPE, "%s: %zu bytes of pixels, not the %zu of %dx%dx3", id, size, raw, writer->meta.w,
                       writer->meta.h);
    return CS_OK;
}

/* The columns of a spool as cs_shard_write wants them, ids padded to one length. */
static cs_status spool_to_data(const cs_dataset_writer *writer, split_spool *spool, cs_split_data *data) {
    if (fflush(spool->images) != 0)
        return cs_fail_errno("%s: cannot write", writer->path);
    char *ids = NULL;
    CS_TRY(cs_alloc((size_t)spool->n, spool->id_size, "sample ids", &ids));
    const char *from = spool->ids;
    for (int64_t i = 0; i < spool->n; i++, from += strlen(from) + 1)
        strcpy(ids + (size_t)i * spool->id_size, from);
    *data = (cs_split_data){spool->n, NULL, spool->image_bytes, NULL, spool->label, ids, spool->id_size};
    if (writer->encoding == CS_ENCODING_JPEG) {
        size_t offsets = (size_t)spool->n + 1;
        CS_TRY(cs_grow(&spool->offset, &spool->offset_capacity, offsets, sizeof *spool->offset, "offsets"));
        spool->offset[spool->n] = (int64_t)spool->image_bytes;
        data->offset = spool->offset;
    }
    return CS_OK;
}

static cs_status empty_spool(const cs_dataset_writer *writer, split_spool *spool) {
    rewind(spool->images);
    if (ftruncate(fileno(spool->images), 0) != 0)
        return cs_fail_errno("%s: cannot write", writer->path);
    spool->n = 0;
    spool->image_bytes = spool->id_bytes = 0;
    spool->id_size = 1;
    return CS_OK;
}

static cs_status shard_path(const cs_dataset_writer *writer, const cs_shard_entry *entry, char path[CS_PATH_MAX]) {
    if (writer->shard_bytes == 0)
        return cs_path(path, CS_PATH_MAX, "%s", writer->temporary);
    return cs_path(path, CS_PATH_MAX, "%s/%s", writer->temporary, entry->file);
}

/* Writes what is spooled as the next shard and empties the spools. */
static cs_status finish_shard(cs_dataset_writer *writer) {
    cs_split_data data[CS_SPLIT_COUNT] = {{0}};
    int spools[CS_SPLIT_COUNT];
    char path[CS_PATH_MAX];
    cs_status status;
    CS_TRY(cs_grow(&writer->shards, &writer->shard_capacity, writer->n_shards + 1, sizeof *writer->shards, "shards"));
    cs_shard_entry *entry = &writer->shards[writer->n_shards];
    snprintf(entry->file, sizeof entry->file, "shard-%05zu.h5", writer->n_shards);
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        CS_TRY_GOTO(spool_to_data(writer, &writer->splits[s], &data[s]), done);
        entry->counts[s] = data[s].n;
        spools[s] = fileno(writer->splits[s].images);
    }
    CS_TRY_GOTO(shard_path(writer, entry, path), done);
    CS_TRY_GOTO(cs_shard_write(path, writer->meta.h, writer->meta.w, data, spools, entry->checksum), done);
    writer->n_shards++;
done:
    for (int s = 0; s < CS_SPLIT_COUNT; s++) {
        free((void *)data[s].id);
        if (status == CS_OK)
            status = empty_spool(writer, &writer->splits[s]);
    }
    return status;
}

static int64_t spooled_bytes(const cs_dataset_writer *writer) {
    size_t bytes = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        bytes += writer->splits[s].image_bytes;
    return (int64_t)bytes;
}

cs_status cs_dataset_append(cs_dataset_writer *writer, cs_split split, int32_t label, const char *id,
                            const uint8_t *bytes, size_t size) {
    CS_TRY(check_sample(writer, split, label, id, size));
    writer->splits[split].limit--;
    int64_t spooled = spooled_bytes(writer);
    if (writer->shard_bytes > 0 && spooled > 0 && spooled + (int64_t)size > writer->shard_bytes)
        CS_TRY(finish_shard(writer));
    split_spool *spool = &writer->splits[split];
    size_t n = (size_t)spool->n, id_size = strlen(id) + 1;
    CS_TRY(cs_grow(&spool->label, &spool->label_capacity, n + 1, sizeof *spool->label, "labels"));
    CS_TRY(cs_grow(&spool->offset, &spool->offset_capacity, n + 1, sizeof *spool->offset, "offsets"));
    CS_TRY(cs_grow(&spool->ids, &spool->id_capacity, spool->id_bytes + id_size, 1, "sample ids"));
    if (fwrite(bytes, 1, size, spool->images) != size)
        return cs_fail_errno("%s: cannot write", writer->path);
    spool->label[n] = label;
    spool->offset[n] = (int64_t)spool->image_bytes;
    memcpy(spool->ids + spool->id_bytes, id, id_size);
    spool->image_bytes += size;
    spool->id_bytes += id_size;
    spool->id_size = id_size > spool->id_size ? id_size : spool->id_size;
    spool->n++;
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

static cs_status move_into_place(const cs_dataset_writer *writer) {
    char parent[CS_PATH_MAX];
    CS_TRY(parent_of(writer->path, parent));
    if (rename(writer->temporary, writer->path) != 0)
        return cs_fail_errno("%s: cannot rename into place", writer->path);
    return cs_file_sync(parent);
}

cs_status cs_dataset_commit(cs_dataset_writer **out) {
    cs_dataset_writer *writer = *out;
    cs_status status = CS_OK;
    if (spooled_bytes(writer) > 0 || writer->n_shards == 0)
        status = finish_shard(writer);
    if (status == CS_OK)
        status = seal_all(writer);
    if (status == CS_OK)
        status = move_into_place(writer);
    cs_dataset_abort(out); /* frees; after the rename there is nothing left to remove */
    return status;
}
