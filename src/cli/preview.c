/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep preview: draws what a job's augmentations and filters make of its training images. */
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/sheet.h"
#include "command.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct preview_args {
    const char *path, *augment, *out, *csv;
    cs_sets sets;
    int samples, epochs;
    bool help;
} preview_args;

static bool parse(int argc, char **argv, preview_args *args, int *exit_code) {
    const cs_arg rows[] = {
        {"--augment", "NAME", "an augmentation of the job file; default: all of them", cs_arg_text, &args->augment},
        {"--samples", "N", "how many training images, spread over the split (default 4)", cs_arg_positive,
         &args->samples},
        {"--epochs", "N", "what they become in the first N epochs (default 7)", cs_arg_positive, &args->epochs},
        {"--out", "FILE", "the sheet, a PNG (default preview.png)", cs_arg_text, &args->out},
        {"--csv", "FILE", "also write the numbers drawn for each image", cs_arg_text, &args->csv},
        {"--set", "KEY=VALUE", "set any key of the job file (repeatable)", cs_arg_set, &args->sets},
        {"--help", NULL, "print this", cs_arg_bool, &args->help},
    };
    const cs_usage usage = {
        .line = "cnnsweep preview [options] JOB.yaml",
        .doc = "Draws what a job's augmentations and filters make of its training images: exactly what "
               "training with the job's seed gets.",
        .operands = {"JOB.yaml"},
        .args = rows,
        .n = sizeof rows / sizeof *rows,
        .help = &args->help};
    return cs_command_parse(&usage, argc, argv, &args->path, exit_code);
}

static cs_status write_png(const cs_image *drawing, const char *path) {
    uint8_t *bytes = NULL;
    size_t size;
    CS_TRY(cs_encode_png(drawing, &bytes, &size));
    cs_status status = cs_file_write(path, bytes, size);
    free(bytes);
    return status;
}

static cs_status preview(const preview_args *args, const cs_job *job, cs_image *drawing, cs_atomic_file **csv) {
    if (args->csv)
        CS_TRY(cs_atomic_open(args->csv, csv));
    const cs_sheet_options options = {.augment = args->augment,
                                      .samples = args->samples,
                                      .epochs = args->epochs,
                                      .csv = *csv ? cs_atomic_stream(*csv) : NULL,
                                      .rows = stdout};
    CS_TRY(cs_sheet_draw(job, &options, drawing));
    CS_TRY(write_png(drawing, args->out));
    if (*csv)
        CS_TRY(cs_atomic_commit(csv));
    printf("%s: the image, and what it becomes in %d epochs, from left to right\n", args->out, args->epochs);
    return CS_OK;
}

int cs_command_preview(int argc, char **argv) {
    preview_args args = {.out = "preview.png", .samples = 4, .epochs = 7};
    int exit_code;
    if (!parse(argc, argv, &args, &exit_code))
        return exit_code;
    cs_job *job = NULL;
    cs_image drawing = {0};
    cs_atomic_file *csv = NULL;
    cs_status status = cs_job_read(args.path, args.sets.items, args.sets.n, &job);
    if (status == CS_OK)
        status = preview(&args, job, &drawing, &csv);
    if (status != CS_OK)
        cs_log_error_last();
    cs_atomic_abort(&csv);
    cs_image_clear(&drawing);
    cs_job_free(job);
    return cs_exit_code(status);
}
