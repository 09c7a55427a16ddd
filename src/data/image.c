#include "image_impl.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

const char *cs_resize_name(cs_resize resize) {
    return resize == CS_RESIZE_NEAREST ? "nearest" : "bilinear";
}

cs_status cs_image_check_size(const char *name, uint64_t h, uint64_t w) {
    if (h == 0 || w == 0)
        return cs_fail(CS_ERR_FORMAT, "%s: the image has no pixels", name);
    if (h > CS_IMAGE_MAX_PIXELS || w > CS_IMAGE_MAX_PIXELS || h * w > CS_IMAGE_MAX_PIXELS)
        return cs_fail(CS_ERR_FORMAT, "%s: the header says %llux%llu pixels, more than the %d million accepted", name,
                       (unsigned long long)w, (unsigned long long)h, CS_IMAGE_MAX_PIXELS / 1000000);
    return CS_OK;
}

cs_status cs_image_reserve(cs_image *image, int h, int w) {
    size_t need = (size_t)h * (size_t)w * 3;
    if (need > image->capacity || !image->pixels) {
        free(image->pixels);
        image->pixels = NULL;
        image->capacity = 0;
        CS_TRY(cs_alloc(need, 1, "image", &image->pixels));
        image->capacity = need;
    }
    image->h = h;
    image->w = w;
    return CS_OK;
}

void cs_image_clear(cs_image *image) {
    if (!image)
        return;
    free(image->pixels);
    *image = (cs_image){0};
}

cs_status cs_decoder_open(cs_decoder **out) {
    return cs_alloc(1, sizeof **out, "image decoder", out);
}

void cs_decoder_close(cs_decoder *decoder) {
    if (!decoder)
        return;
    cs_resize_clear(decoder);
    cs_image_clear(&decoder->full);
    free(decoder->cmyk);
    free(decoder);
}

/* What a file is, by its first bytes. */
typedef struct magic {
    const char *format;
    size_t at, size;
    const char *bytes;
} magic;

static const magic jpeg_magic = {"JPEG", 0, 3, "\xFF\xD8\xFF"};
static const magic png_magic = {"PNG", 0, 8, "\x89PNG\r\n\x1A\n"};
static const magic other_magics[] = {
    {"GIF image", 0, 4, "GIF8"},       {"BMP image", 0, 2, "BM"},       {"WebP image", 8, 4, "WEBP"},
    {"TIFF image", 0, 4, "II*\0"},     {"TIFF image", 0, 4, "MM\0*"},   {"DICOM image", 128, 4, "DICM"},
    {"JPEG 2000 image", 4, 4, "jP  "}, {"ZIP archive", 0, 4, "PK\3\4"}, {"gzip archive", 0, 2, "\x1F\x8B"},
    {"PDF document", 0, 4, "%PDF"},    {"HDF5 file", 0, 4, "\x89HDF"},
};

static bool matches(const magic *m, const uint8_t *bytes, size_t size) {
    return size >= m->at + m->size && memcmp(bytes + m->at, m->bytes, m->size) == 0;
}

static cs_status fail_other(const char *name, const uint8_t *bytes, size_t size) {
    if (size == 0)
        return cs_fail(CS_ERR_FORMAT, "%s: the file is empty", name);
    for (size_t i = 0; i < sizeof other_magics / sizeof *other_magics; i++)
        if (matches(&other_magics[i], bytes, size))
            return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: this is a %s", name, other_magics[i].format),
                           "JPEG and PNG are read; convert it");
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: not an image", name), "JPEG and PNG are read");
}

bool cs_is_jpeg(const uint8_t *bytes, size_t size) {
    return matches(&jpeg_magic, bytes, size);
}

cs_status cs_image_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w) {
    if (cs_is_jpeg(bytes, size))
        return cs_jpeg_size(name, bytes, size, h, w);
    if (matches(&png_magic, bytes, size))
        return cs_png_size(name, bytes, size, h, w);
    return fail_other(name, bytes, size);
}

cs_status cs_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                    int target_w, cs_image *image) {
    if (cs_is_jpeg(bytes, size))
        return cs_jpeg_decode(decoder, name, bytes, size, target_h, target_w, image);
    if (matches(&png_magic, bytes, size))
        return cs_png_decode(name, bytes, size, image);
    return fail_other(name, bytes, size);
}

cs_status cs_decode_resized(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, cs_resize how,
                            int h, int w, cs_image *image) {
    bool scale = how == CS_RESIZE_BILINEAR;
    CS_TRY(cs_decode(decoder, name, bytes, size, scale ? h : 0, scale ? w : 0, &decoder->full));
    if (h > 0 && w > 0 && (decoder->full.h != h || decoder->full.w != w)) {
        CS_TRY(cs_image_reserve(image, h, w));
        return cs_resize_image(decoder, &decoder->full, how, h, w, image->pixels);
    }
    cs_image decoded = decoder->full;
    decoder->full = *image;
    *image = decoded;
    return CS_OK;
}

cs_status cs_decoder_reserve(cs_decoder *decoder, int max_h, int max_w, int h, int w) {
    CS_TRY(cs_image_reserve(&decoder->full, max_h, max_w));
    if (h > 0 && w > 0)
        CS_TRY(cs_resize_reserve(decoder, max_h, max_w, h, w));
    return CS_OK;
}
