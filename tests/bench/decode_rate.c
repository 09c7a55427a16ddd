/* SPDX-License-Identifier: Apache-2.0 */
/* decode_rate THREADS FILE...: reads and decodes JPEG files to RGB with libjpeg-turbo and nothing else. pack_rate.sh
 * compares the packer with it. Prints images per second. A file that cannot be decoded ends the program, by libjpeg's
 * own handler. */
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <jpeglib.h>

typedef struct work {
    char **files;
    int n;
    atomic_int next, failed;
} work;

static bool decode(struct jpeg_decompress_struct *jpeg, const char *path, unsigned char **pixels, size_t *capacity) {
    char *bytes = NULL;
    size_t size;
    if (cs_file_read(path, 1u << 30, &bytes, &size) != CS_OK)
        return false;
    jpeg_mem_src(jpeg, (unsigned char *)bytes, (unsigned long)size);
    jpeg_read_header(jpeg, TRUE);
    jpeg->out_color_space = JCS_EXT_RGB;
    jpeg_start_decompress(jpeg);
    size_t row = (size_t)jpeg->output_width * 3, need = row * jpeg->output_height;
    if (need > *capacity) {
        free(*pixels);
        *capacity = need;
        *pixels = malloc(need);
    }
    while (*pixels && jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW rows[4];
        for (size_t i = 0; i < 4; i++)
            rows[i] = *pixels + (jpeg->output_scanline + i < jpeg->output_height ? jpeg->output_scanline + i : 0) * row;
        jpeg_read_scanlines(jpeg, rows, 4);
    }
    jpeg_finish_decompress(jpeg);
    free(bytes);
    return *pixels;
}

static void *run(void *argument) {
    work *shared = argument;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *pixels = NULL;
    size_t capacity = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    for (int i = atomic_fetch_add(&shared->next, 1); i < shared->n; i = atomic_fetch_add(&shared->next, 1))
        if (!decode(&jpeg, shared->files[i], &pixels, &capacity))
            atomic_fetch_add(&shared->failed, 1);
    free(pixels);
    jpeg_destroy_decompress(&jpeg);
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
