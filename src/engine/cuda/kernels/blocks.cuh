/* SPDX-License-Identifier: Apache-2.0 */
/* Runs blocks with many threads on the host. Threads that wait for each other are fibers (ucontext). The first thread
 * that can continue always runs next, in the order that CNNSWEEP_CUDA_ORDER names: forward, backward or scrambled. A
 * barrier waits for all threads of the block, a shuffle for those of its warp. A result that depends on the order would
 * depend on chance on a GPU.
 *
 * Undefined behaviour in CUDA ends the program with a message that names the kernel: a grid that cannot be launched, or
 * a barrier or shuffle that some threads do not reach. Shared memory is filled with NaNs when a block begins. */
#ifndef CNNSWEEP_ENGINE_CUDA_BLOCKS_CUH
#define CNNSWEEP_ENGINE_CUDA_BLOCKS_CUH

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

/* CU_GRID is small, so that the loops in kernels run more than once. */
enum { CU_THREADS = 256, CU_GRID = 3, CU_MOST_THREADS = 1024, CU_LANES = 32, CU_STACK = 1 << 16 };

inline thread_local dim3 gridDim, blockIdx, blockDim, threadIdx;

enum cu_thread_state { CU_FRESH, CU_READY, CU_WAITS, CU_ENDED };

struct cu_thread {
    cu_thread_state state;
    unsigned fiber;
    const char *where; /* the last barrier or shuffle that it reached */
    uint64_t value;    /* its operand of a shuffle */
};

/* The block that runs. A fiber runs threads to their end, one after the other, until one has to wait. Then the others
 * need another fiber. */
struct cu_block {
    const char *kernel;
    void (*run)(void *body);
    void *body;
    size_t number;                   /* counts all blocks */
    unsigned order[CU_MOST_THREADS]; /* order of threads; those before order[next] cannot continue */
    unsigned next;
    unsigned waiting[1 + CU_MOST_THREADS / CU_LANES]; /* waiting threads: at a barrier, and in a shuffle of each warp */
    cu_thread threads[CU_MOST_THREADS];
    ucontext_t home, fibers[CU_MOST_THREADS];
    unsigned idle[CU_MOST_THREADS], n_idle, n_fibers; /* fibers are reused by later blocks */
};
inline thread_local cu_block cu_here;

[[noreturn]] inline void cu_refuse(const char *why, const char *where) {
    fprintf(stderr, "%s, block %u,%u,%u, thread %u: %s%s\n", cu_here.kernel, blockIdx.x, blockIdx.y, blockIdx.z,
            threadIdx.x, why, where);
    abort();
}

/* The next thread that can continue; NULL if all wait or have ended. */
inline cu_thread *cu_next() {
    for (; cu_here.next < blockDim.x; cu_here.next++) {
        cu_thread *thread = &cu_here.threads[cu_here.order[cu_here.next]];
        if (thread->state == CU_FRESH || thread->state == CU_READY)
            return thread;
    }
    return NULL;
}

inline void cu_fiber() {
    for (;;) {
        cu_thread *thread = cu_next();
        unsigned fiber = thread->fiber;
        threadIdx.x = (unsigned)(thread - cu_here.threads);
        cu_here.run(cu_here.body);
        thread->state = CU_ENDED;
        cu_thread *next = cu_next();
        if (next && next->state == CU_FRESH) {
            next->fiber = fiber;
            continue;
        }
        cu_here.idle[cu_here.n_idle++] = fiber;
        swapcontext(&cu_here.fibers[fiber], &cu_here.home);
    }
}

inline unsigned cu_idle_fiber() {
    if (cu_here.n_idle > 0)
        return cu_here.idle[--cu_here.n_idle];
    unsigned fiber = cu_here.n_fibers++;
    ucontext_t *context = &cu_here.fibers[fiber];
    getcontext(context);
    context->uc_stack.ss_sp = malloc(CU_STACK);
    context->uc_stack.ss_size = CU_STACK;
    if (!context->uc_stack.ss_sp)
        cu_refuse("no memory for its stack", "");
    makecontext(context, cu_fiber, 0);
    return fiber;
}

/* Waits until `count` threads from `first` on have called this. */
inline void cu_wait_for_threads(unsigned group, unsigned first, unsigned count, const char *where) {
    const unsigned me = threadIdx.x;
    cu_thread *threads = cu_here.threads;
    threads[me].state = CU_WAITS;
    threads[me].where = where;
    if (++cu_here.waiting[group] == count) {
        for (unsigned t = first; t < first + count; t++) {
            if (strcmp(threads[t].where, where) != 0)
                cu_refuse("others wait elsewhere, at ", threads[t].where);
            threads[t].state = CU_READY;
        }
        cu_here.waiting[group] = 0;
        cu_here.next = 0;
    }
    swapcontext(&cu_here.fibers[threads[me].fiber], &cu_here.home);
    threadIdx.x = me;
}

inline void cu_run_block() {
    cu_here.number++;
    cu_here.next = 0;
    for (unsigned t = 0; t < blockDim.x; t++)
        cu_here.threads[t].state = CU_FRESH;
    for (cu_thread *next = cu_next(); next; next = cu_next()) {
        if (next->state == CU_FRESH)
            next->fiber = cu_idle_fiber();
        swapcontext(&cu_here.home, &cu_here.fibers[next->fiber]);
    }
    for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++)
        if (cu_here.threads[threadIdx.x].state != CU_ENDED)
            cu_refuse("waits for threads that do not come, at ", cu_here.threads[threadIdx.x].where);
}

/* The t-th of n threads in the order that CNNSWEEP_CUDA_ORDER names. */
inline unsigned cu_ordered(unsigned t, unsigned n) {
    const char *order = getenv("CNNSWEEP_CUDA_ORDER");
    if (order && strcmp(order, "backward") == 0)
        return n - 1 - t;
    return order && strcmp(order, "scrambled") == 0 ? (t * 97 + 13) % n : t;
}

template <typename F> inline void cu_launch(const char *kernel, dim3 blocks, unsigned threads, F body) {
    cu_here.kernel = kernel;
    cu_here.run = [](void *f) { (*(F *)f)(); };
    cu_here.body = &body;
    gridDim = blocks;
    blockIdx = dim3(0, 0, 0);
    threadIdx = dim3(0, 0, 0);
    if (blocks.x < 1 || blocks.x > 0x7fffffff || blocks.y < 1 || blocks.y > 65535 || blocks.z < 1 || blocks.z > 65535 ||
        threads < 1 || threads > CU_MOST_THREADS)
        cu_refuse("cannot be started", "");
    if (blockDim.x != threads)
        for (unsigned t = 0; t < threads; t++)
            cu_here.order[t] = cu_ordered(t, threads);
    blockDim.x = threads;
    for (blockIdx.z = 0; blockIdx.z < gridDim.z; blockIdx.z++)
        for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++)
            for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++)
                cu_run_block();
}

template <typename S> inline S cu_shuffle_xor(unsigned mask, S value, unsigned distance, const char *where) {
    static_assert(sizeof(S) <= sizeof(uint64_t), "more than a shuffle takes");
    const unsigned me = threadIdx.x, warp = me / CU_LANES;
    if (mask != 0xffffffffu || distance >= CU_LANES || blockDim.x % CU_LANES != 0)
        cu_refuse("not a shuffle of whole warps, at ", where);
    memcpy(&cu_here.threads[me].value, &value, sizeof value);
    cu_wait_for_threads(1 + warp, warp * CU_LANES, CU_LANES, where);
    memcpy(&value, &cu_here.threads[me ^ distance].value, sizeof value);
    cu_wait_for_threads(1 + warp, warp * CU_LANES, CU_LANES, where);
    return value;
}

/* Fills shared memory with NaNs. The first thread of a block does this. */
inline void cu_poison(void *memory, size_t bytes, size_t *block) {
    if (*block != cu_here.number)
        memset(memory, 0xff, bytes);
    *block = cu_here.number;
}

#define CU_TEXT_(x) #x
#define CU_TEXT(x)  CU_TEXT_(x)
#define CU_PLACE    __FILE__ ":" CU_TEXT(__LINE__)

#define CU_SHARED(type, name, size)                                                                                    \
    static thread_local type name size;                                                                                \
    static thread_local size_t name##_block;                                                                           \
    cu_poison(&name, sizeof name, &name##_block)
#define __syncthreads()                        cu_wait_for_threads(0, 0, blockDim.x, CU_PLACE)
#define __shfl_xor_sync(mask, value, distance) cu_shuffle_xor(mask, value, (unsigned)(distance), CU_PLACE)
#define CU_LAUNCH(kernel, blocks, threads, stream, ...)                                                                \
    do {                                                                                                               \
        (void)(stream);                                                                                                \
        cu_launch(#kernel, dim3(blocks), (threads), [&] { kernel(__VA_ARGS__); });                                     \
    } while (0)

#endif
