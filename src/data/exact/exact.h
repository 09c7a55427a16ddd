/* SPDX-License-Identifier: Apache-2.0 */
/* Inside this room: arithmetic that gives the same bytes on every machine, for filters and for augmentation. */
#ifndef CNNSWEEP_DATA_EXACT_H
#define CNNSWEEP_DATA_EXACT_H

#include <stddef.h>
#include <stdint.h>

/* arithmetic.c: they round the same way on every machine. */
/* e^x to about 1e-15. */
double cs_exact_exp(double x);
/* The n-th root of x in [0, 1]. */
double cs_exact_root(double x, int n);
/* Rounds to the nearest byte, of two equally near ones to the even one, and clips. */
uint8_t cs_to_byte(double value);
/* The index in a line of n pixels that stands for index i outside of it, mirrored at the centre of the last pixel: c b
 * | a b c d | c b a (OpenCV's BORDER_REFLECT_101). */
int cs_mirror(int i, int n);

/* lab.c */
/* Convert n pixels as OpenCV does. */
void cs_rgb_to_lab(uint8_t *pixels, size_t n);
void cs_lab_to_rgb(uint8_t *pixels, size_t n);

/* clahe.c */
/* The bytes of memory that cs_clahe needs for across x down tiles. */
size_t cs_clahe_memory(int across, int down);
/* Equalises the lightness L of L*a*b* of the pixels [h,w,3] in RGB, as OpenCV's createCLAHE does. */
void cs_clahe(double clip_limit, int across, int down, int h, int w, void *memory, uint8_t *pixels);

#endif
