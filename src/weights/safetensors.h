/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/weights: what the reader and the writer of safetensors share. A file is 8 bytes N (little endian), N
 * bytes of JSON {"name": {"dtype", "shape", "data_offsets": [begin, end]}, ..., "__metadata__": {text: text}}, and the
 * values; the offsets, counted from the end of the header, cover them without holes or overlaps. */
#ifndef CS_WEIGHTS_SAFETENSORS_H
#define CS_WEIGHTS_SAFETENSORS_H

#define CS_SAFETENSORS_METADATA "__metadata__"
enum { CS_SAFETENSORS_PREFIX = 8, CS_SAFETENSORS_HEADER_MAX = 100000000 /* as the reference reader */ };

#endif
