/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of warps that move whole pixels. */
#include "lines.h"

#include <string.h>

enum { CHANNELS = 3 };

/* Does line y of a warp show whole pixels of a line of the source, one after the other from `first` on, in the same
 * order or (-1) in reverse? 0: neither. */
static int direction_of_line(const cs_sweep *s, int y, int *line, int *first) {
    const cs_warp *warp = &s->passes->warp;
    const double(*map)[3] = warp->map;
    const double at = map[1][1] * (warp->mirror_y ? s->h - 1 - y : y) + map[1][2];
    const double left = map[0][2], right = map[0][0] * (s->w - 1) + map[0][2], last = s->from_w - 1;
    const bool moves_whole_lines = warp->sampling == CS_SAMPLING_SCIPY && cs_pass_needs(s->passes) == CS_FACTS_NONE &&
                                   map[0][1] == 0 && map[1][0] == 0 && (map[0][0] == 1 || map[0][0] == -1) &&
                                   left >= 0 && left <= last && right >= 0 && right <= last && at >= 0 &&
                                   at < s->from_h;
    if (!moves_whole_lines)
        return 0;
    *line = (int)at;
    *first = (int)(warp->mirror_x ? right : left);
    if (at != (double)*line || left != (double)(int)left)
        return 0;
    return (map[0][0] == 1) != warp->mirror_x ? 1 : -1;
}

void cs_gather_line(const cs_sweep *s, cs_line *line) {
    for (int x = 0; x < s->w; x++)
        cs_sample_first(s->passes, &s->facts, s->from, s->from_h, s->from_w, x, line->y,
                        line->bytes + (ptrdiff_t)x * CHANNELS);
}

bool cs_copy_line(const cs_sweep *s, cs_line *line) {
    int from_line, first, direction = direction_of_line(s, line->y, &from_line, &first);
    if (direction == 0)
        return false;
    const uint8_t *from = s->from + ((size_t)from_line * (size_t)s->from_w + (size_t)first) * CHANNELS;
    if (direction > 0)
        memcpy(line->bytes, from, (size_t)s->w * CHANNELS);
    else
        cs_line_set_reversed(line, from);
    return true;
}
