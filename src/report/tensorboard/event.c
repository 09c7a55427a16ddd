/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

#include <string.h>

/* Field numbers of event.proto. */
enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_FILE_VERSION = 3, EVENT_SUMMARY = 5, EVENT_SOURCE = 10 };
enum { SOURCE_WRITER = 1 };

static void put_little_endian(uint64_t value, size_t size, FILE *out) {
    for (size_t i = 0; i < size; i++)
        fputc((int)(value >> (8 * i) & 0xFF), out);
}

/* TFRecord masks its checksums, so that those of records that have checksums in them stay good ones: rotated by 15 bits
 * to the right, plus a constant (tensorflow/core/lib/hash/crc32c.h). */
static uint32_t masked_crc(const void *bytes, size_t size) {
    const uint32_t crc = cs_crc32c(bytes, size), added = 0xa282ead8u;
    return (crc >> 15 | crc << 17) + added;
}

/* A record is its length in 8 bytes and the checksum of these, then its bytes and their checksum. Frees the event. */
static cs_status print_record(cs_wire *event, FILE *out) {
    unsigned char length[8];
    const bool failed = event->failed;
    for (size_t i = 0; i < sizeof length; i++)
        length[i] = (unsigned char)((uint64_t)event->size >> (8 * i));
    fwrite(length, 1, sizeof length, out);
    put_little_endian(masked_crc(length, sizeof length), sizeof(uint32_t), out);
    fwrite(event->bytes, 1, event->size, out);
    put_little_endian(masked_crc(event->bytes, event->size), sizeof(uint32_t), out);
    cs_wire_free(event);
    return failed ? cs_fail(CS_ERR_NO_MEMORY, "no memory for an event of TensorBoard") : CS_OK;
}

cs_status cs_event_version(double seconds, FILE *out) {
    cs_wire event = {0}, source = {0};
    cs_wire_double(&event, EVENT_WALL_TIME, seconds);
    cs_wire_text(&event, EVENT_FILE_VERSION, "brain.Event:2");
    cs_wire_text(&source, SOURCE_WRITER, "cnnsweep");
    cs_wire_message(&event, EVENT_SOURCE, &source);
    return print_record(&event, out);
}

cs_status cs_event_print(cs_event_time time, cs_wire *summary, FILE *out) {
    cs_wire event = {0};
    cs_wire_double(&event, EVENT_WALL_TIME, time.seconds);
    cs_wire_varint(&event, EVENT_STEP, (uint64_t)time.step);
    cs_wire_message(&event, EVENT_SUMMARY, summary);
    return print_record(&event, out);
}

void cs_summary_plugin(cs_wire *wire, const char *tag, const char *plugin, cs_wire *content) {
    cs_wire value = {0}, metadata = {0}, data = {0}, tensor = {0}, shape = {0}, dimension = {0};
    cs_wire_text(&data, PLUGIN_NAME, plugin);
    cs_wire_message(&data, PLUGIN_CONTENT, content);
    cs_wire_message(&metadata, METADATA_PLUGIN, &data);
    cs_wire_varint(&dimension, DIMENSION_SIZE, 0);
    cs_wire_message(&shape, SHAPE_DIMENSION, &dimension);
    cs_wire_varint(&tensor, TENSOR_TYPE, TYPE_FLOAT);
    cs_wire_message(&tensor, TENSOR_SHAPE, &shape);
    cs_wire_text(&value, VALUE_TAG, tag);
    cs_wire_message(&value, VALUE_TENSOR, &tensor);
    cs_wire_message(&value, VALUE_METADATA, &metadata);
    cs_wire_message(wire, SUMMARY_VALUE, &value);
}

cs_status cs_event_scalars(cs_event_time time, const cs_event_scalar *scalars, int n, FILE *out) {
    cs_wire summary = {0};
    for (int i = 0; i < n; i++) {
        cs_wire value = {0};
        cs_wire_text(&value, VALUE_TAG, scalars[i].tag);
        cs_wire_float(&value, VALUE_SIMPLE, (float)scalars[i].value);
        cs_wire_message(&summary, SUMMARY_VALUE, &value);
    }
    return cs_event_print(time, &summary, out);
}
