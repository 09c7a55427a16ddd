/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the bad files when several processes pack a dataset in parts. A split is made of the good files of all parts,
 * so each process must know all bad files. No process waits for another: the list of files is cut into slices, and the
 * process that has checked a slice writes the bad files of it into a note in the folder of the parts. Each process
 * begins with the slices of its own part and then checks those that have no note yet. */
#include "pack.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SLICES_PER_PART = 4 };

typedef struct notebook {
    pack_list *list;
    char parts[CS_PATH_MAX]; /* the folder of the notes */
    uint64_t key;            /* checksum of files, options and slices; a note with another key is not read */
    size_t slices;
} notebook;

static size_t slice_begin(const notebook *book, size_t slice) {
    return book->list->n * slice / book->slices;
}

static cs_status note_path(const notebook *book, size_t slice, char path[CS_PATH_MAX]) {
    return cs_path(path, CS_PATH_MAX, "%s/bad-%016" PRIx64 "-%zu", book->parts, book->key, slice);
}

static cs_status open_notebook(const pack_options *options, pack_list *list, notebook *book) {
    cs_checksum_stream *stream = NULL;
    uint64_t source;
    *book = (notebook){.list = list, .slices = (size_t)options->part.count * SLICES_PER_PART};
    CS_TRY(pack_fingerprint(options, list, &source));
    CS_TRY(cs_checksum_open(&stream));
    cs_checksum_add(stream, &source, sizeof source);
    cs_checksum_add(stream, &book->slices, sizeof book->slices);
    for (size_t i = 0; i < list->n; i++)
        cs_checksum_add(stream, &list->samples[i].stamp, sizeof list->samples[i].stamp);
    book->key = cs_checksum_close(stream);
    CS_TRY(cs_dataset_parts_folder(options->out, book->parts, sizeof book->parts));
    return cs_folder_create(book->parts);
}

/* Writes a note: a line with the number of bad files, and a line with the index in the list for each of them. */
static cs_status write_note(const notebook *book, size_t slice) {
    char path[CS_PATH_MAX];
    cs_atomic_file *note = NULL;
    int64_t bad = 0;
    CS_TRY(note_path(book, slice, path));
    CS_TRY(cs_atomic_open(path, &note));
    for (size_t i = slice_begin(book, slice); i < slice_begin(book, slice + 1); i++)
        bad += book->list->samples[i].bad;
    fprintf(cs_atomic_stream(note), "%" PRId64 "\n", bad);
    for (size_t i = slice_begin(book, slice); i < slice_begin(book, slice + 1); i++)
        if (book->list->samples[i].bad)
            fprintf(cs_atomic_stream(note), "%zu\n", i);
    return cs_atomic_commit(&note);
}

/* Reads the next number of *text and moves *text after it; false if there is no number below `limit`. */
static bool take_number(char **text, uint64_t limit, uint64_t *value) {
    char *end;
    *value = strtoull(*text, &end, 10);
    bool good = end != *text && *end == '\n' && *value < limit;
    *text = end;
    return good;
}

static bool parse_note(const notebook *book, size_t slice, char *text) {
    size_t begin = slice_begin(book, slice), end = slice_begin(book, slice + 1);
    uint64_t bad, place;
    for (size_t i = begin; i < end; i++)
        book->list->samples[i].bad = false;
    if (!take_number(&text, end - begin + 1, &bad))
        return false;
    for (; bad > 0; bad--) {
        if (!take_number(&text, end, &place) || place < begin)
            return false;
        book->list->samples[place].bad = true;
    }
    return true;
}

/* Marks the bad files of a slice by its note; false if it has no note that can be read. */
static bool read_note(const notebook *book, size_t slice) {
    enum { LIMIT = 1 << 30 };
    char path[CS_PATH_MAX], *text = NULL;
    size_t size = 0;
    if (note_path(book, slice, path) != CS_OK || !cs_file_exists(path) ||
        cs_file_read(path, LIMIT, &text, &size) != CS_OK)
        return false;
    bool good = parse_note(book, slice, text);
    free(text);
    return good;
}

/* Finds the bad files of a slice. The note decides, even for the process that wrote it, as another process may have
 * written the same note at the same time. */
static cs_status check_slice(const notebook *book, size_t slice, pack_search *search) {
    size_t begin = slice_begin(book, slice), end = slice_begin(book, slice + 1);
    if (read_note(book, slice)) {
        cs_progress_add(search->progress, (int64_t)(end - begin));
        return CS_OK;
    }
    CS_TRY(pack_check_images(search, book->list->samples + begin, end - begin));
    cs_status status = write_note(book, slice);
    return read_note(book, slice) ? CS_OK : status;
}

cs_status pack_find_bad(const pack_options *options, pack_list *list, const volatile sig_atomic_t *stop) {
    pack_search search = {.options = options, .stop = stop};
    notebook book;
    CS_TRY(open_notebook(options, list, &book));
    CS_TRY(cs_progress_open("checking", "images", (int64_t)list->n, &search.progress));
    cs_status status = CS_OK;
    for (size_t i = 0; i < book.slices && status == CS_OK; i++)
        status = check_slice(&book, (i + (size_t)options->part.index * SLICES_PER_PART) % book.slices, &search);
    cs_progress_close(search.progress);
    return status;
}
