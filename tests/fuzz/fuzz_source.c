/* SPDX-License-Identifier: Apache-2.0 */
/* A libFuzzer harness: gives any bytes to the readers of the packer, as each kind of source that has a format of its
 * own: a table, a folder with a table, an archive, a file of CIFAR and a file of names of classes. What a scan lists is
 * read, and what an archive gives is compared with what libarchive unpacks. The bytes are a table of weights beside the
 * source as well. */
#include "pack.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t most); /* of libFuzzer */

enum { MOST_UNPACKED = 16 << 20, MOST_READ = 8, RECORD = 2 + 3 * 32 * 32 };

static const struct way {
    const char *src; /* in the scratch folder */
    pack_source_option option;
    const char *text; /* of the option; NULL: it is not given */
} ways[] = {{"input.csv", PACK_ROOT, NULL},  {"folder", PACK_ROOT, NULL},      {"input", PACK_ROOT, NULL},
            {"input", PACK_ROOT, "b"},       {"input.bin", PACK_LABELS, NULL}, {"input.bin", PACK_LABELS, "coarse"},
            {"cifar", PACK_LABELS, "coarse"}};

static void path_of(char out[CS_PATH_MAX], const char *name) {
    if (cs_path(out, CS_PATH_MAX, "%s/%s", fuzz_folder(), name) != CS_OK)
        abort();
}

static void write_file(const char *name, const void *bytes, size_t size) {
    char path[CS_PATH_MAX];
    path_of(path, name);
    if (cs_file_write(path, bytes, size) != CS_OK)
        abort();
}

/* Makes the files of the sources: names of the file that gets the input, and what those sources have beside it. */
static void make_files(const char *input) {
    static const char *const folders[] = {"cifar", "folder"};
    static const char *const names[] = {"input.csv", "input.bin", "folder/metadata.csv",
                                        "cifar/coarse_label_names.txt"};
    static const char record[2 * RECORD] = {[RECORD] = 1};
    char path[CS_PATH_MAX];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        path_of(path, folders[i]);
        if (mkdir(path, 0700) != 0)
            abort();
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        path_of(path, names[i]);
        if (link(input, path) != 0)
            abort();
    }
    write_file("cifar/train.bin", record, sizeof record);
    write_file("a.png", "a", 1);
    write_file("folder/a.png", "a", 1);
}

/* An error names the file, and reading is not refused for want of memory. */
static void check(cs_status status, const char *path) {
    if (status != CS_OK && (status == CS_ERR_NO_MEMORY || !strstr(cs_error_last()->text, path)))
        abort();
}

/* Compares the content with what libarchive unpacks; what is missing of a sparse file is a hole at its end, and another
 * file ends with its bytes, whatever else its header says. A file that libarchive cannot unpack, or a sparse one whose
 * blocks end behind the end that its header gives, counts as the same, as nothing is known of it. */
static bool same_bytes(struct archive *stream, struct archive_entry *entry, const pack_content *content) {
    static uint8_t unpacked[MOST_UNPACKED];
    const bool sparse = archive_entry_sparse_count(entry) > 0;
    const int64_t most = sparse ? archive_entry_size(entry) : MOST_UNPACKED;
    int64_t end = sparse ? most : 0;
    const void *block;
    int64_t at;
    size_t n;
    int code;
    memset(unpacked, 0, content->size);
    while ((code = archive_read_data_block(stream, &block, &n, &at)) == ARCHIVE_OK) {
        if (at < 0 || at > most || n > (uint64_t)(most - at) || most > MOST_UNPACKED)
            return true;
        memcpy(unpacked + at, block, n);
        if (!sparse)
            end = at + (int64_t)n;
    }
    return code != ARCHIVE_EOF ||
           (end == (int64_t)content->size && memcmp(unpacked, content->bytes, content->size) == 0);
}

/* Whether the archive, if it is a tar archive, has a file with these bytes. */
static bool has_file(const char *path, const pack_content *content) {
    struct archive *stream = archive_read_new();
    struct archive_entry *entry;
    archive_read_support_filter_all(stream);
    archive_read_support_format_tar(stream);
    bool found = archive_read_open_filename(stream, path, RECORD) != ARCHIVE_OK;
    while (!found && archive_read_next_header(stream, &entry) >= ARCHIVE_WARN)
        found = archive_entry_filetype(entry) == AE_IFREG && same_bytes(stream, entry, content);
    archive_read_free(stream);
    return found;
}

static void read_samples(const pack_input *input, const pack_list *list) {
    static pack_content content;
    for (size_t i = 0; i < list->n && i < MOST_READ; i++) {
        cs_error_clear();
        const cs_status status = pack_source_read(input, &list->samples[i], &content);
        check(status, content.name);
        if (status == CS_OK)
            (void)cs_checksum(content.bytes, content.size);
        if (status == CS_OK && strcmp(input->source->name, "archive") == 0 && !has_file(input->path, &content))
            abort();
    }
}

static void try_source(const struct way *way) {
    char path[CS_PATH_MAX], table[CS_PATH_MAX];
    pack_options options = {.input.path = path};
    pack_list list;
    path_of(path, way->src);
    path_of(table, "input.csv");
    options.input.options[way->option] = way->text;
    cs_error_clear();
    cs_status status = pack_source_find(&options.input);
    if (status == CS_OK)
        status = pack_source_scan(&options.input, &list);
    check(status, path);
    if (status == CS_OK) {
        read_samples(&options.input, &list);
        options.input.options[PACK_WEIGHTS] = table;
        cs_error_clear();
        check(pack_read_weights(&options, &list), table);
        pack_list_clear(&list);
    }
    pack_source_close(&options.input);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    const struct rlimit most = {MOST_UNPACKED, MOST_UNPACKED};
    (void)argc, (void)argv;
    make_files(fuzz_file((const uint8_t *)"", 0));
    (void)signal(SIGXFSZ, SIG_IGN); /* writing more fails */
    cs_log_set_level(CS_LOG_ERROR);
    return setenv("TMPDIR", fuzz_folder(), 1) != 0 || setrlimit(RLIMIT_FSIZE, &most) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static const uint8_t hdf5[] = {0x89, 'H', 'D', 'F'};
    if (size >= sizeof hdf5 && memcmp(bytes, hdf5, sizeof hdf5) == 0)
        return -1; /* datasets are for another harness */
    (void)fuzz_file(bytes, size);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        try_source(&ways[i]);
    return 0;
}

/* Changes an input as libFuzzer does, and then corrects the sums in the headers of a tar archive, without which nearly
 * every change in a header is refused. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed) {
    enum { HEADER = 512, SUM_AT = 148, SUM = 8, MAGIC_AT = 257 };
    (void)seed;
    size = LLVMFuzzerMutate(bytes, size, most);
    for (uint8_t *header = bytes; header + HEADER <= bytes + size; header += HEADER) {
        unsigned sum = 0;
        if (memcmp(header + MAGIC_AT, "ustar", 5) != 0)
            continue;
        memset(header + SUM_AT, ' ', SUM);
        for (int i = 0; i < HEADER; i++)
            sum += header[i];
        snprintf((char *)header + SUM_AT, SUM, "%06o", sum);
    }
    return size;
}
