/* decode_rate THREADS FILE...: reads and decodes JPEG files to RGB with TurboJPEG and nothing else, the yardstick of
 * pack_rate.sh. Prints images per second. */
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <turbojpeg.h>

typedef struct work {
    char **files;
    int n;
    atomic_int next, failed;
} work;

static bool decode(tjhandle handle, const char *path, unsigned char **pixels, size_t *capacity) {
    char *bytes = NULL;
    size_t size;
    int w, h, subsampling, colours;
    if (cs_file_read(path, 1u << 30, &bytes, &size) != CS_OK)
        return false;
    bool good =
        tjDecompressHeader3(handle, (unsigned char *)bytes, (unsigned long)size, &w, &h, &subsampling, &colours) == 0;
    if (good && (size_t)w * (size_t)h * 3 > *capacity) {
        free(*pixels);
        *capacity = (size_t)w * (size_t)h * 3;
        *pixels = malloc(*capacity);
    }
    good = good && *pixels &&
           tjDecompress2(handle, (unsigned char *)bytes, (unsigned long)size, *pixels, w, 0, h, TJPF_RGB, 0) == 0;
    free(bytes);
    return good;
}

static void *run(void *argument) {
    work *shared = argument;
    tjhandle handle = tjInitDecompress();
    unsigned char *pixels = NULL;
    size_t capacity = 0;
    for (int i = atomic_fetch_add(&shared->next, 1); i < shared->n; i = atomic_fetch_add(&shared->next, 1))
        if (!handle || !decode(handle, shared->files[i], &pixels, &capacity))
            atomic_fetch_add(&shared->failed, 1);
    free(pixels);
    tjDestroy(handle);
    return NULL;
}

int main(int argc, char **argv) {
    enum { MOST_THREADS = 256 };
    pthread_t threads[MOST_THREADS];
    int n_threads = argc > 2 ? atoi(argv[1]) : 0;
    if (n_threads < 1 || n_threads > MOST_THREADS) {
        fprintf(stderr, "usage: decode_rate THREADS FILE...\n");
        return 2;
    }
    work shared = {.files = argv + 2, .n = argc - 2};
    double started = cs_now();
    for (int i = 0; i < n_threads; i++)
        if (pthread_create(&threads[i], NULL, run, &shared) != 0)
            abort();
    for (int i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
    printf("%.1f\n", shared.n / (cs_now() - started));
    return shared.failed > 0;
}
