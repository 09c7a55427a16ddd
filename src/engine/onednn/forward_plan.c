/* SPDX-License-Identifier: Apache-2.0 */
#include "forward_plan.h"

cs_status od_forward_plan(od_node *node, od_conv *conv, int rows_at) {
    dnnl_engine_t engine = node->program->engine->engine;
    od_call *call = &node->forward;
    CS_TRY(od_conv_create(engine, conv, OD_FORWARD, NULL, &call->primitive));
    if (node->program->training || node->chunk == 1 || od_sums_alike(&call->primitive))
        return CS_OK;
    od_primitive_clear(&call->primitive);
    call->rows = 1;
    conv->source.dims[rows_at] = conv->destination.dims[rows_at] = 1;
    return od_conv_create(engine, conv, OD_FORWARD, NULL, &call->primitive);
}
