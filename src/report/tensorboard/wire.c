/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/text.h"

#include <stdlib.h>
#include <string.h>

enum wire_type { VARINT = 0, EIGHT_BYTES = 1, LENGTH = 2, FOUR_BYTES = 5 };

static void append(cs_wire *wire, const void *bytes, size_t size) {
    if (size == 0 || wire->failed)
        return;
    wire->failed = cs_grow(&wire->bytes, &wire->capacity, wire->size + size, 1, "an event") != CS_OK;
    if (wire->failed)
        return;
    memcpy(wire->bytes + wire->size, bytes, size);
    wire->size += size;
}

/* Seven bits a byte, the lowest first; the eighth says that more follow. */
static void append_varint(cs_wire *wire, uint64_t value) {
    unsigned char bytes[10];
    size_t n = 0;
    do {
        bytes[n++] = (unsigned char)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        value >>= 7;
    } while (value > 0);
    append(wire, bytes, n);
}

static void append_key(cs_wire *wire, int field, enum wire_type type) {
    append_varint(wire, (uint64_t)field << 3 | (uint64_t)type);
}

static void append_little_endian(cs_wire *wire, uint64_t bits, size_t size) {
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(bits >> (8 * i));
    append(wire, bytes, size);
}

void cs_wire_varint(cs_wire *wire, int field, uint64_t value) {
    append_key(wire, field, VARINT);
    append_varint(wire, value);
}

void cs_wire_float(cs_wire *wire, int field, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    append_key(wire, field, FOUR_BYTES);
    append_little_endian(wire, bits, sizeof bits);
}

void cs_wire_double(cs_wire *wire, int field, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    append_key(wire, field, EIGHT_BYTES);
    append_little_endian(wire, bits, sizeof bits);
}

void cs_wire_bytes(cs_wire *wire, int field, const void *bytes, size_t size) {
    append_key(wire, field, LENGTH);
    append_varint(wire, size);
    append(wire, bytes, size);
}

void cs_wire_text(cs_wire *wire, int field, const char *text) {
    enum { ESCAPED = 4 }; /* bytes that the text of one byte may need */
    char *shown = NULL;
    size_t size = strlen(text) * ESCAPED + 1;
    if (cs_text_is_utf8(text)) {
        cs_wire_bytes(wire, field, text, strlen(text));
        return;
    }
    if (cs_alloc(size, 1, "an event", &shown) != CS_OK) {
        wire->failed = true;
        return;
    }
    cs_text_printable(text, shown, size);
    cs_wire_bytes(wire, field, shown, strlen(shown));
    free(shown);
}

void cs_wire_message(cs_wire *wire, int field, cs_wire *message) {
    cs_wire_bytes(wire, field, message->bytes, message->size);
    wire->failed = wire->failed || message->failed;
    cs_wire_free(message);
}

void cs_wire_free(cs_wire *wire) {
    free(wire->bytes);
    *wire = (cs_wire){0};
}
