/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the report room: an event with one summary, as a record of a TFRecord file. */
#ifndef CNNSWEEP_EVENT_H
#define CNNSWEEP_EVENT_H

#include "cnnsweep/tensorboard.h"
#include "wire.h"

/* Adds to `wire` the value of a plug-in that is all in its metadata: a tag, and the plug-in's name and content, which
 * is freed. The value itself is an empty tensor. */
void cs_summary_plugin(cs_wire *wire, const char *tag, const char *plugin, cs_wire *content);
/* Prints the event that has the summary, and frees that. CS_ERR_NO_MEMORY if the summary or the event has failed. */
CS_MUST_CHECK cs_status cs_event_print(cs_event_time time, cs_wire *summary, FILE *out);

/* The CRC-32C (Castagnoli; RFC 3720, appendix B.4) of some bytes. */
uint32_t cs_crc32c(const void *bytes, size_t size);

#endif
