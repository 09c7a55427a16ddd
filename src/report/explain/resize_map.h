/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the report room: maps of other sizes and ranges. */
#ifndef CNNSWEEP_RESIZE_MAP_H
#define CNNSWEEP_RESIZE_MAP_H

#include <stddef.h>

/* Resizes one channel of `from` [from_h,from_w,step] to `to` [h,w], as OpenCV's INTER_LINEAR does. */
void cs_map_resize(const float *from, int from_h, int from_w, size_t step, int h, int w, float *to);
/* Scales to (v - least)/(most - least + epsilon). */
void cs_map_scale(float *map, size_t count, double epsilon);

#endif
