/* SPDX-License-Identifier: Apache-2.0 */
/* Texts by the library pango, which finds a font for every script and orders texts from right to left. */
#include "cairo.h"

#include <fontconfig/fontconfig.h>
#include <pango/pangocairo.h>
#include <pthread.h>
#include <sys/stat.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool there_are_fonts;

static void ignore(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data) {
    (void)domain;
    (void)level;
    (void)message;
    (void)data;
}

/* Whether the configuration of fontconfig can be read: of an empty file it prints an error. */
static bool has_configuration(FcConfig *config) {
    struct stat status;
    FcChar8 *path = FcConfigGetFilename(config, NULL);
    const bool found = path && stat((const char *)path, &status) == 0 && status.st_size > 0;
    FcStrFree(path);
    return found && FcConfigParseAndLoad(config, NULL, FcFalse);
}

/* Pango ends the process, or prints warnings, on a machine without fonts, and fontconfig prints errors where it finds
 * no configuration. So the configuration is loaded here, before either of them does. */
static void find_fonts(void) {
    FcConfig *config = FcConfigCreate();
    g_log_set_handler("Pango", G_LOG_LEVEL_MASK, ignore, NULL);
    if (config && has_configuration(config) && FcConfigBuildFonts(config)) {
        const FcFontSet *fonts = FcConfigGetFonts(config, FcSetSystem);
        there_are_fonts = fonts && fonts->nfont > 0 && FcConfigSetCurrent(config);
    }
    if (config)
        FcConfigDestroy(config); /* fontconfig keeps the current one */
}

static void paint_by_pango(cairo_t *cairo, const char *text, double size, bool bold, cs_anchor anchor) {
    const double parts[] = {[CS_ANCHOR_START] = 0, [CS_ANCHOR_MIDDLE] = 0.5, [CS_ANCHOR_END] = 1};
    PangoLayout *layout = pango_cairo_create_layout(cairo);
    PangoFontDescription *font = pango_font_description_from_string(bold ? "Sans Bold" : "Sans");
    int width;
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, text, -1);
    pango_layout_get_size(layout, &width, NULL);
    cairo_rel_move_to(cairo, -parts[anchor] * width / PANGO_SCALE,
                      -(double)pango_layout_get_baseline(layout) / PANGO_SCALE);
    pango_cairo_show_layout(cairo, layout);
    pango_font_description_free(font);
    g_object_unref(layout);
}

void cs_font_paint(cairo_t *cairo, const char *text, double size, bool bold, cs_anchor anchor) {
    pthread_once(&once, find_fonts);
    if (there_are_fonts)
        paint_by_pango(cairo, text, size, bold, anchor);
    else
        cs_strokes_paint(cairo, text, size, bold, anchor);
}
