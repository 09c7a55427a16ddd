/* SPDX-License-Identifier: Apache-2.0 */
/* A source that is an archive of image files, in folders as tree.h describes: tar, also compressed, and zip. libarchive
 * reads it once, as a stream. The files of a tar archive that is not compressed are then read where they are, but for
 * sparse ones, whose holes are not there. Those of another archive cannot be found without reading it from its
 * beginning. So these and the sparse ones are unpacked into one temporary file, which has no name and disappears with
 * the process. */
#include "source.h"
#include "tree.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

enum { BLOCK = 1 << 18 };

/* A file or a folder in the archive. */
typedef struct member {
    char *path; /* below --root, without a slash at its end */
    bool folder;
    size_t place;          /* in the archive */
    bool unpacked;         /* its bytes are in archive_files.temporary, and otherwise in .archive */
    uint64_t offset, size; /* of its bytes there */
    uint64_t stamp;
} member;

typedef struct archive_files {
    const char *path, *root; /* of the archive, and --root or "" */
    int archive, temporary;  /* the archive, and the file with the unpacked files; -1: not open */
    uint64_t end;            /* of the temporary file */
    size_t links;            /* that were left out */
    member *members;
    size_t n, capacity;
} archive_files;

static cs_status fail_archive(struct archive *stream, const char *path) {
    const char *why = archive_error_string(stream);
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: cannot read the archive: %s", path, why ? why : "damaged"),
                   "was it cut short when it was copied?");
}

/* Opens a stream over the archive; NULL if it is none. Text that is no archive could pass as other formats than these,
 * and for other compressions than these libarchive would run programs that it finds in PATH. */
static struct archive *open_stream(const char *path) {
    struct archive *stream = archive_read_new();
    if (!stream)
        return NULL;
    archive_read_support_filter_gzip(stream);
    archive_read_support_filter_bzip2(stream);
    archive_read_support_filter_xz(stream);
    archive_read_support_filter_zstd(stream);
    archive_read_support_filter_lz4(stream);
    archive_read_support_filter_lzma(stream);
    archive_read_support_filter_lzip(stream);
    archive_read_support_filter_compress(stream);
    archive_read_support_format_tar(stream);
    archive_read_support_format_zip(stream);
    if (archive_read_open_filename(stream, path, BLOCK) == ARCHIVE_OK)
        return stream;
    archive_read_free(stream);
    return NULL;
}

static bool recognises(const char *path) {
    struct archive_entry *entry;
    if (!cs_file_exists(path) || cs_is_folder(path))
        return false;
    struct archive *stream = open_stream(path);
    const bool is_archive = stream && archive_read_next_header(stream, &entry) >= ARCHIVE_WARN;
    archive_read_free(stream);
    return is_archive;
}

static void close_archive(void *state) {
    archive_files *self = state;
    for (size_t i = 0; i < self->n; i++)
        free(self->members[i].path);
    free(self->members);
    if (self->archive >= 0)
        close(self->archive);
    if (self->temporary >= 0)
        close(self->temporary);
    free(self);
}

static const char *entry_name(struct archive_entry *entry) {
    const char *name = archive_entry_pathname_utf8(entry);
    return name ? name : archive_entry_pathname(entry); /* whose bytes are no UTF-8 */
}

/* The part of a path below --root, or NULL if it is not there. */
static const char *path_below(const archive_files *self, const char *path) {
    const size_t length = strlen(self->root);
    while (path[0] == '/' || (path[0] == '.' && path[1] == '/'))
        path += path[0] == '/' ? 1 : 2;
    if (strncmp(path, self->root, length) != 0)
        return NULL;
    path += length;
    if (length > 0 && *path != '/')
        return NULL;
    return path + (length > 0);
}

static cs_status open_archive(archive_files *self) {
    if (self->archive < 0)
        self->archive = open(self->path, O_RDONLY);
    return self->archive < 0 ? cs_fail_errno("%s: cannot open", self->path) : CS_OK;
}

/* `what` is unpacked, for the message. */
static cs_status open_temporary(archive_files *self, const char *what) {
    const char *folder = getenv("TMPDIR");
    char path[CS_PATH_MAX];
    if (self->temporary >= 0)
        return CS_OK;
    CS_TRY(cs_path(path, sizeof path, "%s/cnnsweep-pack-XXXXXX", folder && *folder ? folder : "/tmp"));
    self->temporary = mkstemp(path);
    if (self->temporary < 0)
        return cs_fail_errno("%s: cannot make a temporary file", path);
    unlink(path);
    cs_log(CS_LOG_INFO, "%s: %s unpacked into a temporary file first, in %.*s", self->path, what,
           (int)(strrchr(path, '/') - path), path);
    return CS_OK;
}

static cs_status fail_to_write(const archive_files *self) {
    return cs_hint(cs_fail_errno("%s: cannot write the temporary file", self->path),
                   "TMPDIR names another folder for it");
}

/* Writes a block into the temporary file. */
static cs_status write_block(const archive_files *self, const uint8_t *block, size_t n, uint64_t at) {
    for (size_t done = 0; done < n;) {
        const ssize_t put = pwrite(self->temporary, block + done, n - done, (off_t)(at + done));
        if (put < 0 && errno != EINTR)
            return fail_to_write(self);
        done += put > 0 ? (size_t)put : 0;
    }
    return CS_OK;
}

/* Reads the blocks of the current file up to its end, and unpacks what of them is before its byte `most`. */
static cs_status read_blocks(const archive_files *self, struct archive *stream, uint64_t most, uint64_t *end) {
    const void *block;
    int64_t offset;
    size_t n;
    int code;
    *end = 0;
    while ((code = archive_read_data_block(stream, &block, &n, &offset)) == ARCHIVE_OK) {
        const uint64_t at = (uint64_t)offset;
        if (at < most)
            CS_TRY(write_block(self, block, n < most - at ? n : most - at, self->end + at));
        if (*end < at + n)
            *end = at + n;
    }
    return code == ARCHIVE_EOF ? CS_OK : fail_archive(stream, self->path);
}

/* Finds the bytes of a file, or unpacks them; one that is too large to be read need not be unpacked. The size that
 * libarchive tells is that of a sparse file, whatever its blocks are. Of another file it can be wrong, as libarchive
 * takes the real size in a header for it, which only a sparse file should have; such a file ends with its blocks. */
static cs_status place_file(archive_files *self, struct archive *stream, struct archive_entry *entry, member *file) {
    const bool sparse = archive_entry_sparse_count(entry) > 0, compressed = archive_filter_count(stream) > 1;
    const bool tar = (archive_format(stream) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
    uint64_t end;
    file->size = (uint64_t)archive_entry_size(entry);
    file->unpacked = compressed || !tar || sparse;
    if (file->size > PACK_FILE_LIMIT)
        return CS_OK;
    if (!file->unpacked) {
        file->offset = (uint64_t)archive_filter_bytes(stream, 0);
        CS_TRY(open_archive(self));
        return read_blocks(self, stream, 0, &file->size);
    }
    CS_TRY(open_temporary(self, compressed || !tar ? "compressed, so it is" : "sparse files in it are"));
    CS_TRY(read_blocks(self, stream, sparse ? file->size : PACK_FILE_LIMIT, &end));
    if (!sparse)
        file->size = end;
    file->offset = self->end;
    self->end += file->size < PACK_FILE_LIMIT ? file->size : PACK_FILE_LIMIT;
    /* A hole at the end of a sparse file is in no block. */
    return !sparse || ftruncate(self->temporary, (off_t)self->end) == 0 ? CS_OK : fail_to_write(self);
}

static cs_status add_member(archive_files *self, struct archive *stream, struct archive_entry *entry) {
    const char *name = entry_name(entry), *path = name ? path_below(self, name) : NULL;
    const int64_t seen[] = {archive_entry_size(entry), archive_entry_mtime(entry)};
    member added = {.folder = archive_entry_filetype(entry) == AE_IFDIR, .place = self->n};
    if (!name)
        return cs_fail(CS_ERR_FORMAT, "%s: the name of its entry %zu cannot be read", self->path, self->n);
    if (!path || !*path)
        return CS_OK;
    if (strlen(path) + 1 >= CS_PATH_MAX)
        return cs_fail(CS_ERR_FORMAT, "%s: the path of its entry %zu is longer than %d bytes: %.60s...", self->path,
                       self->n, CS_PATH_MAX - 2, path);
    if (!added.folder && archive_entry_filetype(entry) != AE_IFREG) {
        if (self->links++ == 0)
            cs_log(CS_LOG_WARN, "%s: %s: left out, as it is a link or no file", self->path, path);
        return CS_OK;
    }
    added.stamp = cs_checksum(seen, sizeof seen);
    CS_TRY(cs_grow(&self->members, &self->capacity, self->n + 1, sizeof *self->members, "files of an archive"));
    CS_TRY(cs_strdup(path, &added.path));
    for (size_t n = strlen(path); n > 0 && added.path[n - 1] == '/'; n--)
        added.path[n - 1] = '\0';
    self->members[self->n++] = added;
    return added.folder ? CS_OK : place_file(self, stream, entry, &self->members[self->n - 1]);
}

static cs_status read_members(archive_files *self, struct archive *stream) {
    struct archive_entry *entry;
    int code;
    cs_status status = CS_OK;
    while (status == CS_OK && (code = archive_read_next_header(stream, &entry)) != ARCHIVE_EOF) {
        if (code < ARCHIVE_WARN)
            status = fail_archive(stream, self->path);
        if (status == CS_OK)
            status = add_member(self, stream, entry);
    }
    return status;
}

/* Reads the archive with names in UTF-8, to which libarchive otherwise cannot convert them in the locale "C". */
static cs_status read_archive(archive_files *self) {
    struct archive *stream = open_stream(self->path);
    if (!stream)
        return cs_fail(CS_ERR_IO, "%s: cannot open the archive", self->path);
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    const locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    cs_status status = read_members(self, stream);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    archive_read_free(stream);
    return status;
}

static int by_path(const void *a, const void *b) {
    const member *first = a, *second = b;
    const int order = strcmp(first->path, second->path);
    return order != 0 ? order : (first->place > second->place) - (first->place < second->place);
}

/* Sorts the members by path. Of several with the same path the last counts, as when the archive is unpacked. */
static void sort_members(archive_files *self) {
    size_t kept = 0;
    if (self->n == 0)
        return;
    qsort(self->members, self->n, sizeof *self->members, by_path);
    for (size_t i = 0; i < self->n; i++)
        if (i + 1 < self->n && strcmp(self->members[i].path, self->members[i + 1].path) == 0)
            free(self->members[i].path);
        else
            self->members[kept++] = self->members[i];
    self->n = kept;
}

/* The index of the first member whose path is not before `path`. */
static size_t first_from(const archive_files *self, const char *path) {
    size_t low = 0, high = self->n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (strcmp(self->members[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_members_below(const archive_files *self, const char *folder) {
    char prefix[CS_PATH_MAX];
    if (cs_path(prefix, sizeof prefix, "%s/", folder) != CS_OK)
        return false;
    const size_t i = first_from(self, prefix);
    return i < self->n && strncmp(self->members[i].path, prefix, strlen(prefix)) == 0;
}

/* Lists the entries of a folder: the parts of paths that follow the folder's. The members below it stand together, and
 * so do those of each folder in it. */
static cs_status list_folder(void *context, const char *folder, pack_listing *out) {
    const archive_files *self = context;
    char prefix[CS_PATH_MAX], name[CS_PATH_MAX], last[CS_PATH_MAX] = "";
    CS_TRY(cs_path(prefix, sizeof prefix, "%s%s", folder, *folder ? "/" : ""));
    const size_t length = strlen(prefix);
    for (size_t i = first_from(self, prefix); i < self->n && strncmp(self->members[i].path, prefix, length) == 0; i++) {
        const member *found = &self->members[i];
        const char *rest = found->path + length;
        const size_t part = strcspn(rest, "/");
        if (found->folder && !rest[part] && has_members_below(self, found->path))
            continue; /* they stand below and name the folder, too */
        CS_TRY(cs_path(name, sizeof name, "%.*s", (int)part, rest));
        if (rest[part] && strcmp(name, last) == 0)
            continue;
        if (rest[part])
            CS_TRY(cs_path(last, sizeof last, "%s", name));
        const struct pack_entry entry = {.folder = rest[part] || found->folder, .stamp = found->stamp, .at = i};
        CS_TRY(pack_listing_add(out, name, &entry));
    }
    return CS_OK;
}

static cs_status scan(pack_input *input, pack_list *list) {
    const char *root = input->options[PACK_ROOT];
    archive_files *self = NULL;
    CS_TRY(cs_alloc(1, sizeof *self, "source", &self));
    *self = (archive_files){.path = input->path, .root = root ? root : "", .archive = -1, .temporary = -1};
    input->state = self;
    CS_TRY(read_archive(self));
    if (self->links > 1)
        cs_log(CS_LOG_WARN, "%s: %zu links were left out", self->path, self->links);
    sort_members(self);
    const pack_tree tree = {.src = input->path, .context = self, .list = list_folder};
    return pack_tree_scan(&tree, list);
}

static cs_status read_sample(const pack_input *input, const pack_sample *sample, pack_content *out) {
    const archive_files *self = input->state;
    const member *found = &self->members[sample->at];
    (void)snprintf(out->name, sizeof out->name, "%s/%s", input->path, sample->id);
    return pack_content_read_part(out, found->unpacked ? self->temporary : self->archive, found->offset, found->size);
}

extern const pack_source pack_archive_source;
const pack_source pack_archive_source = {
    .name = "archive",
    .help = "is a tar or zip archive of such a folder",
    .unit = "folder",
    .hint = "a folder a class, or such below train/ val/ test/; --root names the folder in the archive that has them",
    .takes = {[PACK_ROOT] = true},
    .recognises = recognises,
    .scan = scan,
    .read = read_sample,
    .close = close_archive,
};
