/* SPDX-License-Identifier: Apache-2.0 */
/* device.h on the host. Kernels and copies of the work stream run at once. Work for which a caller must wait is done as
 * late as possible: copies to the host at the next wait, and copies of the copy stream when an event after them is
 * waited for. So a missing wait shows in the results. Every address is checked against the allocated memory. */
#include "device.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 256 };

typedef struct block {
    char *memory;
    size_t bytes;
    bool pinned;
} block;

/* A copy that has not run yet. */
typedef struct pending {
    void *to;
    void *values; /* the values at the time when the copy was enqueued */
    size_t bytes, capacity;
} pending;

typedef struct queue {
    pending *items;
    size_t n, capacity;
} queue;

struct cu_device {
    block *blocks;
    size_t n_blocks, blocks_capacity;
    queue outward, behind;
    int index;
    bool is_shared;
    char bus_id[32];
    cu_watch *watch;
    void *watched;
};

struct cu_event {
    bool copies; /* event of the copy stream */
};

/* One GPU, which ranks share, unless CNNSWEEP_HOST_GPUS sets another number. */
cs_status cu_device_count(int *out) {
    const char *count = getenv("CNNSWEEP_HOST_GPUS");
    *out = count ? (int)strtol(count, NULL, 10) : 1;
    return CS_OK;
}

cs_status cu_device_open(const cs_engine_options *options, cs_device_info *info, cu_device **out) {
    int count;
    CS_TRY(cu_device_count(&count));
    CS_TRY(cs_alloc(1, sizeof **out, "the host as a GPU", out));
    (*out)->index = count > 0 ? options->local_rank % count : 0;
    (*out)->is_shared = options->local_ranks > count;
    snprintf((*out)->bus_id, sizeof(*out)->bus_id, "host:%d", (*out)->index);
    info->gpus = count;
    snprintf(info->gpu, sizeof info->gpu, "%s", (*out)->bus_id);
    snprintf(info->text, sizeof info->text, "GPU: the host");
    return CS_OK;
}

static void queue_free(queue *q) {
    for (size_t i = 0; i < q->capacity; i++)
        free(q->items[i].values);
    free(q->items);
}

void cu_device_close(cu_device *device) {
    if (!device)
        return;
    if (device->n_blocks > 0)
        cs_log(CS_LOG_WARN, "the host's GPU: %zu allocations were not freed", device->n_blocks);
    queue_free(&device->outward);
    queue_free(&device->behind);
    free(device->blocks);
    free(device);
}

cu_stream cu_device_stream(const cu_device *device) {
    (void)device;
    return NULL;
}

int cu_device_index(const cu_device *device) {
    return device->index;
}

bool cu_device_is_shared(const cu_device *device) {
    return device->is_shared;
}

const char *cu_device_bus_id(const cu_device *device) {
    return device->bus_id;
}

size_t cu_device_free_memory(const cu_device *device) {
    (void)device;
    const size_t gib = (size_t)1 << 30;
    return 4 * gib;
}

/* Memory. */

static cs_status alloc(cu_device *device, size_t bytes, const char *what, bool pinned, void **out) {
    *out = NULL;
    CS_TRY(cs_grow(&device->blocks, &device->blocks_capacity, device->n_blocks + 1, sizeof *device->blocks,
                   "the list of blocks"));
    size_t rounded = (bytes / ALIGNMENT + 1) * ALIGNMENT;
    char *memory = bytes < SIZE_MAX - ALIGNMENT ? aligned_alloc(ALIGNMENT, rounded) : NULL;
    if (!memory)
        return cs_fail(CS_ERR_NO_MEMORY, "%s: no memory for %zu bytes", what, bytes);
    memset(memory, 0, rounded);
    device->blocks[device->n_blocks++] = (block){memory, bytes, pinned};
    *out = memory;
    return CS_OK;
}

static void release(cu_device *device, void *memory, bool pinned) {
    size_t i = 0;
    while (i < device->n_blocks && (device->blocks[i].memory != memory || device->blocks[i].pinned != pinned))
        i++;
    if (i == device->n_blocks) {
        cs_log(CS_LOG_ERROR, "the host's GPU: %p is freed but was not allocated", memory);
        abort();
    }
    device->blocks[i] = device->blocks[--device->n_blocks];
    free(memory);
}

static cs_status check_block(const cu_device *device, const void *at, size_t bytes, bool pinned) {
    const char *begin = at;
    for (size_t i = 0; i < device->n_blocks; i++) {
        const block *b = &device->blocks[i];
        if (b->pinned == pinned && begin >= b->memory && begin + bytes <= b->memory + b->bytes)
            return CS_OK;
    }
    return cs_fail(CS_ERR_ARG, "the host's GPU: %zu bytes at %p are in no block of %s memory", bytes, at,
                   pinned ? "pinned" : "device");
}

/* The copies that have not run yet. Entries of the queue keep their memory, so that a step allocates nothing. */

static cs_status ask(queue *q, void *to, const void *from, size_t bytes) {
    CS_TRY(cs_grow(&q->items, &q->capacity, q->n + 1, sizeof *q->items, "copies"));
    pending *copy = &q->items[q->n];
    CS_TRY(cs_grow(&copy->values, &copy->capacity, bytes, 1, "a copy"));
    if (bytes > 0)
        memcpy(copy->values, from, bytes);
    copy->to = to;
    copy->bytes = bytes;
    q->n++;
    return CS_OK;
}

static void arrive(queue *q) {
    for (size_t i = 0; i < q->n; i++)
        if (q->items[i].bytes > 0)
            memcpy(q->items[i].to, q->items[i].values, q->items[i].bytes);
    q->n = 0;
}

cs_status cu_alloc(cu_device *device, size_t bytes, const char *what, void **out) {
    return alloc(device, bytes, what, false, out);
}

void cu_free(cu_device *device, void *memory) {
    if (!memory)
        return;
    arrive(&device->outward);
    arrive(&device->behind);
    release(device, memory, false);
}

cs_status cu_alloc_pinned(cu_device *device, size_t bytes, const char *what, void **out) {
    return alloc(device, bytes, what, true, out);
}

void cu_free_pinned(cu_device *device, void *memory) {
    if (!memory)
        return;
    arrive(&device->outward);
    arrive(&device->behind);
    release(device, memory, true);
}

cs_status cu_copy_in(cu_device *device, void *to, const void *host, size_t bytes) {
    CS_TRY(check_block(device, to, bytes, false));
    CS_TRY(check_block(device, host, bytes, true));
    memcpy(to, host, bytes);
    return CS_OK;
}

cs_status cu_copy_out(cu_device *device, void *host, const void *from, size_t bytes) {
    CS_TRY(check_block(device, host, bytes, true));
    CS_TRY(check_block(device, from, bytes, false));
    return ask(&device->outward, host, from, bytes);
}

cs_status cu_copy(cu_device *device, void *to, const void *from, size_t bytes) {
    CS_TRY(check_block(device, to, bytes, false));
    CS_TRY(check_block(device, from, bytes, false));
    memcpy(to, from, bytes);
    return CS_OK;
}

cs_status cu_clear(cu_device *device, void *memory, size_t bytes) {
    CS_TRY(check_block(device, memory, bytes, false));
    memset(memory, 0, bytes);
    return CS_OK;
}

void cu_device_watch(cu_device *device, cu_watch *watch, void *context) {
    device->watch = watch;
    device->watched = context;
}

cs_status cu_wait(cu_device *device) {
    arrive(&device->outward);
    return device->watch ? device->watch(device->watched) : CS_OK;
}

cs_status cu_check_launches(cu_device *device, const char *what) {
    (void)device;
    (void)what;
    return CS_OK;
}

/* The copy stream. */

cs_status cu_copy_in_background(cu_device *device, void *to, const void *host, size_t bytes) {
    CS_TRY(check_block(device, to, bytes, false));
    CS_TRY(check_block(device, host, bytes, true));
    return ask(&device->behind, to, host, bytes);
}

cs_status cu_event_open(cu_device *device, cu_event **out) {
    (void)device;
    return cs_alloc(1, sizeof **out, "an event", out);
}

void cu_event_close(cu_event *event) {
    free(event);
}

cs_status cu_event_record(cu_device *device, cu_event *event) {
    (void)device;
    event->copies = false;
    return CS_OK;
}

cs_status cu_event_record_copies(cu_device *device, cu_event *event) {
    (void)device;
    event->copies = true;
    return CS_OK;
}

cs_status cu_stream_waits(cu_device *device, cu_event *event) {
    if (event->copies)
        arrive(&device->behind);
    return CS_OK;
}

cs_status cu_copy_stream_waits(cu_device *device, cu_event *event) {
    (void)device;
    (void)event;
    return CS_OK;
}

cs_status cu_event_synchronize(cu_device *device, cu_event *event) {
    arrive(event->copies ? &device->behind : &device->outward);
    return CS_OK;
}

/* This device cannot capture, because work runs when it is enqueued. With CNNSWEEP_HOST_RECORDS it claims that it can,
 * and then fails. */

cs_status cu_capture_begin(cu_device *device) {
    (void)device;
    return cs_fail(CS_ERR_UNSUPPORTED, "the host's GPU refuses to capture");
}

cs_status cu_capture_end(cu_device *device, cu_capture **out) {
    (void)device;
    *out = NULL;
    return CS_OK;
}

cs_status cu_capture_launch(cu_device *device, cu_capture *capture) {
    (void)device;
    (void)capture;
    return cs_fail(CS_ERR_UNSUPPORTED, "the host's GPU does not record");
}

void cu_capture_free(cu_capture *capture) {
    (void)capture;
}

bool cu_device_captures(const cu_device *device) {
    (void)device;
    return getenv("CNNSWEEP_HOST_RECORDS") != NULL;
}
