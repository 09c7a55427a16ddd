/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN primitives with their arguments, executed a chunk at a time. */
#ifndef CNNSWEEP_ONEDNN_CALL_H
#define CNNSWEEP_ONEDNN_CALL_H

#include "program.h"

CS_MUST_CHECK cs_status od_call_open(od_call *call, const od_node *node);
/* A tensor's chunks, laid out as the primitive's `what` (dnnl_query_src_md, ...), which is how they lie in memory. */
CS_MUST_CHECK cs_status od_call_tensor(od_call *call, const od_node *node, int arg, dnnl_query_t what,
                                       const od_tensor *tensor);
/* A tensor in the layout that the primitive wants for `what`: for the first chunk, and for chunk c > 0 at `later` +
 * c*stride bytes. */
typedef struct od_call_place {
    void *first, *later;
    size_t stride;
} od_call_place;
CS_MUST_CHECK cs_status od_call_primitive_memory(od_call *call, const od_node *node, int arg, dnnl_query_t what,
                                                 od_call_place place);
/* The same for a bias or its gradient, which every primitive lays out plainly. */
CS_MUST_CHECK cs_status od_call_bias(od_call *call, const od_node *node, int arg, od_call_place place);
CS_MUST_CHECK cs_status od_call_run(const od_call *call, const od_node *node, const od_rows *rows);
void od_call_close(od_call *call);

#endif
