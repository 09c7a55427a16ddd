/* JPEG through TurboJPEG's 2.1 calls, which 3.x still has. */
#include "image_impl.h"

#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>

static cs_status open_handle(tjhandle (*init)(void), void **handle) {
    if (!*handle)
        *handle = init();
    return *handle ? CS_OK : cs_fail(CS_ERR_NO_MEMORY, "TurboJPEG cannot start: %s", tjGetErrorStr2(NULL));
}

void cs_jpeg_close(cs_decoder *decoder) {
    if (decoder->decompress)
        tjDestroy(decoder->decompress);
    if (decoder->compress)
        tjDestroy(decoder->compress);
}

static cs_status read_header(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int *h, int *w,
                             int *colours) {
    CS_TRY(open_handle(tjInitDecompress, &decoder->decompress));
    int subsampling = -1;
    *h = *w = 0;
    *colours = -1;
    int failed = tjDecompressHeader3(decoder->decompress, bytes, (unsigned long)size, w, h, &subsampling, colours);
    /* 2.1 calls a rare subsampling an error though it decodes it; the other fields are filled in then. */
    if (failed && (*h < 1 || *w < 1 || *colours < 0))
        return cs_fail(CS_ERR_FORMAT, "%s: damaged JPEG header: %s", name, tjGetErrorStr2(decoder->decompress));
    return cs_image_check_size(name, (uint64_t)*h, (uint64_t)*w);
}

cs_status cs_jpeg_size(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int *h, int *w) {
    int colours;
    return read_header(decoder, name, bytes, size, h, w, &colours);
}

/* Stray bytes between segments and unknown revision numbers leave every pixel as it should be. */
static bool harmless(tjhandle handle) {
    const char *text = tjGetErrorStr2(handle);
    return tjGetErrorCode(handle) == TJERR_WARNING && (strstr(text, "extraneous") || strstr(text, "nknown"));
}

static cs_status decompress(tjhandle handle, const char *name, const uint8_t *bytes, size_t size, int h, int w,
                            int format, uint8_t *out) {
    int failed = tjDecompress2(handle, bytes, (unsigned long)size, out, w, 0, h, format,
                               TJFLAG_LIMITSCANS | TJFLAG_STOPONWARNING);
    if (failed && harmless(handle))
        failed = tjDecompress2(handle, bytes, (unsigned long)size, out, w, 0, h, format, TJFLAG_LIMITSCANS) &&
                 !harmless(handle);
    return failed ? cs_fail(CS_ERR_FORMAT, "%s: damaged JPEG: %s", name, tjGetErrorStr2(handle)) : CS_OK;
}

/* a*b/255, rounded: exact for bytes. */
static unsigned multiply_255(unsigned a, unsigned b) {
    unsigned product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

/* Adobe stores ink inverted (255 = none) and so does everyone's CMYK JPEG; the colour is what Pillow makes of it. */
static void cmyk_to_rgb(const uint8_t *cmyk, size_t pixels, uint8_t *rgb) {
    for (size_t i = 0; i < pixels; i++, cmyk += 4, rgb += 3)
        for (int c = 0; c < 3; c++) {
            unsigned ink = multiply_255(255u - cmyk[c], cmyk[3]);
            rgb[c] = (uint8_t)(cmyk[3] - ink);
        }
}

/* The largest power of two that leaves the image CS_SCALED_DECODE_MARGIN times the target. */
static int scale_for(int h, int w, int target_h, int target_w) {
    const int margin = CS_SCALED_DECODE_MARGIN;
    int scale = 1;
    while (target_h > 0 && target_w > 0 && scale < 8 && h / (2 * scale) / margin >= target_h &&
           w / (2 * scale) / margin >= target_w)
        scale *= 2;
    return scale;
}

cs_status cs_jpeg_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                         int target_w, cs_image *image) {
    int h, w, colours;
    CS_TRY(read_header(decoder, name, bytes, size, &h, &w, &colours));
    tjscalingfactor factor = {1, scale_for(h, w, target_h, target_w)};
    h = TJSCALED(h, factor);
    w = TJSCALED(w, factor);
    CS_TRY(cs_image_reserve(image, h, w));
    if (colours != TJCS_CMYK && colours != TJCS_YCCK)
        return decompress(decoder->decompress, name, bytes, size, h, w, TJPF_RGB, image->pixels);
    size_t pixels = (size_t)h * (size_t)w;
    CS_TRY(cs_grow(&decoder->cmyk, &decoder->cmyk_capacity, pixels * 4, 1, "CMYK image"));
    CS_TRY(decompress(decoder->decompress, name, bytes, size, h, w, TJPF_CMYK, decoder->cmyk));
    cmyk_to_rgb(decoder->cmyk, pixels, image->pixels);
    return CS_OK;
}

cs_status cs_encode_jpeg(cs_decoder *decoder, const cs_image *image, int quality, uint8_t **bytes, size_t *capacity,
                         size_t *size) {
    CS_TRY(open_handle(tjInitCompress, &decoder->compress));
    unsigned long used = tjBufSize(image->w, image->h, TJSAMP_444);
    if (used == (unsigned long)-1)
        return cs_fail(CS_ERR_SHAPE, "an image of %dx%d is too large for JPEG", image->w, image->h);
    CS_TRY(cs_grow(bytes, capacity, used, 1, "JPEG stream"));
    if (tjCompress2(decoder->compress, image->pixels, image->w, 0, image->h, TJPF_RGB, bytes, &used, TJSAMP_444,
                    quality, TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT))
        return cs_fail(CS_ERR_SHAPE, "cannot encode %dx%d as JPEG: %s", image->w, image->h,
                       tjGetErrorStr2(decoder->compress));
    *size = used;
    return CS_OK;
}
