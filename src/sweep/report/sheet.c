/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/sheet.h"
#include "cnnsweep/augment.h"
#include "cnnsweep/filtered.h"
#include "cnnsweep/loader.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/text_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2 /* pixels between two images of the sheet */ };

/* Memory for images that are mixed with others of their batch. */
typedef struct mixing {
    int32_t *order;    /* [count] the samples of the training split in the order of an epoch */
    int32_t *partners; /* [batch] */
    cs_mixed *mixed;   /* [batch] */
    float *images[3];  /* [h,w,3] an image, its partner, and what is made of both */
    uint8_t *pixels;   /* [h,w,3] the latter as bytes */
} mixing;

/* A sheet has a row for each sample of each augmentation: the image, and what it becomes in the first epochs. Below it
 * has a row for each sample of each filter: the image before and after. */
typedef struct sheet {
    const cs_sheet_options *options;
    const cs_job *job;
    cs_trial_config trial;
    cs_dataset *stored;  /* that was opened here; NULL: the caller has opened one */
    cs_dataset *dataset; /* the splits of the trial */
    cs_decoder *decoder;
    cs_image image, partner;
    cs_image *drawing;
    cs_augment_scratch scratch;
    mixing mixing;
    int rows;
} sheet;

static int height_of(const sheet *s) {
    return s->trial.data.image[0];
}

static int width_of(const sheet *s) {
    return s->trial.data.image[1];
}

static void draw_image(sheet *s, int column, const uint8_t *pixels) {
    const size_t h = (size_t)height_of(s), stride = (size_t)width_of(s) * 3;
    const size_t top = (size_t)s->rows * (h + GAP), left = (size_t)column * (stride + (size_t)GAP * 3);
    for (size_t y = 0; y < h; y++)
        memcpy(s->drawing->pixels + (top + y) * (size_t)s->drawing->w * 3 + left, pixels + y * stride, stride);
}

/* What the numbers of the CSV belong to. */
typedef struct csv_place {
    const sheet *sheet;
    const char *augment;
    const cs_augment_address *at;
} csv_place;

static void write_csv_line(const csv_place *place, const cs_augment_step *step, const char *number, const char *value) {
    FILE *csv = place->sheet->options->csv;
    fprintf(csv, "%d,%u,", place->sheet->rows + 1, place->at->epoch + 2);
    cs_csv_field(place->augment, csv);
    fprintf(csv, ",%u,%u,%s,%d,%s,%s\n", place->at->sample, place->at->epoch + 1, step->rule->name,
            step->occurrence + 1, number, value);
}

/* A line for each number that a step drew; a single line without a number for a step that draws none. */
static void write_csv_step(void *context, const cs_augment_step *step, const double *drawn) {
    const csv_place *place = context;
    if (step->rule->family == CS_FAMILY_GENERATOR && !step->rule->draw) /* a setting */
        return;
    if (!step->rule->drawn[0])
        write_csv_line(place, step, "", "");
    for (int k = 0; k < CS_AUGMENT_DRAWN && step->rule->drawn[k]; k++) {
        char value[32];
        snprintf(value, sizeof value, "%.17g", drawn[k]);
        write_csv_line(place, step, step->rule->drawn[k], value);
    }
}

/* Reads a training image and filters it. The pixels may lie in `image`. */
static cs_status load(sheet *s, const cs_filter_chain *filter, int64_t sample, cs_image *image, int *h, int *w,
                      const uint8_t **pixels) {
    const cs_filtered_spec spec = {.dataset = s->dataset, .filter = *filter};
    cs_filtered *filtered = NULL;
    if (filter->n == 0)
        return cs_dataset_pixels(s->dataset, s->decoder, CS_SPLIT_TRAIN, sample, h, w, image, pixels);
    CS_TRY(cs_filtered_open(&spec, &filtered));
    cs_status status = cs_filtered_pixels(filtered, s->decoder, sample, h, w, pixels);
    if (status == CS_OK)
        status = cs_image_reserve(image, *h, *w);
    if (status == CS_OK)
        memcpy(image->pixels, *pixels, (size_t)*h * (size_t)*w * 3);
    *pixels = image->pixels;
    cs_filtered_close(filtered);
    return status;
}

/* Reads the image of a sample as its augmentation gets it: as it is stored, if it changes the size. */
static cs_status load_for(sheet *s, const cs_augment *augment, int64_t sample, cs_image *image, int *h, int *w,
                          const uint8_t **pixels) {
    const bool resizes = cs_augment_resizes(augment);
    *h = resizes ? 0 : height_of(s);
    *w = resizes ? 0 : width_of(s);
    CS_TRY(load(s, &s->trial.data.filter, sample, image, h, w, pixels));
    return cs_augment_check_size(augment, *h, *w, height_of(s), width_of(s));
}

/* Finds the batch of the sample, as training makes it, and the partner that the sample has there. Returns the kind of
 * mixing that the batch gets; CS_MIX_KINDS: none. */
static int find_partner(const sheet *s, const cs_augment *augment, const cs_augment_address *at, int32_t *partner,
                        cs_mixed *mixed) {
    const mixing *m = &s->mixing;
    const cs_mix mix = cs_augment_mix(augment);
    const int64_t count = cs_dataset_count(s->dataset, CS_SPLIT_TRAIN), batch = s->trial.train.batch;
    int64_t place = 0;
    if (!cs_mix_is_on(&mix))
        return CS_MIX_KINDS;
    cs_epoch_order(s->trial.train.shuffle, at->seed, (int)at->epoch, count, m->order);
    while (m->order[place] != (int32_t)at->sample)
        place++;
    const cs_mix_address of_batch = {at->seed, at->epoch, (uint32_t)(place / batch)};
    const int64_t first = place - place % batch, n = count - first < batch ? count - first : batch;
    cs_mix_draw(&mix, &of_batch, (int)n, height_of(s), width_of(s), m->partners, m->mixed);
    *partner = m->order[first + m->partners[place - first]];
    *mixed = m->mixed[place - first];
    return cs_mix_kind_of(&mix, &of_batch);
}

static void to_floats(const sheet *s, const uint8_t *pixels, float *out) {
    for (int i = 0; i < height_of(s) * width_of(s) * 3; i++)
        out[i] = (float)pixels[i];
}

/* Mixes what a sample became with what its partner becomes in the same epoch. Training mixes the values that the
 * network gets; those of the bytes, which are drawn, have the same proportions. */
static cs_status mix_image(sheet *s, csv_place *place, const cs_augment *augment, const uint8_t **made) {
    const mixing *m = &s->mixing;
    cs_augment_address at = *place->at;
    int32_t partner = 0;
    cs_mixed mixed;
    cs_picture picture;
    const uint8_t *pixels;
    int h, w;
    const int kind = find_partner(s, augment, &at, &partner, &mixed);
    if (kind == CS_MIX_KINDS)
        return CS_OK;
    to_floats(s, *made, m->images[0]);
    at.sample = (uint32_t)partner;
    CS_TRY(load_for(s, augment, partner, &s->partner, &h, &w, &pixels));
    cs_augment_draw(augment, &at, h, w, &picture, NULL, NULL);
    CS_TRY(cs_augment_apply(&picture, pixels, &s->scratch, made));
    to_floats(s, *made, m->images[1]);
    cs_mix_images(&mixed, height_of(s), width_of(s), m->images[0], m->images[1], m->images[2]);
    for (int i = 0; i < height_of(s) * width_of(s) * 3; i++)
        m->pixels[i] = (uint8_t)(m->images[2][i] + 0.5f);
    *made = m->pixels;
    if (s->options->csv)
        cs_augment_observe_mix(augment, kind, partner, &mixed, write_csv_step, place);
    return CS_OK;
}

static cs_status draw_row(sheet *s, const struct cs_named_augment *named, int64_t sample) {
    const uint8_t *pixels;
    const uint8_t *made;
    int h = height_of(s), w = width_of(s);
    CS_TRY(load(s, &s->trial.data.filter, sample, &s->image, &h, &w, &pixels));
    draw_image(s, 0, pixels);
    if (cs_augment_resizes(&named->augment))
        CS_TRY(load_for(s, &named->augment, sample, &s->image, &h, &w, &pixels));
    else
        CS_TRY(cs_augment_check_size(&named->augment, h, w, h, w));
    for (int epoch = 0; epoch < s->options->epochs; epoch++) {
        const cs_augment_address at = {(uint64_t)s->trial.train.seed, (uint32_t)epoch, (uint32_t)sample};
        cs_picture picture;
        csv_place place = {s, named->name, &at};
        cs_augment_draw(&named->augment, &at, h, w, &picture, s->options->csv ? write_csv_step : NULL, &place);
        CS_TRY(cs_augment_apply(&picture, pixels, &s->scratch, &made));
        CS_TRY(mix_image(s, &place, &named->augment, &made));
        draw_image(s, 1 + epoch, made);
    }
    if (s->options->rows)
        fprintf(s->options->rows, "row %d: %s, %s\n", s->rows + 1, named->name,
                cs_dataset_id(s->dataset, CS_SPLIT_TRAIN, sample));
    s->rows++;
    return CS_OK;
}

static bool is_wanted(const sheet *s, const char *name) {
    return s->options->augment ? strcmp(s->options->augment, name) == 0 : strcmp(name, "none") != 0;
}

static int count_wanted(const sheet *s) {
    int n = 0;
    for (int a = 0; a < s->job->augmentations.n; a++)
        n += is_wanted(s, s->job->augmentations.items[a].name);
    return n;
}

/* The values of data.filter: those that are swept, or the one that all trials have. */
static const cs_swept_option *swept_filters(const cs_job *job) {
    for (int i = 0; i < job->n_swept; i++)
        if (strcmp(job->swept[i].option->key, "data.filter") == 0)
            return &job->swept[i];
    return NULL;
}

/* Sets the i-th filter of the job; false: there is none, or a single augmentation is asked for. */
static bool filter_at(const sheet *s, int i, cs_filter_chain *out) {
    const cs_swept_option *swept = swept_filters(s->job);
    *out = s->trial.data.filter;
    if (s->options->augment || i >= (swept ? swept->n : 1))
        return false;
    return !swept || cs_filter_parse(swept->values[i], out) == CS_OK;
}

static int count_filters(const sheet *s) {
    cs_filter_chain filter;
    int n = 0;
    for (int i = 0; filter_at(s, i, &filter); i++)
        n += filter.n > 0;
    return n;
}

static cs_status draw_filter_row(sheet *s, const cs_filter_chain *filter, int64_t sample) {
    const cs_filter_chain none = {0};
    const uint8_t *pixels;
    int h = height_of(s), w = width_of(s);
    CS_TRY(load(s, &none, sample, &s->image, &h, &w, &pixels));
    draw_image(s, 0, pixels);
    CS_TRY(load(s, filter, sample, &s->image, &h, &w, &pixels));
    draw_image(s, 1, pixels);
    if (s->options->rows)
        fprintf(s->options->rows, "row %d: filter %s, %s\n", s->rows + 1, cs_filter_text(filter),
                cs_dataset_id(s->dataset, CS_SPLIT_TRAIN, sample));
    s->rows++;
    return CS_OK;
}

static cs_status draw_filters(sheet *s) {
    const int64_t count = cs_dataset_count(s->dataset, CS_SPLIT_TRAIN);
    cs_filter_chain filter;
    for (int f = 0; filter_at(s, f, &filter); f++)
        for (int i = 0; i < s->options->samples && filter.n > 0; i++)
            CS_TRY(draw_filter_row(s, &filter, i * count / s->options->samples));
    return CS_OK;
}

static cs_status check(const sheet *s) {
    if (cs_dataset_count(s->dataset, CS_SPLIT_TRAIN) < s->options->samples)
        return cs_fail(CS_ERR_ARG, "%s has %lld training images, fewer than %d", cs_dataset_path(s->dataset),
                       (long long)cs_dataset_count(s->dataset, CS_SPLIT_TRAIN), s->options->samples);
    if (count_wanted(s) + count_filters(s) > 0)
        return CS_OK;
    if (s->options->augment)
        return cs_hint(cs_fail(CS_ERR_ARG, "augmentation '%s' is not defined", s->options->augment),
                       "define it under augmentations:");
    return cs_hint(cs_fail(CS_ERR_ARG, "%s defines no augmentation and no filter", s->job->path),
                   "define one under augmentations:, or set data.filter");
}

static cs_status draw_sheet(sheet *s) {
    const int samples = s->options->samples, columns = 1 + s->options->epochs,
              rows = samples * (count_wanted(s) + count_filters(s));
    const int64_t count = cs_dataset_count(s->dataset, CS_SPLIT_TRAIN);
    CS_TRY(cs_image_reserve(s->drawing, rows * (height_of(s) + GAP) - GAP, columns * (width_of(s) + GAP) - GAP));
    memset(s->drawing->pixels, 255, (size_t)s->drawing->h * (size_t)s->drawing->w * 3);
    if (s->options->csv)
        fputs("row,column,augment,sample,epoch,step,occurrence,number,value\n", s->options->csv);
    for (int a = 0; a < s->job->augmentations.n; a++) {
        const struct cs_named_augment *named = &s->job->augmentations.items[a];
        const cs_mix mix = cs_augment_mix(&named->augment);
        if (!is_wanted(s, named->name))
            continue;
        if (cs_mix_is_on(&mix) && s->options->rows)
            fprintf(s->options->rows, "%s mixes images of a batch, which here has %d\n", named->name,
                    s->trial.train.batch);
        for (int i = 0; i < samples; i++)
            CS_TRY(draw_row(s, named, i * count / samples));
    }
    return draw_filters(s);
}

static cs_status open_mixing(const sheet *s, mixing *m) {
    const size_t batch = (size_t)s->trial.train.batch, size = (size_t)height_of(s) * (size_t)width_of(s) * 3;
    const size_t count = (size_t)cs_dataset_count(s->dataset, CS_SPLIT_TRAIN);
    CS_TRY(cs_alloc(count, sizeof *m->order, "samples", &m->order));
    CS_TRY(cs_alloc(batch, sizeof *m->partners, "batch", &m->partners));
    CS_TRY(cs_alloc(batch, sizeof *m->mixed, "batch", &m->mixed));
    CS_TRY(cs_alloc(size, 1, "image", &m->pixels));
    for (int i = 0; i < 3; i++)
        CS_TRY(cs_alloc(size, sizeof *m->images[i], "image", &m->images[i]));
    return CS_OK;
}

static void clear_mixing(mixing *m) {
    free(m->order);
    free(m->partners);
    free(m->mixed);
    free(m->pixels);
    for (int i = 0; i < 3; i++)
        free(m->images[i]);
}

static cs_status make(sheet *s) {
    s->trial = s->job->trials[0];
    const cs_folds folds = cs_trial_folds(&s->trial);
    const cs_dataset *stored = s->options->dataset;
    if (!stored) {
        CS_TRY(cs_dataset_open(s->trial.data.path, &s->stored));
        cs_dataset_warn_if_black(s->stored);
        stored = s->stored;
    }
    CS_TRY(cs_dataset_open_fold(stored, &folds, &s->dataset));
    CS_TRY(cs_trial_resolve_image(s->dataset, &s->trial));
    CS_TRY(check(s));
    CS_TRY(cs_decoder_open(&s->decoder));
    CS_TRY(open_mixing(s, &s->mixing));
    return draw_sheet(s);
}

cs_status cs_sheet_draw(const cs_job *job, const cs_sheet_options *options, cs_image *out) {
    sheet s = {.options = options, .job = job, .drawing = out};
    const cs_status status = make(&s);
    cs_augment_scratch_clear(&s.scratch);
    clear_mixing(&s.mixing);
    cs_image_clear(&s.image);
    cs_image_clear(&s.partner);
    cs_decoder_close(s.decoder);
    cs_dataset_close(s.dataset);
    cs_dataset_close(s.stored);
    return status;
}
