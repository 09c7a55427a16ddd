/* SPDX-License-Identifier: Apache-2.0 */
/* A source that is CIFAR-10 or CIFAR-100 in its binary form (https://www.cs.toronto.edu/~kriz/cifar.html): files of
 * records, each with the labels and the pixels of an image. A record of CIFAR-10 is a byte for the label and 3072 for
 * the pixels; one of CIFAR-100 has two labels, the coarse one first. The pixels are 32x32, all red ones first, then
 * green and blue, row by row. The names of the classes are in text files beside, a line each.
 *
 * SRC is the folder with data_batch_1.bin to data_batch_5.bin and test_batch.bin, or train.bin and test.bin; or one
 * such file, which is not split. */
#include "source.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIDE = 32, PIXELS = SIDE * SIDE, BYTES = 3 * PIXELS, FILES_MAX = 6, NAMES_LIMIT = 1 << 20 };

/* How the records of one of the two sets are. */
typedef struct cifar_form {
    const char *set;
    int labels; /* bytes before the pixels */
    struct cifar_label {
        const char *option; /* the text of --labels that asks for it */
        int at;             /* its place in the record */
        int classes;
        const char *names; /* the file with the names of the classes */
    } kinds[2];
    struct cifar_file {
        const char *name;
        cs_split split;
    } files[FILES_MAX];
} cifar_form;

static const cifar_form forms[] = {
    {"CIFAR-10",
     1,
     {{"fine", 0, 10, "batches.meta.txt"}},
     {{"data_batch_1.bin", CS_SPLIT_TRAIN},
      {"data_batch_2.bin", CS_SPLIT_TRAIN},
      {"data_batch_3.bin", CS_SPLIT_TRAIN},
      {"data_batch_4.bin", CS_SPLIT_TRAIN},
      {"data_batch_5.bin", CS_SPLIT_TRAIN},
      {"test_batch.bin", CS_SPLIT_TEST}}},
    {"CIFAR-100",
     2,
     {{"fine", 1, 100, "fine_label_names.txt"}, {"coarse", 0, 20, "coarse_label_names.txt"}},
     {{"train.bin", CS_SPLIT_TRAIN}, {"test.bin", CS_SPLIT_TEST}}},
};
enum { FORMS = sizeof forms / sizeof *forms };

static size_t record_size(const cifar_form *form) {
    return (size_t)form->labels + BYTES;
}

/* The files that are being read, open until the source is closed. */
typedef struct cifar {
    const cifar_form *form;
    const struct cifar_label *kind;
    char **names; /* [kind->classes] of the classes, or NULL: they are called by their numbers */
    int files[FILES_MAX];
    int n_files;
} cifar;

static void close_cifar(void *state) {
    cifar *self = state;
    for (int i = 0; i < self->n_files; i++)
        close(self->files[i]);
    for (int i = 0; self->names && i < self->kind->classes; i++)
        free(self->names[i]);
    free(self->names);
    free(self);
}

/* The form of a folder: that of which it has a file. */
static const cifar_form *form_of_folder(const char *path) {
    char file[CS_PATH_MAX];
    for (int i = 0; i < FORMS; i++)
        for (int j = 0; j < FILES_MAX && forms[i].files[j].name; j++)
            if (cs_path(file, sizeof file, "%s/%s", path, forms[i].files[j].name) == CS_OK && cs_file_exists(file))
                return &forms[i];
    return NULL;
}

/* The form of a file x.bin: that whose records fill it and whose classes are as many as the first record says. */
static const cifar_form *form_of_file(const char *path) {
    const char *ending = strrchr(path, '.');
    const cifar_form *found = NULL;
    struct stat info;
    if (!ending || strcmp(ending, ".bin") != 0 || stat(path, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0)
        return NULL;
    const int file = open(path, O_RDONLY);
    uint8_t first[2] = {0};
    const bool readable = file >= 0 && pread(file, first, sizeof first, 0) == sizeof first;
    for (int i = 0; readable && !found && i < FORMS; i++)
        if ((size_t)info.st_size % record_size(&forms[i]) == 0 &&
            first[forms[i].kinds[0].at] < forms[i].kinds[0].classes)
            found = &forms[i];
    if (file >= 0)
        close(file);
    return found;
}

static const cifar_form *form_of(const char *path) {
    return cs_is_folder(path) ? form_of_folder(path) : form_of_file(path);
}

/* Whether the file is a pickle of Python, protocol 2 or later: it begins with 0x80 and the number of the protocol. */
static bool is_pickle(const char *path) {
    uint8_t first[2] = {0};
    FILE *file = fopen(path, "rb");
    const bool read = file && fread(first, sizeof first, 1, file) == 1;
    if (file)
        fclose(file);
    return read && first[0] == 0x80 && first[1] >= 2 && first[1] <= 5;
}

/* Whether SRC is a pickle, or the folder of one of CIFAR's Python versions, where the files have no ending. */
static bool has_pickle(const char *path) {
    char file[CS_PATH_MAX];
    if (!cs_is_folder(path))
        return is_pickle(path);
    for (int i = 0; i < FORMS; i++)
        for (int j = 0; j < FILES_MAX && forms[i].files[j].name; j++) {
            const char *name = forms[i].files[j].name;
            const int length = (int)(strrchr(name, '.') - name);
            if (cs_path(file, sizeof file, "%s/%.*s", path, length, name) == CS_OK && !cs_is_folder(file) &&
                is_pickle(file))
                return true;
        }
    return false;
}

/* Pickles are recognised, too, so that they are named as what they are. */
static bool recognises(const char *path) {
    return form_of(path) || has_pickle(path);
}

static cs_status choose_labels(const pack_input *input, cifar *self) {
    const char *wanted = input->options[PACK_LABELS];
    self->kind = self->form->kinds;
    for (int i = 0; wanted && i < 2; i++)
        if (self->form->kinds[i].option && strcmp(self->form->kinds[i].option, wanted) == 0) {
            self->kind = &self->form->kinds[i];
            wanted = NULL;
        }
    if (wanted)
        return cs_fail(CS_ERR_ARG, "--labels: %s is %s, which has no labels '%s'; it has %s%s", input->path,
                       self->form->set, wanted, self->form->kinds[0].option,
                       self->form->labels > 1 ? " and coarse" : "");
    return CS_OK;
}

/* Splits the text into lines and copies those that are not empty. */
static cs_status take_names(cifar *self, const char *path, char *text) {
    int n = 0;
    char *rest = NULL;
    CS_TRY(cs_alloc((size_t)self->kind->classes, sizeof *self->names, "class names", &self->names));
    for (char *name = strtok_r(text, "\r\n", &rest); name; name = strtok_r(NULL, "\r\n", &rest), n++)
        if (n < self->kind->classes)
            CS_TRY(cs_strdup(name, &self->names[n]));
    if (n != self->kind->classes)
        return cs_fail(CS_ERR_FORMAT, "%s: %d names, not those of %d classes", path, n, self->kind->classes);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++)
            if (strcmp(self->names[i], self->names[k]) == 0)
                return cs_fail(CS_ERR_FORMAT, "%s: classes %d and %d are both called '%s'", path, k, i, self->names[i]);
    return CS_OK;
}

static cs_status read_names(const char *folder, cifar *self) {
    char path[CS_PATH_MAX], *text = NULL;
    size_t size;
    CS_TRY(cs_path(path, sizeof path, "%s/%s", folder, self->kind->names));
    if (!cs_file_exists(path)) {
        cs_log(CS_LOG_INFO, "%s: not there, so classes are called by their numbers", path);
        return CS_OK;
    }
    CS_TRY(cs_file_read(path, NAMES_LIMIT, &text, &size));
    cs_status status = take_names(self, path, text);
    free(text);
    return status;
}

static cs_status add_record(const cifar *self, pack_list *list, pack_sample *sample, const char *name) {
    char number[16];
    uint8_t label;
    const uint64_t record = sample->at & UINT32_MAX;
    CS_TRY(pack_read_at(self->files[sample->at >> 32], name, &label, 1,
                        record * record_size(self->form) + (uint64_t)self->kind->at));
    if (label >= self->kind->classes)
        return cs_fail(CS_ERR_FORMAT, "%s: record %llu: label %d of %d classes", name, (unsigned long long)record,
                       label, self->kind->classes);
    snprintf(number, sizeof number, "%d", label);
    CS_TRY(pack_list_label(list, self->names ? self->names[label] : number, &sample->label));
    return pack_list_add(list, sample);
}

/* Adds the records of a file, whose ids are "train.bin:0", "train.bin:1" and so on. */
static cs_status add_file(cifar *self, pack_list *list, const char *path, const char *name, cs_split split) {
    char id[CS_PATH_MAX];
    struct stat info;
    const int number = self->n_files, file = open(path, O_RDONLY);
    if (file < 0)
        return cs_fail_errno("%s: cannot open", path);
    self->files[self->n_files++] = file;
    if (fstat(file, &info) != 0)
        return cs_fail_errno("%s: cannot look at it", path);
    const uint64_t size = (uint64_t)info.st_size, records = size / record_size(self->form);
    if (size % record_size(self->form) != 0 || records > UINT32_MAX)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: %llu bytes are not whole records of %zu", path,
                               (unsigned long long)size, record_size(self->form)),
                       "was it cut short when it was copied?");
    const int64_t seen[] = {info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
    for (uint64_t i = 0; i < records; i++) {
        CS_TRY(cs_path(id, sizeof id, "%s:%llu", name, (unsigned long long)i));
        pack_sample sample = {
            .id = id, .source_split = split, .at = (uint64_t)number << 32 | i, .stamp = cs_checksum(seen, sizeof seen)};
        CS_TRY(add_record(self, list, &sample, path));
    }
    return CS_OK;
}

static cs_status add_folder(cifar *self, pack_list *list, const char *folder) {
    char path[CS_PATH_MAX];
    for (int i = 0; i < FILES_MAX && self->form->files[i].name; i++) {
        const struct cifar_file *file = &self->form->files[i];
        CS_TRY(cs_path(path, sizeof path, "%s/%s", folder, file->name));
        if (!cs_file_exists(path)) {
            cs_log(CS_LOG_WARN, "%s: not there", path);
            continue;
        }
        list->split[file->split] = true;
        CS_TRY(add_file(self, list, path, file->name, file->split));
    }
    return CS_OK;
}

static cs_status scan(pack_input *input, pack_list *list) {
    char folder[CS_PATH_MAX];
    cifar *self = NULL;
    CS_TRY(cs_alloc(1, sizeof *self, "source", &self));
    input->state = self;
    self->form = form_of(input->path);
    if (!self->form && has_pickle(input->path))
        return cs_hint(
            cs_fail(CS_ERR_UNSUPPORTED, "%s: a pickle of Python, which is not read: loading one runs what is in it",
                    input->path),
            "the binary version of CIFAR has the same images (cifar-10-binary.tar.gz, cifar-100-binary.tar.gz)");
    if (!self->form)
        return cs_fail(CS_ERR_IO, "%s: changed while it was read", input->path);
    CS_TRY(choose_labels(input, self));
    CS_TRY(cs_path(folder, sizeof folder, "%s", input->path));
    if (cs_is_folder(input->path)) {
        CS_TRY(read_names(folder, self));
        CS_TRY(add_folder(self, list, folder));
    } else {
        const char *name = strrchr(input->path, '/');
        CS_TRY(pack_parent_folder(input->path, folder));
        CS_TRY(read_names(folder, self));
        CS_TRY(add_file(self, list, input->path, name ? name + 1 : input->path, CS_SPLIT_TRAIN));
    }
    return pack_list_sort_classes(list, true);
}

static cs_status read_sample(const pack_input *input, const pack_sample *sample, pack_content *out) {
    const cifar *self = input->state;
    uint8_t planes[3][PIXELS];
    (void)snprintf(out->name, sizeof out->name, "%s: %s", input->path, sample->id);
    CS_TRY(pack_read_at(self->files[sample->at >> 32], out->name, planes, sizeof planes,
                        (sample->at & UINT32_MAX) * record_size(self->form) + (uint64_t)self->form->labels));
    CS_TRY(cs_image_reserve(&out->pixels, SIDE, SIDE));
    for (int i = 0; i < PIXELS; i++)
        for (int c = 0; c < 3; c++)
            out->pixels.pixels[3 * i + c] = planes[c][i];
    out->is_pixels = true;
    return CS_OK;
}

extern const pack_source pack_cifar_source;
const pack_source pack_cifar_source = {
    .name = "binary file of CIFAR",
    .help = "is a folder with the binary files of CIFAR-10 or\nCIFAR-100, or one of these files",
    .unit = "file",
    .hint = "train.bin and test.bin, or data_batch_1.bin to data_batch_5.bin and test_batch.bin",
    .takes = {[PACK_LABELS] = true},
    .recognises = recognises,
    .scan = scan,
    .read = read_sample,
    .close = close_cifar,
};
