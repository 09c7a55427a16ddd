/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN primitives with their arguments, which are executed chunk by chunk. */
#ifndef CNNSWEEP_ONEDNN_CALL_H
#define CNNSWEEP_ONEDNN_CALL_H

#include "program.h"

CS_MUST_CHECK cs_status od_call_open(od_call *call, const od_node *node);
/* Sets a tensor argument. The chunks of the tensor in memory have the layout of the primitive's `what`
 * (dnnl_query_src_md, ...). */
CS_MUST_CHECK cs_status od_call_tensor(od_call *call, const od_node *node, int arg, dnnl_query_t what,
                                       const od_tensor *tensor);
/* The address of a tensor in the layout that the primitive needs for `what`: `first` for the first chunk, and `later` +
 * c*stride bytes for chunk c > 0. */
typedef struct od_call_place {
    void *first, *later;
    size_t stride;
} od_call_place;
CS_MUST_CHECK cs_status od_call_primitive_memory(od_call *call, const od_node *node, int arg, dnnl_query_t what,
                                                 od_call_place place);
/* The same for a bias or its gradient, which is a plain array for every primitive. */
CS_MUST_CHECK cs_status od_call_bias(od_call *call, const od_node *node, int arg, od_call_place place);
CS_MUST_CHECK cs_status od_call_run(const od_call *call, const od_node *node, const od_rows *rows);
void od_call_close(od_call *call);

#endif
