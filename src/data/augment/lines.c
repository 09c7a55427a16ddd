/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of warps that move whole pixels. */
#include "lines.h"

#include <string.h>

enum { CHANNELS = 3 };

/* Does line y of a warp show whole pixels of a line of the source, one after the other, in the same order or (-1) in
 * reverse? 0: neither. Its first pixel shows the column *first, which may lie beyond the edges. */
static int direction_of_line(const cs_sweep *s, int y, int *line, int *first) {
    const cs_warp *warp = &s->passes->warp;
    const double(*map)[3] = warp->map;
    const double at = map[1][1] * (warp->mirror_y ? s->h - 1 - y : y) + map[1][2];
    const double column = map[0][0] * (warp->mirror_x ? s->w - 1 : 0) + map[0][2], far = 1 << 24;
    const bool moves_whole_lines = warp->sampling == CS_SAMPLING_SCIPY && cs_pass_needs(s->passes) == CS_FACTS_NONE &&
                                   map[0][1] == 0 && map[1][0] == 0 && (map[0][0] == 1 || map[0][0] == -1) && at >= 0 &&
                                   at < s->from_h && column > -far && column < far;
    if (!moves_whole_lines)
        return 0;
    *line = (int)at;
    *first = (int)column;
    if (at != (double)*line || column != (double)*first)
        return 0;
    return (map[0][0] == 1) != warp->mirror_x ? 1 : -1;
}

static void gather_some(const cs_sweep *s, int begin, int end, cs_line *line) {
    for (int x = begin; x < end; x++)
        cs_sample_first(s->passes, &s->facts, s->from, s->from_h, s->from_w, x, line->y,
                        line->bytes + (ptrdiff_t)x * CHANNELS);
}

void cs_gather_line(const cs_sweep *s, cs_line *line) {
    gather_some(s, 0, s->w, line);
}

bool cs_copy_line(const cs_sweep *s, cs_line *line) {
    int from_line, first;
    const int direction = direction_of_line(s, line->y, &from_line, &first);
    if (direction == 0)
        return false;
    const uint8_t *row = s->from + (size_t)from_line * (size_t)s->from_w * CHANNELS;
    if (direction < 0) {
        if (first >= s->from_w || first < s->w - 1)
            return false;
        cs_line_set_reversed(line, row + (ptrdiff_t)first * CHANNELS);
        return true;
    }
    /* Columns from `begin` to before `end` show the source, the others what lies beyond its edges. */
    const int begin = first < 0 ? -first : 0, end = s->from_w - first < s->w ? s->from_w - first : s->w;
    if (begin >= end)
        return false;
    memcpy(line->bytes + (ptrdiff_t)begin * CHANNELS, row + (ptrdiff_t)(first + begin) * CHANNELS,
           (size_t)(end - begin) * CHANNELS);
    gather_some(s, 0, begin, line);
    gather_some(s, end, s->w, line);
    return true;
}
