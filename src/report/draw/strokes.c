/* SPDX-License-Identifier: Apache-2.0 */
/* Letters drawn as lines, for machines without fonts. */
#include "cairo.h"

#include "cnnsweep/text.h"

#include <stddef.h>

enum { FIRST = ' ', LAST = '~' };

/* Each glyph is the points of its strokes: a column 0 .. 4 and a row, of which 0 is the top of capitals, 2 that of
 * small letters, 6 the baseline and 8 the bottom of "g". A space lifts the pen; a stroke between equal points is a dot.
 */
static const char *const glyphs[LAST - FIRST + 1] = {
    "", "0004 0606", "0002 2022", "1016 3036 0242 0444", "413010010213334445361605 2026", "4006 0010110100 3545463635",
    "4612112031320405162644", "0002", "201102041526", "001122241506", "0143 4103 2024", "2125 0343", "1507", "0333",
    "0606", "0640",
    /* 0 .. 9 */
    "102031352616050110", "012026 0646", "01103041420646", "0110304142334445361605 1333", "36300444",
    "400003334445361605", "4130100105163645443303", "004016", "13020110304142331304051636454433",
    "0516364541301001021343",
    /* : .. @ */
    "0202 0606", "1212 1507", "310335", "0242 0444", "013305", "01103041422324 2626", "4616050110304144242242",
    /* A .. Z */
    "062046 1333", "060030414233033344453606", "4130100105163645", "06003041453606", "40000646 0333", "400006 0333",
    "41301001051636454323", "0006 4046 0343", "0006", "3035261605", "0006 4004 1346", "000646", "0600234046",
    "06004640", "103041453616050110", "06003041423303", "103041453616050110 2446", "06003041423303 2346",
    "413010010213334445361605", "0040 2026", "000516364540", "002640", "0016223640", "0046 4006", "002340 2326",
    "00400646",
    /* [ .. ` */
    "20000626", "0046", "00202606", "022042", "0747", "0011",
    /* a .. z */
    "3236 3322120305162635", "0006 0312223335261605", "3322120305162635", "3036 3322120305162635",
    "04343322120305162635", "30201116 0222", "3237281807 3322120305162635", "0006 0312223336", "0206 0000",
    "121708 1010", "0006 3205 1436", "0006", "0206 03122326 23324346", "0206 0312223336", "122233352616050312",
    "0208 0312223335261605", "3238 3322120305162635", "0206 031222", "3212031424352606", "101526 0222",
    "0205162635 3236", "022642", "0216233642", "0236 3206", "0226 4218", "02320636",
    /* { .. ~ */
    "20111203141526", "0007", "00111223141506", "03123443"};

static const struct {
    uint32_t code;
    const char *glyph;
} others[] = {{0xB1, "2024 0242 0646"}, {0xD7, "0145 4105"}, {0x2013, "0343"}, {0x2026, "0606 2626 4646"}};

static const char *find_glyph(uint32_t code) {
    if (code >= FIRST && code <= LAST)
        return glyphs[code - FIRST];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].code == code)
            return others[i].glyph;
    return "0040460600";
}

/* The step to the next letter, in columns. */
static double advance(const char *glyph) {
    const double gap = 1.5, space = 2.5;
    int right = 0;
    if (!*glyph)
        return space;
    for (; *glyph; glyph += *glyph == ' ' ? 1 : 2)
        if (*glyph != ' ' && *glyph - '0' > right)
            right = *glyph - '0';
    return right + gap;
}

/* Adds the strokes of a glyph to the current path. */
static void add_glyph(cairo_t *cairo, const char *glyph, double x, double y, double unit) {
    enum { BASELINE = 6 };
    bool is_down = false;
    while (*glyph) {
        if (*glyph == ' ') {
            is_down = false;
            glyph++;
            continue;
        }
        const double px = x + (glyph[0] - '0') * unit, py = y + (glyph[1] - '0' - BASELINE) * unit;
        if (is_down)
            cairo_line_to(cairo, px, py);
        else
            cairo_move_to(cairo, px, py);
        is_down = true;
        glyph += 2;
    }
}

static double width_of(const char *text) {
    double width = 0;
    uint32_t code;
    for (int n; (n = cs_utf8_read(text, &code)) > 0; text += n)
        width += advance(find_glyph(code));
    return width;
}

void cs_strokes_paint(cairo_t *cairo, const char *text, double size, bool bold, cs_anchor anchor) {
    const double parts[] = {[CS_ANCHOR_START] = 0, [CS_ANCHOR_MIDDLE] = 0.5, [CS_ANCHOR_END] = 1};
    const double unit = size * 0.12, thin = 0.75, thick = 1.25; /* capitals are 0.72 of the size high */
    double x, y;
    uint32_t code;
    cairo_get_current_point(cairo, &x, &y);
    cairo_new_path(cairo);
    x -= parts[anchor] * width_of(text) * unit;
    for (int n; (n = cs_utf8_read(text, &code)) > 0; text += n) {
        const char *glyph = find_glyph(code);
        add_glyph(cairo, glyph, x, y, unit);
        x += advance(glyph) * unit;
    }
    cairo_set_line_width(cairo, unit * (bold ? thick : thin));
    cairo_set_dash(cairo, NULL, 0, 0);
    cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke(cairo);
}
