#include "image.h"

#include "cnnsweep/file.h"
#include "cnnsweep/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_LIMIT = 1 << 30, JPEG_QUALITY = 95 };

void packed_image_clear(packed_image *image) {
    cs_image_clear(&image->image);
    free(image->file);
    free(image->jpeg);
}

/* The whole file into out->file, which is used again and again: opening and reading is a good part of the time that a
 * small image takes. */
static cs_status read_file(int file, const char *path, packed_image *out) {
    struct stat info;
    if (fstat(file, &info) != 0)
        return cs_fail_errno("%s: cannot read", path);
    if (!S_ISREG(info.st_mode))
        return cs_fail(CS_ERR_FORMAT, "%s: a pipe, socket or device, not a file", path);
    if (info.st_size > FILE_LIMIT)
        return cs_fail(CS_ERR_FORMAT, "%s: a file of more than %d MB", path, FILE_LIMIT >> 20);
    CS_TRY(cs_grow(&out->file, &out->file_capacity, (size_t)info.st_size, 1, "image file"));
    for (out->file_size = 0; out->file_size < (size_t)info.st_size;) {
        ssize_t got = read(file, out->file + out->file_size, (size_t)info.st_size - out->file_size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? cs_fail_errno("%s: cannot read", path)
                           : cs_fail(CS_ERR_IO, "%s: became shorter while it was read", path);
        out->file_size += (size_t)got;
    }
    return CS_OK;
}

static cs_status read_item(const pack_options *options, const pack_item *item, char path[CS_PATH_MAX],
                           packed_image *out) {
    CS_TRY(cs_path(path, CS_PATH_MAX, "%s/%s", options->src, item->id));
    int file = open(path, O_RDONLY | O_NONBLOCK); /* a pipe would keep it waiting for a writer */
    if (file < 0)
        return cs_fail_errno("%s: cannot open", path);
    cs_status status = read_file(file, path, out);
    close(file);
    return status;
}

cs_status pack_decode(const pack_options *options, cs_decoder *decoder, const pack_item *item, packed_image *out) {
    char path[CS_PATH_MAX];
    CS_TRY(read_item(options, item, path, out));
    return cs_decode(decoder, path, out->file, out->file_size, options->size[1], options->size[0], &out->image);
}

/* Sums and sums of squares a channel. 48 bytes are 16 pixels: the lanes of one block line up with those of the next,
 * and the inner loop becomes vector instructions. */
static void add_statistics(const cs_image *image, packed_image *out) {
    enum { LANES = 48, MOST_BLOCKS = 256 }; /* 256 * 255 fits in 16 bits */
    const uint8_t *pixels = image->pixels;
    size_t left = (size_t)image->h * (size_t)image->w * 3;
    out->pixels = left / 3;
    for (int c = 0; c < 3; c++)
        out->sum[c] = out->square[c] = 0;
    while (left > 0) {
        uint16_t sum[LANES] = {0};
        uint32_t square[LANES] = {0};
        for (int block = 0; block < MOST_BLOCKS && left >= LANES; block++, pixels += LANES, left -= LANES)
            for (int i = 0; i < LANES; i++) {
                sum[i] = (uint16_t)(sum[i] + pixels[i]);
                square[i] += (uint16_t)(pixels[i] * pixels[i]);
            }
        if (left < LANES)
            for (int i = 0; left > 0; i++, pixels++, left--) {
                out->sum[i % 3] += *pixels;
                out->square[i % 3] += (uint64_t)*pixels * *pixels;
            }
        for (int i = 0; i < LANES; i++) {
            out->sum[i % 3] += sum[i];
            out->square[i % 3] += square[i];
        }
    }
}

/* JPEG files that need no resize are stored as they are: encoding them again would only lose. */
static cs_status encode(const cs_dataset_layout *layout, const char *path, packed_image *out) {
    int h = 0, w = 0;
    bool keep = cs_is_jpeg(out->file, out->file_size);
    if (keep && layout->h > 0) {
        CS_TRY(cs_image_size(path, out->file, out->file_size, &h, &w));
        keep = h == layout->h && w == layout->w;
    }
    if (keep) {
        out->bytes = out->file;
        out->size = out->file_size;
        return CS_OK;
    }
    CS_TRY(cs_encode_jpeg(&out->image, JPEG_QUALITY, &out->jpeg, &out->jpeg_capacity, &out->size));
    out->bytes = out->jpeg;
    return CS_OK;
}

cs_status pack_image(const pack_options *options, const cs_dataset_layout *layout, cs_decoder *decoder,
                     const pack_item *item, packed_image *out) {
    char path[CS_PATH_MAX];
    int h = options->size[1], w = options->size[0];
    CS_TRY(read_item(options, item, path, out));
    CS_TRY(cs_decode_resized(decoder, path, out->file, out->file_size, options->resize, h, w, &out->image));
    if (item->split == CS_SPLIT_TRAIN)
        add_statistics(&out->image, out);
    if (layout->encoding == CS_ENCODING_JPEG)
        return encode(layout, path, out);
    if (out->image.h != layout->h || out->image.w != layout->w)
        return cs_hint(cs_fail(CS_ERR_SHAPE, "%s: %dx%d pixels, but the first image has %dx%d", path, out->image.w,
                               out->image.h, layout->w, layout->h),
                       "--size WxH resizes all of them; --encoding jpeg keeps their sizes");
    out->bytes = out->image.pixels;
    out->size = (size_t)layout->h * (size_t)layout->w * 3;
    return CS_OK;
}
