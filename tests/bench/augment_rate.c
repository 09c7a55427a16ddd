/* SPDX-License-Identifier: Apache-2.0 */
/* augment_rate JOB.yaml SECONDS: makes augmented images, as training does, from the job's training images, which are
 * decoded before. For each of the job's augmentations it prints the name and the processor's seconds per image, of one
 * thread. augment_rate.py compares them with other libraries. */
#include "cnnsweep/job.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IMAGES = 64, AT_ONCE = 16 };

typedef struct images {
    int n, h, w;
    uint8_t *pixels; /* [n,h,w,3] */
} images;

static double thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static cs_status load(const char *path, images *out) {
    cs_dataset *dataset = NULL;
    cs_decoder *decoder = NULL;
    cs_image image = {0};
    CS_TRY(cs_dataset_open(path, &dataset));
    CS_TRY(cs_decoder_open(&decoder));
    cs_dataset_image_size(dataset, &out->h, &out->w);
    const int64_t count = cs_dataset_count(dataset, CS_SPLIT_TRAIN);
    const size_t size = (size_t)out->h * (size_t)out->w * 3;
    out->n = count < IMAGES ? (int)count : IMAGES;
    CS_TRY(cs_alloc((size_t)out->n, size, "images", &out->pixels));
    for (int i = 0; i < out->n; i++) {
        const uint8_t *pixels;
        CS_TRY(cs_dataset_pixels(dataset, decoder, CS_SPLIT_TRAIN, i, &out->h, &out->w, &image, &pixels));
        memcpy(out->pixels + (size_t)i * size, pixels, size);
    }
    cs_image_clear(&image);
    cs_decoder_close(decoder);
    cs_dataset_close(dataset);
    return CS_OK;
}

static cs_status make(const images *from, const cs_augment *augment, uint32_t number, cs_augment_scratch *scratch) {
    const uint32_t n = (uint32_t)from->n;
    const cs_augment_address at = {1, number / n, number % n};
    const uint8_t *made;
    cs_picture picture;
    cs_augment_draw(augment, &at, from->h, from->w, &picture, NULL, NULL);
    return cs_augment_apply(&picture, from->pixels + (size_t)at.sample * (size_t)from->h * (size_t)from->w * 3, scratch,
                            &made);
}

static cs_status measure(const images *from, const struct cs_named_augment *named, double seconds) {
    cs_augment_scratch scratch = {0};
    uint32_t made = 0;
    for (; made < AT_ONCE; made++)
        CS_TRY(make(from, &named->augment, made, &scratch));
    const double begin = thread_seconds();
    double end = begin;
    for (made = 0; end - begin < seconds; end = thread_seconds())
        for (int i = 0; i < AT_ONCE; i++)
            CS_TRY(make(from, &named->augment, made++, &scratch));
    printf("%s %.9f\n", named->name, (end - begin) / made);
    cs_augment_scratch_clear(&scratch);
    return CS_OK;
}

static cs_status run(const char *path, double seconds) {
    cs_job *job = NULL;
    images from = {0};
    CS_TRY(cs_job_read(path, NULL, 0, &job));
    CS_TRY(load(job->trials[0].data.path, &from));
    for (int i = 1; i < job->augmentations.n; i++)
        CS_TRY(measure(&from, &job->augmentations.items[i], seconds));
    free(from.pixels);
    cs_job_free(job);
    return CS_OK;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fputs("usage: augment_rate JOB.yaml SECONDS\n", stderr);
        return 2;
    }
    if (run(argv[1], strtod(argv[2], NULL)) == CS_OK)
        return 0;
    cs_log_error_last();
    return 1;
}
