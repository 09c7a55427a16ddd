/* SPDX-License-Identifier: Apache-2.0 */
/* Parse functions (args.h) of the options that say how images are decoded and resized, and what becomes of duplicates
 * and of classes of different sizes. */
#ifndef CNNSWEEP_PACK_CHOICES_H
#define CNNSWEEP_PACK_CHOICES_H

#include "cnnsweep/image.h"

CS_MUST_CHECK cs_status pack_parse_depth16(const char *text, void *target);    /* cs_depth16 */
CS_MUST_CHECK cs_status pack_parse_alpha(const char *text, void *target);      /* cs_decode_rules: "drop" or "R,G,B" */
CS_MUST_CHECK cs_status pack_parse_exif(const char *text, void *target);       /* bool: "ignore" or "apply" */
CS_MUST_CHECK cs_status pack_parse_resize(const char *text, void *target);     /* cs_interpolation */
CS_MUST_CHECK cs_status pack_parse_aspect(const char *text, void *target);     /* cs_aspect */
CS_MUST_CHECK cs_status pack_parse_duplicates(const char *text, void *target); /* pack_duplicates_rule */
CS_MUST_CHECK cs_status pack_parse_balance(const char *text, void *target);    /* pack_balance */

#endif
