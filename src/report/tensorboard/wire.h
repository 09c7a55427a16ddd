/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the report room: writes messages of Protocol Buffers. A message is its fields one after the other, each with
 * its number and a wire type: a varint, 4 or 8 bytes, or a length with so many bytes, which are a text or a message
 * (protobuf.dev, "Encoding"). */
#ifndef CNNSWEEP_WIRE_H
#define CNNSWEEP_WIRE_H

#include "cnnsweep/status.h"

#include <stdbool.h>
#include <stdint.h>

/* The bytes of a message; {0} is empty. Where memory runs out, `failed` is set and further fields are dropped. */
typedef struct cs_wire {
    char *bytes;
    size_t size, capacity;
    bool failed;
} cs_wire;

void cs_wire_varint(cs_wire *wire, int field, uint64_t value);
void cs_wire_float(cs_wire *wire, int field, float value);
void cs_wire_double(cs_wire *wire, int field, double value);
void cs_wire_bytes(cs_wire *wire, int field, const void *bytes, size_t size);
/* A text that is not UTF-8 is written as cs_text_printable shows it. */
void cs_wire_text(cs_wire *wire, int field, const char *text);
/* Frees `message`. */
void cs_wire_message(cs_wire *wire, int field, cs_wire *message);
void cs_wire_free(cs_wire *wire);

#endif
