/* SPDX-License-Identifier: Apache-2.0 */
#include "fit.h"
#include "cnnsweep/loader.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/train.h"
#include "cnnsweep/whitening.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32 };

/* What a pass over the training images needs. */
typedef struct fit {
    const cs_trial_config *trial;
    const cs_dataset *dataset;
    int h, w;
    const volatile sig_atomic_t *stop;
    cs_fitted *out;
} fit;

/* Takes n images, of values in 0..255. */
typedef void take_images(void *context, const float *images, int n);

static cs_status read_batches(const fit *f, cs_loader *loader, take_images *take, void *context) {
    cs_progress *progress = NULL;
    cs_status status;
    CS_TRY(cs_progress_open("statistics", "images", cs_dataset_count(f->dataset, CS_SPLIT_TRAIN), &progress));
    CS_TRY_GOTO(cs_loader_start(loader, 0, 0), done);
    for (int i = cs_loader_batches(loader); i > 0; i--) {
        cs_batch batch;
        CS_TRY_GOTO(cs_loader_next(loader, &batch), done);
        take(context, batch.images, batch.n);
        cs_progress_add(progress, batch.n);
        CS_TRY_GOTO(cs_check_stop(f->stop), done);
    }
done:
    cs_progress_close(progress);
    return status;
}

/* Shows all images of the training split to `take`, resized and not augmented. */
static cs_status read_images(const fit *f, take_images *take, void *context) {
    const cs_loader_config config = {.split = CS_SPLIT_TRAIN,
                                     .batch = BATCH,
                                     .h = f->h,
                                     .w = f->w,
                                     .filter = f->trial->data.filter,
                                     .multiply = {1, 1, 1}};
    cs_loader *loader = NULL;
    CS_TRY(cs_loader_open(f->dataset, &config, &loader));
    cs_status status = read_batches(f, loader, take, context);
    cs_loader_close(loader);
    return status;
}

typedef struct sums {
    cs_pixel_sums pixels;
    size_t size; /* values of an image */
} sums;

static void add_pixels(void *context, const float *images, int n) {
    sums *s = context;
    const size_t pixels = (size_t)n * s->size / 3;
    for (size_t i = 0; i < pixels; i++)
        for (int c = 0; c < 3; c++) {
            const uint64_t value = (uint64_t)images[3 * i + (size_t)c];
            s->pixels.sum[c] += value;
            s->pixels.square[c] += value * value;
        }
    s->pixels.pixels += pixels;
}

/* Describes the images that statistics are made of. */
static cs_status describe_images(const fit *f, const char *what, cs_kept *kept) {
    const cs_filter_chain *filter = &f->trial->data.filter;
    char resize[CS_RESIZE_TEXT];
    return cs_path(kept->source, sizeof kept->source, "dataset %016llx, %s%s%s; %s of the training images at %dx%d",
                   (unsigned long long)cs_dataset_checksum(f->dataset),
                   cs_resize_text(cs_dataset_resize(f->dataset), resize), filter->n > 0 ? ", filter " : "",
                   filter->n > 0 ? cs_filter_text(filter) : "", what, f->h, f->w);
}

/* Writes a file of two rows, mean and standard deviation of each channel. */
static cs_status compute_channels(void *context, const cs_kept *kept) {
    const fit *f = context;
    const int64_t counts[CS_SPLIT_COUNT] = {[CS_SPLIT_TRAIN] = 2};
    const int32_t labels[2] = {0};
    sums s = {.size = (size_t)f->h * (size_t)f->w * 3};
    double mean_std[2][3];
    float rows[2][3];
    cs_features_writer *writer = NULL;
    CS_TRY(read_images(f, add_pixels, &s));
    cs_pixel_mean_std(&s.pixels, mean_std[0], mean_std[1]);
    for (int i = 0; i < 6; i++)
        rows[i / 3][i % 3] = (float)mean_std[i / 3][i % 3];
    CS_TRY(cs_features_create(kept->path, kept->source, 3, counts, &writer));
    cs_status status = cs_features_append(writer, CS_SPLIT_TRAIN, rows[0], labels, 2);
    if (status == CS_OK)
        status = cs_features_commit(&writer);
    cs_features_abort(&writer);
    return status;
}

static cs_status read_channels(fit *f) {
    cs_kept kept;
    cs_features *file = NULL;
    CS_TRY(describe_images(f, "mean and std", &kept));
    CS_TRY(cs_kept_name(&f->trial->data, "statistics", &kept));
    CS_TRY(cs_kept_open(&kept, f->stop, compute_channels, f, &file));
    memcpy(f->out->standardization.mean, cs_features_row(file, CS_SPLIT_TRAIN, 0), sizeof f->out->standardization.mean);
    memcpy(f->out->standardization.std, cs_features_row(file, CS_SPLIT_TRAIN, 1), sizeof f->out->standardization.std);
    cs_features_close(file);
    return CS_OK;
}

/* The dataset has the statistics of its training images as they are stored. */
static cs_status fit_channels(fit *f) {
    double mean[3], std[3];
    int h, w;
    cs_dataset_image_size(f->dataset, &h, &w);
    if (h != f->h || w != f->w || f->trial->data.filter.n > 0 || f->trial->data.fold.count > 0)
        return read_channels(f);
    cs_dataset_mean_std(f->dataset, mean, std);
    for (int c = 0; c < 3; c++) {
        f->out->standardization.mean[c] = (float)mean[c];
        f->out->standardization.std[c] = (float)std[c];
    }
    return CS_OK;
}

typedef struct centring {
    cs_whitening *whitening;
    float rescale, mean[3]; /* of the rescaled pixels */
    size_t size;
    double *rows; /* [BATCH,size] */
} centring;

static void add_centred(void *context, const float *images, int n) {
    centring *c = context;
    for (size_t i = 0; i < (size_t)n * c->size; i++)
        c->rows[i] = (double)(images[i] * c->rescale - c->mean[i % 3]);
    cs_whitening_add(c->whitening, c->rows, n);
}

static cs_status write_matrix(const cs_whitening *whitening, size_t size, const cs_kept *kept) {
    const int64_t counts[CS_SPLIT_COUNT] = {[CS_SPLIT_TRAIN] = (int64_t)size};
    const int32_t label = 0;
    cs_features_writer *writer = NULL;
    float *row = NULL;
    cs_status status;
    CS_TRY_GOTO(cs_alloc(size, sizeof *row, "whitening", &row), done);
    CS_TRY_GOTO(cs_features_create(kept->path, kept->source, (int)size, counts, &writer), done);
    for (size_t i = 0; i < size; i++) {
        cs_whitening_row(whitening, i, row);
        CS_TRY_GOTO(cs_features_append(writer, CS_SPLIT_TRAIN, row, &label, 1), done);
    }
    status = cs_features_commit(&writer);
done:
    cs_features_abort(&writer);
    free(row);
    return status;
}

/* Writes a file with a row for each line of the matrix. */
static cs_status compute_whitening(void *context, const cs_kept *kept) {
    const fit *f = context;
    const cs_standardize *settings = &f->out->standardization.settings;
    centring c = {.rescale = settings->rescale != 0 ? settings->rescale : 1, .size = (size_t)f->h * (size_t)f->w * 3};
    const double started = cs_now();
    cs_status status;
    for (int i = 0; i < 3; i++)
        c.mean[i] = f->out->standardization.mean[i] * c.rescale;
    CS_TRY_GOTO(cs_whitening_open(cs_dataset_count(f->dataset, CS_SPLIT_TRAIN), c.size, &c.whitening), done);
    CS_TRY_GOTO(cs_alloc(BATCH, c.size * sizeof *c.rows, "whitening", &c.rows), done);
    cs_log(CS_LOG_INFO, "%s: the whitening matrix of images of %zu values, to be computed once", kept->path, c.size);
    CS_TRY_GOTO(read_images(f, add_centred, &c), done);
    CS_TRY_GOTO(cs_whitening_finish(c.whitening, settings->is_of_keras_2_8, (double)settings->zca_epsilon), done);
    CS_TRY_GOTO(write_matrix(c.whitening, c.size, kept), done);
    cs_log(CS_LOG_INFO, "%s: computed in %.1f s", kept->path, cs_now() - started);
done:
    free(c.rows);
    cs_whitening_close(c.whitening);
    return status;
}

static cs_status fit_whitening(fit *f) {
    const cs_standardize *settings = &f->out->standardization.settings;
    cs_kept kept;
    char what[96];
    CS_TRY(cs_whitening_check(f->h, f->w));
    snprintf(what, sizeof what, "whitening matrix (rescale %.9g, epsilon %.9g%s)", (double)settings->rescale,
             (double)settings->zca_epsilon, settings->is_of_keras_2_8 ? ", keras2.8" : "");
    CS_TRY(describe_images(f, what, &kept));
    CS_TRY(cs_kept_name(&f->trial->data, "zca", &kept));
    CS_TRY(cs_kept_open(&kept, f->stop, compute_whitening, f, &f->out->whitening));
    f->out->standardization.whitening = cs_features_row(f->out->whitening, CS_SPLIT_TRAIN, 0);
    return CS_OK;
}

static void log_fit(const fit *f) {
    char text[CS_STANDARDIZE_TEXT];
    cs_standardization_text(&f->out->standardization, text, sizeof text);
    cs_log(CS_LOG_INFO, "augment %s: pixels are standardized (%s)", f->trial->augment_name, text);
}

/* All splits are standardized alike, as train.augment says. */
static cs_status check_val_augment(const cs_trial_config *trial, const cs_standardize *settings) {
    const cs_standardize other = cs_augment_standardize(&trial->val_augment, false);
    char text[2][CS_STANDARDIZE_TEXT];
    cs_standardize_text(settings, text[0], sizeof text[0]);
    cs_standardize_text(&other, text[1], sizeof text[1]);
    if (!text[1][0] || strcmp(text[0], text[1]) == 0)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG,
                           "data.val_augment: %s standardizes images (%s), but train.augment: %s does not do the same",
                           trial->val_augment_name, text[1], trial->augment_name),
                   "a standardization in train.augment applies to val and test too: leave it out here");
}

cs_status cs_trial_check_standardization(const cs_trial_config *trial, bool log) {
    const cs_standardize settings = cs_augment_standardize(&trial->augment, log);
    const bool pretrained = trial->weights[0];
    char text[CS_STANDARDIZE_TEXT];
    CS_TRY(check_val_augment(trial, &settings));
    if (!cs_standardize_is_on(&settings))
        return CS_OK;
    cs_standardize_text(&settings, text, sizeof text);
    if (log)
        cs_log(
            pretrained ? CS_LOG_WARN : CS_LOG_INFO,
            "augment %s: pixels of all splits are standardized (%s); this replaces the preprocessing that belongs to "
            "%s%s",
            trial->augment_name, text, pretrained ? "the pretrained weights " : "the architecture", trial->weights);
    return settings.zca ? cs_whitening_check(trial->data.image[0], trial->data.image[1]) : CS_OK;
}

cs_status cs_fit(const cs_trial_config *trial, const cs_dataset *dataset, const cs_graph *graph,
                 const volatile sig_atomic_t *stop, cs_fitted *out) {
    const cs_shape input = graph->layers[0].out;
    const cs_standardize settings = cs_augment_standardize(&trial->augment, false);
    fit f = {.trial = trial, .dataset = dataset, .h = input.h, .w = input.w, .stop = stop, .out = out};
    *out = (cs_fitted){.standardization = {.settings = settings}};
    if (!cs_standardize_is_on(&settings))
        return CS_OK;
    if (settings.featurewise_center)
        CS_TRY(fit_channels(&f));
    if (settings.zca)
        CS_TRY(fit_whitening(&f));
    log_fit(&f);
    return CS_OK;
}

void cs_fitted_close(cs_fitted *fitted) {
    cs_features_close(fitted->whitening);
}
