/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the weights room: what the reader and the writer of safetensors share. A file consists of 8 bytes with a
 * number N (little endian), N bytes of JSON {"name": {"dtype", "shape", "data_offsets": [begin, end]}, ...,
 * "__metadata__": {text: text}}, and the values. The offsets count from the end of the header and cover the values
 * without gaps or overlaps. */
#ifndef CS_WEIGHTS_SAFETENSORS_H
#define CS_WEIGHTS_SAFETENSORS_H

#define CS_SAFETENSORS_METADATA "__metadata__"
enum { CS_SAFETENSORS_PREFIX = 8, CS_SAFETENSORS_HEADER_MAX = 100000000 /* the limit of the reference reader */ };

#endif
