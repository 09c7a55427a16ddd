/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the report room: an event with one summary, as a record of a TFRecord file. */
#ifndef CNNSWEEP_EVENT_H
#define CNNSWEEP_EVENT_H

#include "cnnsweep/tensorboard.h"
#include "wire.h"

/* Field numbers of the protos of a summary (tensorboard/compat/proto/summary.proto, tensor.proto, tensor_shape.proto),
 * and values of the type of a tensor (types.proto). */
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_TENSOR = 8, VALUE_METADATA = 9 };
enum { METADATA_PLUGIN = 1, METADATA_NAME = 2, METADATA_DESCRIPTION = 3, PLUGIN_NAME = 1, PLUGIN_CONTENT = 2 };
enum { TENSOR_TYPE = 1, TENSOR_SHAPE = 2, TENSOR_STRING = 8, SHAPE_DIMENSION = 2, DIMENSION_SIZE = 1 };
enum { TYPE_FLOAT = 1, TYPE_STRING = 7 };

/* Adds to `wire` the value of a plug-in that is all in its metadata: a tag, and the plug-in's name and content, which
 * is freed. The value itself is an empty tensor. */
void cs_summary_plugin(cs_wire *wire, const char *tag, const char *plugin, cs_wire *content);
/* Prints the event that has the summary, and frees that. CS_ERR_NO_MEMORY if the summary or the event has failed. */
CS_MUST_CHECK cs_status cs_event_print(cs_event_time time, cs_wire *summary, FILE *out);

/* The CRC-32C (Castagnoli; RFC 3720, appendix B.4) of some bytes. */
uint32_t cs_crc32c(const void *bytes, size_t size);

#endif
