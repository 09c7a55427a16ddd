/* SPDX-License-Identifier: Apache-2.0 */
/* Images of a trial: those about which it was most sure, rightly and wrongly, and least sure. */
#include "cnnsweep/image.h"
#include "page_impl.h"

#include <stdlib.h>

enum { SIDE = 96, QUALITY = 75 }; /* the longest side of an image on the page, in pixels */

typedef struct gallery {
    cs_page_writer *writer;
    const cs_trial_details *details;
    cs_decoder *decoder;
    cs_image decoded, small;
    uint8_t *jpeg;
    size_t capacity;
    int64_t room; /* for encoded bytes */
} gallery;

static int shown_side(int side, int longest) {
    const int shown = (int)(((int64_t)side * SIDE + longest / 2) / longest);
    return shown > 0 ? shown : 1;
}

/* Encodes the image as it is shown; 0 bytes if the page has no room for it any more. */
static cs_status encode(gallery *g, int64_t sample, size_t *size) {
    const uint8_t *pixels;
    int h = 0, w = 0;
    CS_TRY(cs_dataset_pixels(g->writer->page->dataset, g->decoder, g->details->split, sample, &h, &w, &g->decoded,
                             &pixels));
    cs_image shown = {.h = h, .w = w, .pixels = (uint8_t *)pixels};
    const int longest = h > w ? h : w;
    if (longest > SIDE) {
        CS_TRY(cs_image_reserve(&g->small, shown_side(h, longest), shown_side(w, longest)));
        CS_TRY(cs_resize_image(g->decoder, &shown, (cs_resize){0}, g->small.h, g->small.w, g->small.pixels));
        shown = g->small;
    }
    CS_TRY(cs_encode_jpeg(&shown, QUALITY, false, &g->jpeg, &g->capacity, size));
    const int64_t encoded = (int64_t)(*size + 2) / 3 * 4; /* in base64 */
    if (encoded > g->room)
        *size = 0;
    else
        g->room -= encoded;
    return CS_OK;
}

static cs_status print_figure(gallery *g, const cs_detail_image *image) {
    FILE *out = g->writer->out;
    size_t size;
    CS_TRY(encode(g, image->sample, &size));
    fputs("<figure>", out);
    if (size) {
        fputs("<img alt=\"\" src=\"data:image/jpeg;base64,", out);
        cs_html_base64(out, g->jpeg, size);
        fputs("\">", out);
    }
    fputs("<figcaption>", out);
    cs_html_text(out, image->id);
    fputs("<br>is ", out);
    cs_html_text(out, g->details->classes[image->label].name);
    fputs("<br>predicted ", out);
    cs_html_text(out, g->details->classes[image->predicted].name);
    fprintf(out, ", %.3f</figcaption></figure>\n", image->probability);
    return CS_OK;
}

static cs_status print_images(gallery *g, const char *title, const cs_detail_images *images) {
    if (images->n == 0)
        return CS_OK;
    fprintf(g->writer->out, "<h4>%s</h4>\n<div class=\"gallery\">\n", title);
    for (int i = 0; i < images->n; i++)
        CS_TRY(print_figure(g, &images->images[i]));
    fputs("</div>\n", g->writer->out);
    return CS_OK;
}

static cs_status print_galleries(gallery *g) {
    CS_TRY(cs_decoder_open(&g->decoder));
    CS_TRY(print_images(g, "Most confident and wrong", &g->details->confident_wrong));
    CS_TRY(print_images(g, "Least sure", &g->details->least_sure));
    return print_images(g, "Most confident and right", &g->details->confident_right);
}

cs_status cs_page_images(cs_page_writer *writer, const cs_page_trial *trial, const cs_trial_details *details) {
    if (!details->has_scores)
        return CS_OK;
    if (!writer->page->dataset || trial->is_fold) {
        fputs("<p class=\"note\">No images: ", writer->out);
        cs_html_text(writer->out,
                     trial->is_fold ? "the splits of a fold are not those of the dataset" : writer->page->no_images);
        fputs("</p>\n", writer->out);
        return CS_OK;
    }
    gallery g = {.writer = writer, .details = details, .room = CS_PAGE_IMAGE_BYTES};
    const cs_status status = print_galleries(&g);
    cs_decoder_close(g.decoder);
    cs_image_clear(&g.decoded);
    cs_image_clear(&g.small);
    free(g.jpeg);
    return status;
}
