/* SPDX-License-Identifier: Apache-2.0 */
/* What the sections of the page about a dataset have in common. */
#include "report.h"

#include "cnnsweep/html.h"

#include <stdlib.h>

enum { THUMBNAIL = 96 }; /* the longest side of an image on the page, in pixels; larger ones are made smaller */

void pack_begin_section(FILE *out, const char *id, const char *title) {
    fprintf(out, "<section id=\"%s\">\n<h2>%s</h2>\n", id, title);
}

void pack_end_section(FILE *out) {
    fputs("</section>\n", out);
}

static cs_status print_image(pack_page *page, const pack_measured *image) {
    int h = image->h, w = image->w;
    const uint8_t *pixels;
    uint8_t *png = NULL;
    size_t size;
    CS_TRY(cs_dataset_pixels(page->dataset, page->decoder, image->split, image->at, &h, &w, &page->decoded, &pixels));
    const cs_image whole = {.h = h, .w = w, .pixels = (uint8_t *)pixels};
    cs_image shown;
    CS_TRY(cs_image_thumbnail(page->decoder, &whole, THUMBNAIL, &page->small, &shown));
    CS_TRY(cs_encode_png(&shown, &png, &size));
    pack_html_png(page->out, png, size);
    free(png);
    return CS_OK;
}

cs_status pack_print_figure(pack_page *page, const pack_measured *image) {
    FILE *out = page->out;
    fputs("<figure>", out);
    CS_TRY(print_image(page, image));
    fputs("<figcaption>", out);
    cs_html_text(out, cs_dataset_id(page->dataset, image->split, image->at));
    fprintf(out, "<br>%s, ", cs_split_name(image->split));
    cs_html_text(out, cs_dataset_class(page->dataset, image->label));
    fprintf(out, "<br>%dx%d pixels<br>brightness %.1f<br>sharpness %.1f</figcaption></figure>\n", image->w, image->h,
            image->brightness, image->sharpness);
    return CS_OK;
}
