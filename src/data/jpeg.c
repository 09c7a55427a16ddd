/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG through libjpeg's own interface, with libjpeg-turbo. A new libjpeg decoder is made for every image, which costs
 * little. A decoder that is used again would keep the tables of the previous image, and after an error its state, and
 * both could change the next image. */
#include "codec.h"

#include "cnnsweep/memory.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h> /* needs the definitions of jpeglib.h */

/* A JPEG with more scans is refused: it takes long to decode, and no encoder writes so many. */
enum { MOST_SCANS = 500, ROWS_AT_ONCE = 4 };

/* Lets libjpeg's error handler leave libjpeg by a jump, as it must not return. The client_data of libjpeg's
 * structures. */
typedef struct jpeg_guard {
    struct jpeg_error_mgr errors;
    jmp_buf failed;
    cs_status status; /* the status of the failure */
    const char *name; /* the name of the image, for messages */
} jpeg_guard;

/* Runs `work` until it ends or fails. All that `work` changes is in *job, as a jump back could undo changes to this
 * function's variables. */
static cs_status run_guarded(jpeg_guard *guard, cs_status (*work)(void *job), void *job) {
    if (setjmp(guard->failed))
        return guard->status;
    return work(job);
}

static _Noreturn void leave(j_common_ptr jpeg, cs_status status) {
    jpeg_guard *guard = jpeg->client_data;
    guard->status = status;
    longjmp(guard->failed, 1);
}

typedef struct decoding {
    jpeg_guard guard;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_progress_mgr progress;
    cs_decoder *decoder;
    const uint8_t *bytes;
    size_t size;
    int target_h, target_w;
    cs_image *image;
} decoding;

/* Reports a kind of JPEG that libjpeg recognises but cannot decode, though the file itself is correct. */
static cs_status fail_unsupported(j_common_ptr jpeg, const char *name) {
    int value = jpeg->err->msg_parm.i[0];
    switch (jpeg->err->msg_code) {
    case JERR_BAD_PRECISION:
        return cs_fail(CS_ERR_FORMAT, "%s: a JPEG of %d bits a colour, which is not supported; convert it to 8 bits",
                       name, value);
    case JERR_SOF_UNSUPPORTED:
        return cs_fail(CS_ERR_FORMAT,
                       "%s: a lossless or hierarchical JPEG (SOF 0x%02x), which is not supported; convert it to "
                       "baseline JPEG or PNG",
                       name, (unsigned)value);
    case JERR_CONVERSION_NOTIMPL:
        return cs_fail(CS_ERR_FORMAT, "%s: a JPEG whose colours are neither gray, RGB nor CMYK; convert it", name);
    case JERR_ARITH_NOTIMPL:
        return cs_fail(CS_ERR_FORMAT, "%s: an arithmetic-coded JPEG, which this libjpeg does not read; convert it",
                       name);
    default:
        return CS_OK;
    }
}

static _Noreturn void fail_decoding(j_common_ptr jpeg) {
    const char *name = ((jpeg_guard *)jpeg->client_data)->name;
    char text[JMSG_LENGTH_MAX];
    if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY)
        leave(jpeg, cs_fail(CS_ERR_NO_MEMORY, "%s: no memory for a JPEG decoder", name));
    cs_status status = fail_unsupported(jpeg, name);
    if (status == CS_OK) {
        jpeg->err->format_message(jpeg, text);
        status = cs_fail(CS_ERR_FORMAT, "%s: damaged JPEG: %s", name, text);
    }
    leave(jpeg, status);
}

/* Whether the extraneous bytes before a marker lay between two segments. Before a restart marker they were part of the
 * scan. */
static bool are_between_segments(const struct jpeg_error_mgr *errors) {
    int marker = errors->msg_parm.i[1];
    return marker < JPEG_RST0 || marker > JPEG_RST0 + 7;
}

/* Whether a warning means that every pixel is still right: extraneous bytes between segments, unknown revision
 * numbers and colour transforms, fields without a meaning in a sequential JPEG. All other warnings mean that pixels
 * were lost. */
static bool is_harmless(const struct jpeg_error_mgr *errors) {
    static const int harmless[] = {JWRN_JFIF_MAJOR, JWRN_ADOBE_XFORM, JWRN_NOT_SEQUENTIAL};
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (harmless[i] == errors->msg_code)
            return true;
    return errors->msg_code == JWRN_EXTRANEOUS_DATA && are_between_segments(errors);
}

/* libjpeg calls it for every warning, with a negative level, and for every trace message. */
static void handle_message(j_common_ptr jpeg, int level) {
    if (level < 0 && !is_harmless(jpeg->err))
        fail_decoding(jpeg);
}

static void limit_scans(j_common_ptr jpeg) {
    if (((j_decompress_ptr)jpeg)->input_scan_number > MOST_SCANS)
        leave(jpeg, cs_fail(CS_ERR_FORMAT, "%s: a progressive JPEG of more than %d scans",
                            ((jpeg_guard *)jpeg->client_data)->name, MOST_SCANS));
}

static cs_status read_header(void *job) {
    decoding *self = job;
    jpeg_create_decompress(&self->jpeg);
    jpeg_mem_src(&self->jpeg, self->bytes, (unsigned long)self->size);
    (void)jpeg_read_header(&self->jpeg, TRUE);
    if (self->jpeg.data_precision != BITS_IN_JSAMPLE) /* libjpeg-turbo 3 leaves this check to the caller */
        ERREXIT1(&self->jpeg, JERR_BAD_PRECISION, self->jpeg.data_precision);
    return cs_image_check_size(self->decoder, self->guard.name, self->jpeg.image_height, self->jpeg.image_width);
}

/* The largest power of two by which the image can be reduced while it stays CS_SCALED_DECODE_MARGIN times the
 * target. */
static unsigned scale_for(const decoding *self) {
    const int margin = CS_SCALED_DECODE_MARGIN;
    int h = (int)self->jpeg.image_height, w = (int)self->jpeg.image_width, scale = 1;
    while (self->target_h > 0 && self->target_w > 0 && scale < 8 && h / (2 * scale) / margin >= self->target_h &&
           w / (2 * scale) / margin >= self->target_w)
        scale *= 2;
    return (unsigned)scale;
}

/* a*b/255, rounded; exact for bytes. */
static unsigned multiply_255(unsigned a, unsigned b) {
    unsigned product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

/* Adobe's CMYK JPEGs store ink inverted (255 = none), and all other programs do the same. The colours are computed as
 * Pillow does. */
static void cmyk_to_rgb(const uint8_t *cmyk, size_t pixels, uint8_t *rgb) {
    for (size_t i = 0; i < pixels; i++, cmyk += 4, rgb += 3)
        for (int c = 0; c < 3; c++) {
            unsigned ink = multiply_255(255u - cmyk[c], cmyk[3]);
            rgb[c] = (uint8_t)(cmyk[3] - ink);
        }
}

static void read_rows(struct jpeg_decompress_struct *jpeg, uint8_t *pixels) {
    size_t row = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW rows[ROWS_AT_ONCE];
        JDIMENSION left = jpeg->output_height - jpeg->output_scanline;
        JDIMENSION n = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
        for (JDIMENSION i = 0; i < n; i++)
            rows[i] = pixels + (jpeg->output_scanline + i) * row;
        (void)jpeg_read_scanlines(jpeg, rows, n);
    }
}

static cs_status decode(void *job) {
    decoding *self = job;
    struct jpeg_decompress_struct *jpeg = &self->jpeg;
    CS_TRY(read_header(self));
    bool ink = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
    jpeg->out_color_space = ink ? JCS_CMYK : JCS_EXT_RGB;
    jpeg->scale_num = 1;
    jpeg->scale_denom = scale_for(self);
    jpeg->dct_method = JDCT_ISLOW;
    jpeg->do_fancy_upsampling = TRUE;
    self->progress.progress_monitor = limit_scans;
    jpeg->progress = &self->progress;
    (void)jpeg_start_decompress(jpeg);
    size_t pixels = (size_t)jpeg->output_height * jpeg->output_width;
    CS_TRY(cs_image_reserve(self->image, (int)jpeg->output_height, (int)jpeg->output_width));
    if (ink)
        CS_TRY(cs_reserve_rgba(self->decoder, (int)jpeg->output_height, (int)jpeg->output_width));
    read_rows(jpeg, ink ? self->decoder->four : self->image->pixels);
    (void)jpeg_finish_decompress(jpeg); /* reads to the end of the file, which may be missing */
    if (ink)
        cmyk_to_rgb(self->decoder->four, pixels, self->image->pixels);
    return CS_OK;
}

static cs_status with_decoder(decoding *self, cs_status (*work)(void *job)) {
    self->jpeg.err = jpeg_std_error(&self->guard.errors);
    self->jpeg.client_data = &self->guard;
    self->guard.errors.error_exit = fail_decoding;
    self->guard.errors.emit_message = handle_message;
    cs_status status = run_guarded(&self->guard, work, self);
    jpeg_destroy_decompress(&self->jpeg);
    return status;
}

bool cs_is_jpeg(const uint8_t *bytes, size_t size) {
    static const uint8_t start[] = {0xFF, 0xD8, 0xFF};
    return size >= sizeof start && memcmp(bytes, start, sizeof start) == 0;
}

static cs_status jpeg_size(const char *name, const uint8_t *bytes, size_t size, int *h, int *w) {
    decoding self = {.guard.name = name, .bytes = bytes, .size = size};
    CS_TRY(with_decoder(&self, read_header));
    *h = (int)self.jpeg.image_height;
    *w = (int)self.jpeg.image_width;
    return CS_OK;
}

static cs_status jpeg_decode(cs_decoder *decoder, const char *name, const uint8_t *bytes, size_t size, int target_h,
                             int target_w, cs_image *image) {
    decoding self = {.guard.name = name,
                     .decoder = decoder,
                     .bytes = bytes,
                     .size = size,
                     .target_h = target_h,
                     .target_w = target_w,
                     .image = image};
    return with_decoder(&self, decode);
}

/* Finds the first segment APP1 with EXIF data among those before the scan. */
static const uint8_t *jpeg_exif(const uint8_t *bytes, size_t size, size_t *exif_size) {
    static const uint8_t mark[] = {'E', 'x', 'i', 'f', 0, 0};
    enum { HEAD = 4, APP1 = JPEG_APP0 + 1, SCAN = 0xDA };
    for (size_t at = 2; at + HEAD <= size && bytes[at] == 0xFF && bytes[at + 1] != SCAN;) {
        if (bytes[at + 1] == 0xFF) { /* a fill byte */
            at++;
            continue;
        }
        size_t length = (size_t)bytes[at + 2] << 8 | bytes[at + 3]; /* its own two bytes are part of it */
        if (bytes[at + 1] == APP1 && length >= 2 + sizeof mark && at + 2 + length <= size &&
            memcmp(bytes + at + HEAD, mark, sizeof mark) == 0) {
            *exif_size = length - 2 - sizeof mark;
            return bytes + at + HEAD + sizeof mark;
        }
        at += 2 + length;
    }
    return NULL;
}

const cs_codec cs_jpeg_codec = {"JPEG", NULL, cs_is_jpeg, jpeg_size, jpeg_decode, jpeg_exif};

typedef struct encoding {
    jpeg_guard guard;
    struct jpeg_compress_struct jpeg;
    struct jpeg_destination_mgr to;
    const cs_image *image;
    int quality;
    bool full_chroma;
    uint8_t **bytes;
    size_t *capacity;
} encoding;

static _Noreturn void fail_encoding(j_common_ptr jpeg) {
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    cs_status code = jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? CS_ERR_NO_MEMORY : CS_ERR_SHAPE;
    leave(jpeg, cs_fail(code, "cannot encode %s as JPEG: %s", ((jpeg_guard *)jpeg->client_data)->name, text));
}

/* Grows the stream by `more` bytes after its `used` bytes. */
static void grow_stream(encoding *self, size_t used, size_t more) {
    cs_status status = cs_grow(self->bytes, self->capacity, used + more, 1, "JPEG stream");
    if (status != CS_OK)
        leave((j_common_ptr)&self->jpeg, status);
    self->to.next_output_byte = *self->bytes + used;
    self->to.free_in_buffer = *self->capacity - used;
}

static void begin_stream(j_compress_ptr jpeg) {
    enum { FIRST = 1 << 14 };
    grow_stream(jpeg->client_data, 0, FIRST);
}

static boolean lengthen_stream(j_compress_ptr jpeg) {
    encoding *self = jpeg->client_data;
    grow_stream(self, *self->capacity, 1); /* the capacity doubles */
    return TRUE;
}

static void end_stream(j_compress_ptr jpeg) {
    (void)jpeg;
}

static cs_status encode(void *job) {
    encoding *self = job;
    struct jpeg_compress_struct *jpeg = &self->jpeg;
    jpeg_create_compress(jpeg);
    self->to = (struct jpeg_destination_mgr){
        .init_destination = begin_stream, .empty_output_buffer = lengthen_stream, .term_destination = end_stream};
    jpeg->dest = &self->to;
    jpeg->image_width = (JDIMENSION)self->image->w;
    jpeg->image_height = (JDIMENSION)self->image->h;
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_EXT_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, self->quality, TRUE);
    jpeg->dct_method = JDCT_ISLOW;
    if (self->full_chroma) /* the other components have these factors already */
        jpeg->comp_info[0].h_samp_factor = jpeg->comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = self->image->pixels + (size_t)jpeg->next_scanline * jpeg->image_width * 3;
        (void)jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
    return CS_OK;
}

cs_status cs_encode_jpeg(const cs_image *image, int quality, bool full_chroma, uint8_t **bytes, size_t *capacity,
                         size_t *size) {
    char name[32];
    snprintf(name, sizeof name, "%dx%d", image->w, image->h);
    encoding self = {
        .guard.name = name, .image = image, .quality = quality, .full_chroma = full_chroma, .bytes = bytes};
    self.capacity = capacity;
    self.jpeg.err = jpeg_std_error(&self.guard.errors);
    self.jpeg.client_data = &self;
    self.guard.errors.error_exit = fail_encoding;
    cs_status status = run_guarded(&self.guard, encode, &self);
    jpeg_destroy_compress(&self.jpeg);
    CS_TRY(status);
    *size = *capacity - self.to.free_in_buffer;
    return CS_OK;
}
