/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer.h"
#include "node.h"

#include <string.h>

cs_status cu_staging_ready(cu_program *program, float **out) {
    *out = program->staging;
    return cu_event_synchronize(program->engine->device, program->staged);
}

cs_status cu_staging_send(cu_program *program, float *to, size_t count) {
    CS_TRY(cu_copy_in(program->engine->device, to, program->staging, count * sizeof *to));
    return cu_event_record(program->engine->device, program->staged);
}

cs_status cu_send(cu_program *program, float *to, const float *from, size_t count) {
    float *staging;
    CS_TRY(cu_staging_ready(program, &staging));
    memcpy(staging, from, count * sizeof *from);
    return cu_staging_send(program, to, count);
}

cs_status cu_fetch(cu_program *program, const float *from, size_t count) {
    CS_TRY(cu_copy_out(program->engine->device, program->staging, from, count * sizeof *from));
    return cu_wait(program->engine->device);
}

cs_status cu_tensor_send(cu_program *program, const cu_tensor *to, int n, const float *from) {
    size_t count = (size_t)n * to->row;
    float *staging;
    CS_TRY(cu_staging_ready(program, &staging));
    memcpy(staging, from, count * sizeof *from);
    return cu_tensor_send_staging(program, to, count);
}

cs_status cu_tensor_send_staging(cu_program *program, const cu_tensor *to, size_t count) {
    if (!program->floats)
        return cu_staging_send(program, to->data, count);
    CS_TRY(cu_staging_send(program, program->floats, count));
    cu_k_from_float(cu_device_stream(program->engine->device), program->engine->type, count, program->floats, to->data);
    return cu_check_launches(program->engine->device, "input");
}

cs_status cu_tensor_fetch(cu_program *program, const cu_tensor *from, int n, float *to) {
    size_t count = (size_t)n * from->row;
    const float *floats = from->data;
    if (program->floats) {
        cu_k_to_float(cu_device_stream(program->engine->device), program->engine->type, count, from->data,
                      program->floats);
        floats = program->floats;
    }
    CS_TRY(cu_fetch(program, floats, count));
    memcpy(to, program->staging, count * sizeof *to);
    return CS_OK;
}

cs_status cu_upload_begin(cu_program *program, cu_upload *upload, int n) {
    CS_TRY(cu_event_synchronize(program->engine->device, upload->sent));
    *upload->step = (cu_step){.n = n,
                              .epoch = program->base.draw.epoch,
                              .seed = program->base.draw.seed,
                              .loss_scale = cu_loss_scale(program)};
    return CS_OK;
}

cs_status cu_upload_send(cu_program *program, cu_upload *upload) {
    cu_device *device = program->engine->device;
    CS_TRY(cu_copy_in(device, program->step, upload->step, sizeof *upload->step));
    return cu_event_record(device, upload->sent);
}
