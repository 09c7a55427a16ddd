/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of bytes in device memory: images, from which the engine makes a program's input, and outputs of programs.
 *
 * Data from the host goes through one of two staging buffers, each with pinned memory on the host and as much memory on
 * the device, so that the host fills one while the other is being copied. The copy runs on the copy stream. A kernel on
 * the work stream then copies the rows to their places in the store, so that it is in order with all other work on the
 * store. */
#include "store.h"
#include "node.h"
#include "transfer.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 2, LINE = 256 /* alignment of device memory in bytes */ };

/* Row numbers, followed by the bytes of the rows. */
typedef struct staging_buffer {
    char *host, *device;
    cu_event *arrived, *done;
} staging_buffer;

typedef struct cu_store {
    cs_store base;
    cu_device *device;
    char *rows;
    staging_buffer buffers[BUFFERS];
    int next;
    size_t rows_offset; /* bytes before the rows in a staging buffer */
} cu_store;

static cu_device *device_of(const cs_engine *engine) {
    return ((const cu_engine *)engine)->device;
}

size_t cu_free_bytes(const cs_engine *engine) {
    int ranks = cu_device_is_shared(device_of(engine)) ? engine->options.local_ranks : 1;
    return cu_device_free_memory(device_of(engine)) / (size_t)ranks;
}

size_t cu_value_bytes(const cs_engine *engine) {
    return cu_type_size(((const cu_engine *)engine)->type);
}

void cu_store_close(cs_store *base) {
    cu_store *store = (cu_store *)base;
    for (int i = 0; i < BUFFERS; i++) {
        cu_free(store->device, store->buffers[i].device);
        cu_free_pinned(store->device, store->buffers[i].host);
        cu_event_close(store->buffers[i].arrived);
        cu_event_close(store->buffers[i].done);
    }
    cu_free(store->device, store->rows);
    free(store);
}

static cs_status open_buffer(const cu_store *store, size_t bytes, staging_buffer *out) {
    CS_TRY(cu_alloc(store->device, bytes, "staging buffer", (void **)&out->device));
    CS_TRY(cu_alloc_pinned(store->device, bytes, "staging buffer", (void **)&out->host));
    CS_TRY(cu_event_open(store->device, &out->arrived));
    CS_TRY(cu_event_open(store->device, &out->done));
    return cu_event_record(store->device, out->done);
}

cs_status cu_store_open(cs_engine *engine, const cs_store_spec *spec, cs_store **out) {
    cu_store *store = NULL;
    cs_status status;
    CS_TRY(cs_alloc(1, sizeof *store, "store", &store));
    store->base = (cs_store){engine, *spec};
    store->device = device_of(engine);
    store->rows_offset = ((size_t)spec->most * sizeof(int64_t) + LINE - 1) / LINE * LINE;
    CS_TRY_GOTO(
        cu_alloc(store->device, (size_t)spec->rows * spec->row_bytes, "rows that are kept", (void **)&store->rows),
        failed);
    for (int i = 0; i < BUFFERS && spec->most > 0; i++)
        CS_TRY_GOTO(open_buffer(store, store->rows_offset + (size_t)spec->most * spec->row_bytes, &store->buffers[i]),
                    failed);
    *out = &store->base;
    return CS_OK;
failed:
    cu_store_close(&store->base);
    return status;
}

cs_status cu_store_put(cs_store *base, const int64_t *rows, const void *bytes, int n) {
    cu_store *store = (cu_store *)base;
    cu_device *device = store->device;
    size_t size = (size_t)n * base->spec.row_bytes;
    staging_buffer *buffer = &store->buffers[store->next];
    store->next = (store->next + 1) % BUFFERS;
    CS_TRY(cu_event_synchronize(device, buffer->done));
    memcpy(buffer->host, rows, (size_t)n * sizeof *rows);
    memcpy(buffer->host + store->rows_offset, bytes, size);
    CS_TRY(cu_copy_in_background(device, buffer->device, buffer->host, store->rows_offset + size));
    CS_TRY(cu_event_record_copies(device, buffer->arrived));
    CS_TRY(cu_stream_waits(device, buffer->arrived));
    cu_k_rows(cu_device_stream(device), n, base->spec.row_bytes, buffer->device + store->rows_offset, NULL, store->rows,
              (const int64_t *)buffer->device);
    CS_TRY(cu_check_launches(device, "rows"));
    return cu_event_record(device, buffer->done);
}

/* Lists: arrays for the program's kernels. The host writes a list only after the previous copy has read it. */

static cs_status send_list(cu_program *program, cu_list *list, size_t bytes) {
    CS_TRY(cu_copy_in(program->engine->device, list->device, list->host, bytes));
    return cu_event_record(program->engine->device, list->sent);
}

static cs_status send_rows(cu_program *program, cu_list *list, const int64_t *rows, int n) {
    CS_TRY(cu_event_synchronize(program->engine->device, list->sent));
    memcpy(list->host, rows, (size_t)n * sizeof *rows);
    return send_list(program, list, (size_t)n * sizeof *rows);
}

/* Pictures, the facts of their sweeps, and their passes; then, on the device alone, what sweeps make: two images for
 * each picture. */

static size_t image_bytes(const cu_program *program) {
    const cu_tensor *input = &program->values[program->lowered->inputs[0]];
    return input->shape.c == 3 ? (size_t)input->shape.h * (size_t)input->shape.w * 3 : 0;
}

/* The most pictures of a call: a batch, and a partner for each of its images. */
static size_t most_pictures(const cu_program *program) {
    return image_bytes(program) > 0 ? 2 * (size_t)program->base.spec.batch : 0;
}

size_t cu_pictures_bytes(const cu_program *program) {
    return most_pictures(program) * (sizeof(cu_picture) + sizeof(cs_pass_facts) + CS_PICTURE_PASSES * sizeof(cs_pass));
}

size_t cu_sweeps_bytes(const cu_program *program) {
    return 2 * most_pictures(program) * image_bytes(program);
}

/* Writes the n pictures, the partners that follow included, in the form that the kernels read, and returns the number
 * of bytes. */
static size_t list_pictures(const cu_program *program, const cs_pictures *pictures, int n) {
    const cu_list *list = &program->pictures;
    const cu_store *store = (const cu_store *)pictures->store;
    const size_t image = image_bytes(program), facts = (size_t)n * sizeof(cu_picture);
    cu_picture *rows = list->host;
    size_t used = facts + (size_t)n * sizeof(cs_pass_facts);
    for (int row = 0; row < n; row++) {
        const cs_picture *change = &pictures->changes[row];
        const size_t passes = (size_t)change->n * sizeof *change->passes;
        uint8_t *made = program->sweeps + 2 * (size_t)row * image;
        rows[row] =
            (cu_picture){.image = (uint8_t *)store->rows + (size_t)pictures->rows[row] * store->base.spec.row_bytes,
                         .passes = (cs_pass *)((char *)list->device + used),
                         .facts = (cs_pass_facts *)((char *)list->device + facts) + row,
                         .made = {made, made + image}};
        cu_picture_set_sweeps(&rows[row], change);
        if (pictures->mixed && row < n - pictures->n_partners) {
            rows[row].mixed = pictures->mixed[row];
            rows[row].partner = (cu_picture *)list->device + pictures->partners[row];
        }
        memcpy((char *)list->host + used, change->passes, passes);
        used += passes;
    }
    return used;
}

/* Does a sweep of that number need facts? */
static bool any_needs_facts(const cu_picture *rows, int n, int sweep) {
    for (int row = 0; row < n; row++)
        if (sweep < rows[row].sweeps && rows[row].needs[sweep] != CS_FACTS_NONE)
            return true;
    return false;
}

cs_status cu_set_pictures(cs_program *base, int i, const cs_pictures *pictures, int n) {
    cu_program *program = cu_program_of(base);
    cu_device *device = program->engine->device;
    cu_stream stream = cu_device_stream(device);
    const cu_tensor *input = &program->values[program->lowered->inputs[i]];
    const int h = input->shape.h, w = input->shape.w;
    const cu_picture *rows = program->pictures.host;
    const int all = n + pictures->n_partners;
    int sweeps = 1;
    CS_TRY(cu_event_synchronize(device, program->pictures.sent));
    CS_TRY(send_list(program, &program->pictures, list_pictures(program, pictures, all)));
    for (int row = 0; row < all; row++)
        sweeps = rows[row].sweeps > sweeps ? rows[row].sweeps : sweeps;
    for (int sweep = 0; sweep < sweeps; sweep++) {
        if (any_needs_facts(rows, all, sweep))
            cu_k_sweep_facts(stream, all, h, w, sweep, program->pictures.device);
        if (sweep + 1 < sweeps)
            cu_k_sweep(stream, all, h, w, sweep, program->pictures.device);
    }
    cu_k_pixels(stream, program->engine->type, n, h, w, program->pictures.device, pictures->mixed != NULL,
                &pictures->preprocess, input->data);
    return cu_check_launches(device, "pictures");
}

cs_status cu_keep_output(cs_program *base, int i, cs_store *to, const int64_t *rows, int n) {
    cu_program *program = cu_program_of(base);
    const cu_tensor *output = &program->values[program->lowered->outputs[i]];
    CS_TRY(send_rows(program, &program->keep, rows, n));
    cu_k_rows(cu_device_stream(program->engine->device), n, to->spec.row_bytes, output->data, NULL,
              ((cu_store *)to)->rows, program->keep.device);
    return cu_check_launches(program->engine->device, "rows to keep");
}

cs_status cu_use_output(cs_program *base, int i, const cs_store *from, const int64_t *rows, int n) {
    cu_program *program = cu_program_of(base);
    const cu_tensor *output = &program->values[program->lowered->outputs[i]];
    CS_TRY(send_rows(program, &program->use, rows, n));
    cu_k_rows(cu_device_stream(program->engine->device), n, from->spec.row_bytes, ((const cu_store *)from)->rows,
              program->use.device, output->data, NULL);
    return cu_check_launches(program->engine->device, "kept rows");
}
