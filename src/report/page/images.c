/* SPDX-License-Identifier: Apache-2.0 */
/* Images of a trial: those about which it was most sure, rightly and wrongly, and least sure. What augmentations make
 * of images. */
#include "cnnsweep/image.h"
#include "cnnsweep/log.h"
#include "page_impl.h"

#include <stdlib.h>

enum { SIDE = 96, SHEET = 800, QUALITY = 75 }; /* the longest side of an image on the page, and of a sheet, in pixels */

typedef struct gallery {
    cs_page_writer *writer;
    const cs_trial_details *details;
    cs_decoder *decoder;
    cs_image decoded, small;
    uint8_t *jpeg;
    size_t capacity;
    int64_t room;                           /* for encoded bytes */
    const cs_page_explanation *explanation; /* NULL: there is none */
    int explained;                          /* the index in it of the first image of the kind */
    int most;                               /* images of a kind */
} gallery;

static void close_gallery(gallery *g) {
    cs_decoder_close(g->decoder);
    cs_image_clear(&g->decoded);
    cs_image_clear(&g->small);
    free(g->jpeg);
}

/* Prints an image whose longest side is at most `most`, unless the page has no room for it any more. */
static cs_status print_image(gallery *g, const cs_image *image, int most, const char *alt) {
    cs_image shown;
    size_t size;
    CS_TRY(cs_image_thumbnail(g->decoder, image, most, &g->small, &shown));
    CS_TRY(cs_encode_jpeg(&shown, QUALITY, false, &g->jpeg, &g->capacity, &size));
    g->room -= (int64_t)(size + 2) / 3 * 4; /* in base64 */
    if (g->room < 0)
        return CS_OK;
    fprintf(g->writer->out, "<img alt=\"%s\" src=\"data:image/jpeg;base64,", alt);
    cs_html_base64(g->writer->out, g->jpeg, size);
    fputs("\">", g->writer->out);
    return CS_OK;
}

/* Prints the i-th image of a kind. */
static cs_status print_figure(gallery *g, const cs_detail_images *images, int i) {
    const cs_detail_image *image = &images->images[i];
    FILE *out = g->writer->out;
    const uint8_t *pixels;
    int h = 0, w = 0;
    CS_TRY(cs_dataset_pixels(g->writer->page->dataset, g->decoder, g->details->split, image->sample, &h, &w,
                             &g->decoded, &pixels));
    fputs("<figure>", out);
    CS_TRY(print_image(g, &(cs_image){.h = h, .w = w, .pixels = (uint8_t *)pixels}, SIDE, ""));
    if (g->explanation && g->explained + i < g->explanation->n)
        CS_TRY(print_image(g, &g->explanation->images[g->explained + i], SIDE, ""));
    fputs("<figcaption>", out);
    cs_page_name(out, image->id);
    fputs("<br>is ", out);
    cs_page_name(out, g->details->classes[image->label].name);
    fputs("<br>predicted ", out);
    cs_page_name(out, g->details->classes[image->predicted].name);
    fprintf(out, ", %.3f</figcaption></figure>\n", image->probability);
    return CS_OK;
}

static cs_status print_images(gallery *g, const char *title, const cs_detail_images *images) {
    if (images->n == 0)
        return CS_OK;
    fprintf(g->writer->out, "<h4>%s</h4>\n<div class=\"gallery\">\n", title);
    for (int i = 0; i < images->n && i < g->most; i++)
        CS_TRY(print_figure(g, images, i));
    g->explained += images->n;
    fputs("</div>\n", g->writer->out);
    return CS_OK;
}

static cs_status print_galleries(gallery *g) {
    CS_TRY(cs_decoder_open(&g->decoder));
    if (g->explanation && g->explanation->n) {
        fputs("<p class=\"note\">", g->writer->out);
        cs_html_text(g->writer->out, g->explanation->text);
        fputs("</p>\n", g->writer->out);
    }
    CS_TRY(print_images(g, "Most confident and right", &g->details->confident_right));
    CS_TRY(print_images(g, "Most confident and wrong", &g->details->confident_wrong));
    return print_images(g, "Least sure", &g->details->least_sure);
}

/* So many that there is room for those of all trials, but at least two. */
static int images_of_a_kind(const cs_page *page) {
    enum { ALL = 320, LEAST = 2 };
    const int most = page->n_trials > 0 ? ALL / page->n_trials : ALL;
    return most > LEAST ? most : LEAST;
}

/* A trial whose network cannot be explained is shown without. */
static void explain(const cs_page *page, int trial, const cs_trial_details *details, cs_page_explanation *out) {
    if (page->explain && page->explain(page->explain_context, trial, details, out) != CS_OK)
        cs_log(CS_LOG_WARN, "no explanation of %s: %s", page->trials[trial].name, cs_error_last()->text);
}

static bool are_of_dataset(const cs_detail_images *images, const cs_dataset *dataset, cs_split split) {
    for (int i = 0; i < images->n; i++)
        if (images->images[i].sample >= cs_dataset_count(dataset, split))
            return false;
    return true;
}

/* Why no images of the details can be shown; NULL: they can. */
static const char *obstacle(const cs_page *page, int trial, const cs_trial_details *details) {
    if (!page->dataset)
        return page->no_images;
    if (page->trials[trial].is_fold)
        return "the splits of a fold are not those of the dataset";
    if (cs_dataset_class_count(page->dataset) != details->n_classes ||
        !are_of_dataset(&details->confident_right, page->dataset, details->split) ||
        !are_of_dataset(&details->confident_wrong, page->dataset, details->split) ||
        !are_of_dataset(&details->least_sure, page->dataset, details->split))
        return "the file in details/ is of another dataset";
    return NULL;
}

static void print_reason(FILE *out, const char *reason) {
    fputs("<p class=\"note\">No images: ", out);
    cs_html_text(out, reason);
    fputs("</p>\n", out);
}

cs_status cs_page_images(cs_page_writer *writer, int t, const cs_trial_details *details) {
    const cs_page *page = writer->page;
    cs_page_explanation explanation = {0};
    if (!details->has_scores)
        return CS_OK;
    const char *reason = obstacle(page, t, details);
    if (reason) {
        print_reason(writer->out, reason);
        return CS_OK;
    }
    explain(page, t, details, &explanation);
    gallery g = {.writer = writer,
                 .details = details,
                 .room = CS_PAGE_IMAGE_BYTES,
                 .explanation = &explanation,
                 .most = images_of_a_kind(page)};
    const cs_status status = print_galleries(&g);
    for (int i = 0; i < CS_PAGE_EXPLAINED; i++)
        cs_image_clear(&explanation.images[i]);
    close_gallery(&g);
    return status;
}

static cs_status print_sheets(gallery *g) {
    const cs_page *page = g->writer->page;
    CS_TRY(cs_decoder_open(&g->decoder));
    for (int i = 0; i < page->n_sheets; i++) {
        fputs("<figure>", g->writer->out);
        CS_TRY(print_image(g, &page->sheets[i].image, SHEET, "Training images and their variants, a row for each"));
        fputs("<figcaption>", g->writer->out);
        cs_html_text(g->writer->out, page->sheets[i].name);
        fputs("</figcaption></figure>\n", g->writer->out);
    }
    return CS_OK;
}

cs_status cs_page_augmentations(cs_page_writer *writer) {
    if (writer->page->n_sheets == 0)
        return CS_OK;
    gallery g = {.writer = writer, .room = CS_PAGE_SHEET_BYTES};
    cs_page_begin_section(writer->out, "augmentations", "Augmentations");
    fputs("<p class=\"note\">In each row a training image, and what it becomes in the first epochs.</p>\n",
          writer->out);
    const cs_status status = print_sheets(&g);
    cs_page_end_section(writer->out);
    close_gallery(&g);
    return status;
}
