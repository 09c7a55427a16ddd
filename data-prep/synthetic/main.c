/* SPDX-License-Identifier: Apache-2.0 */
#include "synthetic.h"

#include "cnnsweep/args.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/version.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, QUALITY = 92, SPLITS = 3 };

typedef struct options {
    const char *out;
    int classes, per_class;
    int size[2]; /* width, height */
    int64_t seed;
    bool help, version;
} options;

static const char notice[] =
    "SYNTHETIC IMAGES. They were drawn by cnnsweep-synthetic from random numbers, to try programs with.\n"
    "They show no patient, they are no medical data, and nothing about real skin can be learnt from them.\n";

static const struct {
    const char *name;
    int percent; /* share of a class's images; the last split gets the rest */
} splits[SPLITS] = {{"train", 70}, {"val", 15}, {"test", 15}};

static cs_status make_folders(const options *chosen, const char *root) {
    int n;
    const lesion_class *classes = lesion_classes(&n);
    for (int s = 0; s < SPLITS; s++)
        for (int i = 0; i < chosen->classes; i++) {
            char path[CS_PATH_MAX];
            CS_TRY(cs_path(path, sizeof path, "%s/%s/%s", root, splits[s].name, classes[i].name));
            CS_TRY(cs_folder_create(path));
        }
    return CS_OK;
}

/* Creates the folders. They are not synced to disk, as they can be drawn again at any time. */
static cs_status write_file(const char *path, const void *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    if (!file)
        return cs_fail_errno("%s: cannot write", path);
    bool whole = fwrite(bytes, 1, size, file) == size;
    if (fclose(file) != 0 || !whole)
        return cs_fail_errno("%s: cannot write", path);
    return CS_OK;
}

/* Returns the split of image i of a class. */
static const char *split_of(const options *chosen, int i) {
    int64_t upto = 0;
    for (int s = 0; s < SPLITS - 1; s++) {
        upto += (int64_t)splits[s].percent * chosen->per_class / 100;
        if (i < upto)
            return splits[s].name;
    }
    return splits[SPLITS - 1].name;
}

/* Buffers that are used again for every image. */
typedef struct drawing_buffers {
    cs_image image;
    uint8_t *jpeg;
    size_t capacity;
} drawing_buffers;

static cs_status draw_one(const options *chosen, const char *root, int label, int i, drawing_buffers *buffers) {
    int n;
    const lesion_class *class = &lesion_classes(&n)[label];
    char path[CS_PATH_MAX];
    size_t size = 0;
    cs_rng rng = cs_rng_at((uint64_t)chosen->seed, CS_PURPOSE_SYNTHETIC, (uint32_t)label, (uint32_t)i);
    lesion_draw(class, &rng, &buffers->image);
    CS_TRY(cs_encode_jpeg(&buffers->image, QUALITY, true, &buffers->jpeg, &buffers->capacity, &size));
    CS_TRY(cs_path(path, sizeof path, "%s/%s/%s/%s_%06d.jpg", root, split_of(chosen, i), class->name, class->name, i));
    return write_file(path, buffers->jpeg, size);
}

static cs_status draw_all(const options *chosen, const char *root) {
    char path[CS_PATH_MAX];
    CS_TRY(make_folders(chosen, root));
    CS_TRY(cs_path(path, sizeof path, "%s/SYNTHETIC.txt", root));
    CS_TRY(write_file(path, notice, strlen(notice)));
    drawing_buffers buffers = {0};
    cs_status status = cs_image_reserve(&buffers.image, chosen->size[1], chosen->size[0]);
    for (int label = 0; label < chosen->classes; label++)
        for (int i = 0; i < chosen->per_class && status == CS_OK; i++)
            status = draw_one(chosen, root, label, i, &buffers);
    cs_image_clear(&buffers.image);
    free(buffers.jpeg);
    return status;
}

/* Draws into a folder with a temporary name, which is renamed when all images are written. */
static cs_status synthesize(const options *chosen) {
    char temporary[CS_PATH_MAX];
    int most;
    lesion_classes(&most);
    if (chosen->classes < 2 || chosen->classes > most)
        return cs_fail(CS_ERR_ARG, "--classes: %d; there are 2 to %d", chosen->classes, most);
    if (cs_file_exists(chosen->out))
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: already exists", chosen->out),
                       "remove it first, or choose another name");
    CS_TRY(cs_path(temporary, sizeof temporary, "%s.tmp.%ld", chosen->out, (long)getpid()));
    cs_status status = draw_all(chosen, temporary);
    if (status == CS_OK && rename(temporary, chosen->out) != 0)
        status = cs_fail_errno("%s: cannot rename into place", chosen->out);
    if (status == CS_OK)
        return CS_OK;
    cs_error cause = *cs_error_last();
    if (cs_remove_all(temporary) != CS_OK)
        cs_log_error_last();
    return cs_error_restore(&cause);
}

static cs_status parse(int argc, char **argv, options *chosen) {
    const cs_arg args[] = {
        {"--classes", "N", "2 (default) or 3 classes", cs_arg_positive, &chosen->classes},
        {"--per-class", "N", "images of each class, 70% train, 15% val, the rest test (default 300)", cs_arg_positive,
         &chosen->per_class},
        {"--size", "WxH", "width and height (default 64x64)", cs_arg_size, chosen->size},
        {"--seed", "N", "another seed, other images (default 1)", cs_arg_int64, &chosen->seed},
        {"--help", NULL, "print this", cs_arg_bool, &chosen->help},
        {"--version", NULL, "print the version", cs_arg_bool, &chosen->version},
    };
    const size_t n = sizeof args / sizeof *args;
    int given;
    CS_TRY(cs_args_parse(argc, argv, args, n, &chosen->out, 1, &given));
    if (chosen->help) {
        puts("cnnsweep-synthetic: draws small labelled images that look a little like skin lesions\n\n"
             "  cnnsweep-synthetic [options] OUT    makes OUT/train, OUT/val, OUT/test with a folder a class\n\n"
             "They are drawings, not medical data. Options:");
        cs_args_help(stdout, args, n);
    } else if (chosen->version) {
        puts("cnnsweep-synthetic " CNNSWEEP_VERSION);
    } else if (given != 1) {
        return cs_hint(cs_fail(CS_ERR_ARG, "give OUT, the folder to make"), "--help shows how to call it");
    }
    return CS_OK;
}

int main(int argc, char **argv) {
    options chosen = {.classes = 2, .per_class = 300, .size = {64, 64}, .seed = 1};
    if (parse(argc, argv, &chosen) != CS_OK) {
        cs_log_error_last();
        return EXIT_USAGE;
    }
    if (chosen.help || chosen.version)
        return EXIT_SUCCESS;
    if (synthesize(&chosen) != CS_OK) {
        cs_log_error_last();
        return EXIT_FAILURE;
    }
    cs_log(CS_LOG_INFO, "%s: drew %d synthetic images", chosen.out, chosen.classes * chosen.per_class);
    return EXIT_SUCCESS;
}
