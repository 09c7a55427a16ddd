/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/trial_input.h"
#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"
#include "fit.h"
#include "network.h"

#include <stdlib.h>
#include <string.h>

struct cs_trial_input {
    const cs_trial_config *trial;
    const cs_dataset *dataset;
    cs_loader_config config; /* how the trainer makes the same input */
    cs_resize resize;
    cs_fitted fitted;
    cs_decoder *decoder;
    cs_filter_chain packed; /* the filters of cnnsweep-pack */
    cs_filter_scratch *filters;
    cs_augment_scratch scratch;
    cs_image image, resized;
    float *standardized; /* [H,W,3] */
};

static cs_status set_decoding(cs_trial_input *input) {
    cs_decode_rules rules;
    input->resize = cs_dataset_resize(input->dataset);
    if (!cs_decode_rules_parse(cs_dataset_decode(input->dataset), &rules))
        return cs_fail(CS_ERR_FORMAT, "%s: images were decoded by rules that are not known: %s",
                       cs_dataset_path(input->dataset), cs_dataset_decode(input->dataset));
    cs_decoder_set_rules(input->decoder, &rules);
    return cs_filter_parse(cs_dataset_filter(input->dataset), &input->packed);
}

/* Only statistics of the training split need a dataset. */
static cs_status fit_input(cs_trial_input *input, const cs_graph *graph) {
    const cs_standardize settings = cs_augment_standardize(&input->trial->augment, false);
    if (!input->dataset && (settings.featurewise_center || settings.zca))
        return cs_hint(cs_fail(CS_ERR_ARG, "the trial's images are standardized by statistics of its training images"),
                       "name the dataset: --data FILE");
    return cs_fit(input->trial, input->dataset, graph, NULL, &input->fitted);
}

static cs_status open_input(cs_trial_input *input, const cs_graph *graph) {
    CS_TRY(cs_decoder_open(&input->decoder));
    CS_TRY(cs_filter_scratch_open(&input->filters));
    if (input->dataset)
        CS_TRY(set_decoding(input));
    CS_TRY(fit_input(input, graph));
    input->config = cs_trial_loader(input->trial, graph, &input->fitted.standardization, CS_SPLIT_TEST);
    const size_t size = (size_t)input->config.h * (size_t)input->config.w * 3;
    CS_TRY(cs_augment_reserve(&input->scratch, input->config.h, input->config.w));
    return cs_alloc(size, sizeof *input->standardized, "image", &input->standardized);
}

cs_status cs_trial_input_open(const cs_trial_config *trial, const cs_dataset *dataset, const cs_graph *graph,
                              cs_trial_input **out) {
    cs_trial_input *input = NULL;
    CS_TRY(cs_alloc(1, sizeof *input, "input", &input));
    input->trial = trial;
    input->dataset = dataset;
    cs_status status = open_input(input, graph);
    if (status != CS_OK)
        cs_trial_input_close(input);
    else
        *out = input;
    return status;
}

void cs_trial_input_close(cs_trial_input *input) {
    if (!input)
        return;
    cs_fitted_close(&input->fitted);
    cs_decoder_close(input->decoder);
    cs_filter_scratch_close(input->filters);
    cs_augment_scratch_clear(&input->scratch);
    cs_image_clear(&input->image);
    cs_image_clear(&input->resized);
    free(input->standardized);
    free(input);
}

static void to_floats(const cs_trial_input *input, const uint8_t *pixels, float *values) {
    const cs_loader_config *config = &input->config;
    const size_t size = (size_t)config->h * (size_t)config->w * 3;
    for (size_t i = 0; i < size; i++) {
        const size_t c = i % 3, from = config->bgr ? i - c + 2 - c : i;
        values[i] = (float)pixels[from] * config->multiply[c] + config->add[c];
    }
    if (config->standardization)
        cs_standardization_apply(config->standardization, values, 1, size, input->standardized);
}

/* Resizes input->image, unless it has that size. *pixels may be borrowed from the image. */
static cs_status resize(cs_trial_input *input, int h, int w, const uint8_t **pixels) {
    *pixels = input->image.pixels;
    if (input->image.h == h && input->image.w == w)
        return CS_OK;
    CS_TRY(cs_image_reserve(&input->resized, h, w));
    *pixels = input->resized.pixels;
    return cs_resize_image(input->decoder, &input->image, input->resize, h, w, input->resized.pixels);
}

static bool keeps_stored_size(const cs_trial_input *input) {
    return input->config.filter.n > 0 || cs_augment_resizes(&input->trial->val_augment);
}

/* Makes the input of an image as large as the trainer gets it: as it is stored (keeps_stored_size), or as large as the
 * network's input. */
static cs_status finish(cs_trial_input *input, int64_t sample, const uint8_t *from, int h, int w, uint8_t *pixels,
                        float *values) {
    const cs_loader_config *config = &input->config;
    const cs_augment *augment = &input->trial->val_augment;
    const cs_augment_address at = {config->seed, 0, (uint32_t)sample};
    cs_picture picture;
    CS_TRY(cs_augment_check_size(augment, h, w, config->h, config->w));
    cs_augment_draw(augment, &at, h, w, &picture, NULL, NULL);
    CS_TRY(cs_augment_apply(&picture, from, &input->scratch, &from));
    memcpy(pixels, from, (size_t)config->h * (size_t)config->w * 3);
    to_floats(input, pixels, values);
    return CS_OK;
}

/* Filters and resizes input->image, which has the size in which images are stored, and makes the input. */
static cs_status filter_and_finish(cs_trial_input *input, int64_t sample, uint8_t *pixels, float *values) {
    const uint8_t *from = NULL;
    const bool resizes = cs_augment_resizes(&input->trial->val_augment);
    if (input->config.filter.n > 0)
        CS_TRY(cs_filter_apply(&input->config.filter, input->filters, &input->image));
    const int h = resizes ? input->image.h : input->config.h, w = resizes ? input->image.w : input->config.w;
    CS_TRY(resize(input, h, w, &from));
    return finish(input, sample, from, h, w, pixels, values);
}

cs_status cs_trial_input_sample(cs_trial_input *input, cs_split split, int64_t sample, uint8_t *pixels, float *values) {
    const uint8_t *from = NULL;
    int h = input->config.h, w = input->config.w;
    if (keeps_stored_size(input))
        h = w = 0;
    CS_TRY(cs_dataset_pixels(input->dataset, input->decoder, split, sample, &h, &w, &input->image, &from));
    if (!keeps_stored_size(input))
        return finish(input, sample, from, h, w, pixels, values);
    if (from != input->image.pixels) {
        CS_TRY(cs_image_reserve(&input->image, h, w));
        memcpy(input->image.pixels, from, (size_t)h * (size_t)w * 3);
    }
    return filter_and_finish(input, sample, pixels, values);
}

/* Decodes a file to the size in which the dataset stores images: all alike, or each its own. */
static cs_status decode_file(cs_trial_input *input, const char *path, const char *bytes, size_t size) {
    const uint8_t *file = (const uint8_t *)bytes;
    int h = 0, w = 0;
    if (input->dataset)
        cs_dataset_image_size(input->dataset, &h, &w);
    else if (!keeps_stored_size(input)) {
        h = input->config.h;
        w = input->config.w;
    }
    if (input->packed.n == 0)
        return cs_decode_resized(input->decoder, path, file, size, input->resize, h, w, &input->image);
    CS_TRY(cs_decode(input->decoder, path, file, size, 0, 0, &input->image));
    CS_TRY(cs_filter_apply(&input->packed, input->filters, &input->image));
    if (h == 0 || (h == input->image.h && w == input->image.w))
        return CS_OK;
    CS_TRY(cs_image_reserve(&input->resized, h, w));
    CS_TRY(cs_resize_image(input->decoder, &input->image, input->resize, h, w, input->resized.pixels));
    const cs_image full = input->image;
    input->image = input->resized;
    input->resized = full;
    return CS_OK;
}

cs_status cs_trial_input_file(cs_trial_input *input, const char *path, uint8_t *pixels, float *values) {
    enum { LIMIT = 1 << 30 };
    char *bytes = NULL;
    size_t size;
    CS_TRY(cs_file_read(path, LIMIT, &bytes, &size));
    cs_status status = decode_file(input, path, bytes, size);
    free(bytes);
    return status == CS_OK ? filter_and_finish(input, 0, pixels, values) : status;
}
