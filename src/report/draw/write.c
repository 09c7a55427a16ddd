/* SPDX-License-Identifier: Apache-2.0 */
/* Drawings as files. */
#include "cairo.h"

#include "cnnsweep/file.h"

#include <cairo-pdf.h>
#include <math.h>

static const double paper_scale = 2, point = 0.75; /* points of PDF, 1/72 inch, in a pixel of CSS */

static cairo_status_t write_bytes(void *stream, const unsigned char *bytes, unsigned int n) {
    return fwrite(bytes, 1, n, stream) == n ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* That the disk is full is found when the file is finished. */
static cs_status check_cairo(const cs_drawing *drawing, cairo_status_t status) {
    if (status == CAIRO_STATUS_SUCCESS || status == CAIRO_STATUS_WRITE_ERROR)
        return CS_OK;
    return cs_fail(status == CAIRO_STATUS_NO_MEMORY ? CS_ERR_NO_MEMORY : CS_ERR_UNSUPPORTED,
                   "\"%s\", %g x %g pixels: %s", drawing->title, drawing->width, drawing->height,
                   cairo_status_to_string(status));
}

static cs_status paint_surface(const cs_drawing *drawing, cairo_surface_t *surface, double scale) {
    cairo_t *cairo = cairo_create(surface);
    cairo_scale(cairo, scale, scale);
    cs_drawing_paint(drawing, cairo);
    const cairo_status_t status = cairo_status(cairo);
    cairo_destroy(cairo);
    return check_cairo(drawing, status);
}

static cs_status print_pdf(const cs_drawing *drawing, double scale, FILE *out) {
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(write_bytes, out, drawing->width * scale, drawing->height * scale);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, drawing->title);
    cs_status status = paint_surface(drawing, surface, scale);
    cairo_surface_finish(surface);
    if (status == CS_OK)
        status = check_cairo(drawing, cairo_surface_status(surface));
    cairo_surface_destroy(surface);
    return status;
}

static cs_status print_png(const cs_drawing *drawing, double scale, FILE *out) {
    const int width = (int)ceil(drawing->width * scale), height = (int)ceil(drawing->height * scale);
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    cs_status status = paint_surface(drawing, surface, scale);
    if (status == CS_OK)
        status = cs_png_print(surface, scale, out);
    cairo_surface_destroy(surface);
    return status;
}

static cs_status print_svg(const cs_drawing *drawing, double scale, FILE *out) {
    (void)scale;
    return cs_drawing_print_svg(drawing, CS_SVG_STANDALONE, "cs", out);
}

static const struct {
    const char *suffix;
    double scale;
    cs_status (*print)(const cs_drawing *drawing, double scale, FILE *out);
} formats[] = {{".svg", 1, print_svg}, {".pdf", point, print_pdf}, {".png", paper_scale, print_png}};

static cs_status write_file(const cs_drawing *drawing, double scale,
                            cs_status (*print)(const cs_drawing *drawing, double scale, FILE *out), const char *path) {
    cs_atomic_file *file;
    CS_TRY(cs_drawing_check(drawing));
    CS_TRY(cs_atomic_open(path, &file));
    const cs_status status = print(drawing, scale, cs_atomic_stream(file));
    if (status == CS_OK)
        return cs_atomic_publish(&file);
    cs_atomic_abort(&file);
    return status;
}

cs_status cs_drawing_write_svg(const cs_drawing *drawing, const char *path) {
    return write_file(drawing, 1, print_svg, path);
}

cs_status cs_drawing_write_pdf(const cs_drawing *drawing, const char *path) {
    return write_file(drawing, point, print_pdf, path);
}

cs_status cs_drawing_write_png(const cs_drawing *drawing, double scale, const char *path) {
    return write_file(drawing, scale, print_png, path);
}

cs_status cs_drawing_write_all(const cs_drawing *drawing, const char *stem) {
    char path[CS_PATH_MAX];
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        CS_TRY(cs_path(path, sizeof path, "%s%s", stem, formats[i].suffix));
        CS_TRY(write_file(drawing, formats[i].scale, formats[i].print, path));
    }
    return CS_OK;
}
