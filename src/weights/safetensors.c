/* SPDX-License-Identifier: Apache-2.0 */
#include "safetensors.h"
#include "walk.h"

#include "cnnsweep/memory.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The element types of the format. */
static const struct dtype {
    const char *name;
    cs_tensor_type type;
    unsigned size;
} dtypes[] = {
    {"F32", CS_TENSOR_FLOAT, 4},     {"F16", CS_TENSOR_FLOAT, 2},     {"BF16", CS_TENSOR_FLOAT, 2},
    {"F64", CS_TENSOR_FLOAT, 8},     {"I64", CS_TENSOR_INTEGER, 8},   {"I32", CS_TENSOR_INTEGER, 4},
    {"I16", CS_TENSOR_INTEGER, 2},   {"I8", CS_TENSOR_INTEGER, 1},    {"U64", CS_TENSOR_INTEGER, 8},
    {"U32", CS_TENSOR_INTEGER, 4},   {"U16", CS_TENSOR_INTEGER, 2},   {"U8", CS_TENSOR_INTEGER, 1},
    {"BOOL", CS_TENSOR_OTHER, 1},    {"F8_E4M3", CS_TENSOR_OTHER, 1}, {"F8_E5M2", CS_TENSOR_OTHER, 1},
    {"F8_E8M0", CS_TENSOR_OTHER, 1},
};

/* An open file. The offsets begin and end of an entry count from `data`, the end of the header. */
typedef struct safetensors {
    const char *path;
    FILE *stream;
    uint64_t data, size; /* offset and size in bytes of the values */
} safetensors;

typedef struct entry {
    const char *name;
    const struct dtype *dtype;
    int rank;
    uint64_t dims[CS_TENSOR_MAX_RANK];
    uint64_t count, begin, end;
    const safetensors *file;
} entry;

static uint64_t little_endian(const unsigned char *bytes, unsigned n) {
    uint64_t value = 0;
    for (unsigned i = n; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Converts from IEEE 754 binary16. */
static float from_half(uint32_t half) {
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 31)
        return from_bits(sign | 0x7f800000 | fraction << 13);
    if (exponent == 0) { /* subnormal: a multiple of 2^-24 */
        float value = (float)fraction / (1 << 24);
        return sign ? -value : value;
    }
    return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

static float to_float(const struct dtype *dtype, const unsigned char *bytes) {
    uint64_t bits = little_endian(bytes, dtype->size);
    double wide;
    if (dtype->type == CS_TENSOR_INTEGER) { /* the sign is ignored: integers are read only as counts */
        return (float)bits;
    }
    if (dtype->size == 8) {
        memcpy(&wide, &bits, sizeof wide);
        return (float)wide;
    }
    if (dtype->size == 4)
        return from_bits((uint32_t)bits);
    return dtype->name[0] == 'B' ? from_bits((uint32_t)bits << 16) : from_half((uint32_t)bits);
}

static cs_status read_values(const cs_tensor *tensor, float *out) {
    const entry *e = tensor->source;
    const safetensors *file = e->file;
    enum { BLOCK = 4096 }; /* values */
    unsigned char bytes[BLOCK * sizeof(double)];
    if (fseeko(file->stream, (off_t)(file->data + e->begin), SEEK_SET) != 0)
        return cs_fail_errno("%s: %s", file->path, tensor->path);
    for (uint64_t done = 0; done < e->count;) {
        size_t n = e->count - done < BLOCK ? (size_t)(e->count - done) : BLOCK;
        if (fread(bytes, e->dtype->size, n, file->stream) != n)
            return cs_fail(CS_ERR_IO, "%s: the values of %s cannot be read", file->path, tensor->path);
        for (size_t i = 0; i < n; i++)
            out[done + i] = to_float(e->dtype, bytes + i * e->dtype->size);
        done += n;
    }
    return CS_OK;
}

static cs_status fail_entry(const entry *e, const char *what) {
    char name[CS_TENSOR_NAME_MAX];
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: tensor %s: %s", e->file->path, cs_printable(e->name, name), what),
                   "the file is damaged, or not written by a safetensors library");
}

static bool read_offset(const json_t *value, uint64_t *out) {
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static cs_status parse_shape(const json_t *shape, entry *e) {
    if (!json_is_array(shape) || json_array_size(shape) > CS_TENSOR_MAX_RANK)
        return fail_entry(e, "shape is no list of at most 32 sizes");
    e->rank = (int)json_array_size(shape);
    e->count = 1;
    for (int i = 0; i < e->rank; i++) {
        if (!read_offset(json_array_get(shape, (size_t)i), &e->dims[i]))
            return fail_entry(e, "a size in shape is no whole number from 0");
        if (e->dims[i] != 0 && e->count > UINT64_MAX / sizeof(double) / e->dims[i])
            return fail_entry(e, "shape overflows");
        e->count *= e->dims[i];
    }
    return CS_OK;
}

static cs_status parse_entry(const char *name, const json_t *value, const safetensors *file, entry *e) {
    const json_t *offsets = json_object_get(value, "data_offsets");
    const char *dtype = json_string_value(json_object_get(value, "dtype"));
    char text[CS_TENSOR_NAME_MAX];
    *e = (entry){.name = name, .file = file};
    if (!json_is_object(value) || !dtype)
        return fail_entry(e, "has no dtype");
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (strcmp(dtypes[i].name, dtype) == 0)
            e->dtype = &dtypes[i];
    if (!e->dtype)
        return cs_fail(CS_ERR_FORMAT, "%s: tensor %.200s: dtype %.40s is not one of safetensors", file->path,
                       cs_printable(name, text), dtype);
    CS_TRY(parse_shape(json_object_get(value, "shape"), e));
    if (json_array_size(offsets) != 2 || !read_offset(json_array_get(offsets, 0), &e->begin) ||
        !read_offset(json_array_get(offsets, 1), &e->end))
        return fail_entry(e, "data_offsets is no pair of whole numbers");
    if (e->begin > e->end || e->end > file->size)
        return fail_entry(e, "data_offsets lie outside of the file");
    if (e->end - e->begin != e->count * e->dtype->size)
        return fail_entry(e, "data_offsets do not fit dtype and shape");
    return CS_OK;
}

static int by_begin(const void *left, const void *right) {
    const entry *a = left, *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return a->end < b->end ? -1 : a->end > b->end;
}

static cs_status check_cover(const safetensors *file, entry *entries, size_t n) {
    uint64_t at = 0;
    qsort(entries, n, sizeof *entries, by_begin);
    for (size_t i = 0; i < n; i++) {
        if (entries[i].begin != at)
            return fail_entry(&entries[i], entries[i].begin < at ? "overlaps another one"
                                                                 : "the bytes before it belong to no tensor");
        at = entries[i].end;
    }
    if (at != file->size)
        return cs_fail(CS_ERR_FORMAT, "%s: %llu bytes behind the last tensor belong to none", file->path,
                       (unsigned long long)(file->size - at));
    return CS_OK;
}

static cs_status show_entries(const entry *entries, size_t n, const cs_visitor *visitor) {
    for (size_t i = 0; i < n; i++) {
        char path[CS_TENSOR_NAME_MAX];
        cs_tensor tensor = {.naming = CS_NAMING_FLAT,
                            .layer = "",
                            .place = "",
                            .weight = entries[i].name,
                            .path = cs_printable(entries[i].name, path),
                            .type = entries[i].dtype->type,
                            .rank = entries[i].rank,
                            .read = read_values,
                            .source = &entries[i]};
        snprintf(tensor.type_name, sizeof tensor.type_name, "%s", entries[i].dtype->name);
        memcpy(tensor.dims, entries[i].dims, sizeof tensor.dims);
        CS_TRY(visitor->tensor(visitor->context, &tensor));
    }
    return CS_OK;
}

static cs_status walk_header(const safetensors *file, json_t *header, const cs_visitor *visitor) {
    const json_t *metadata = json_object_get(header, CS_SAFETENSORS_METADATA);
    const char *preprocess = json_string_value(json_object_get(metadata, cs_preprocess_key));
    const char *name;
    json_t *value;
    entry *entries;
    size_t n = 0;
    cs_status status = CS_OK;
    CS_TRY(cs_alloc(json_object_size(header), sizeof *entries, "tensors", &entries));
    json_object_foreach(header, name, value) {
        if (value != metadata)
            CS_TRY_GOTO(parse_entry(name, value, file, &entries[n++]), done);
    }
    CS_TRY_GOTO(check_cover(file, entries, n), done);
    CS_TRY_GOTO(visitor->file(visitor->context, "safetensors", preprocess ? preprocess : ""), done);
    CS_TRY_GOTO(show_entries(entries, n, visitor), done);
done:
    free(entries);
    return status;
}

static cs_status parse_header(const safetensors *file, const char *text, size_t size, json_t **out) {
    json_error_t error;
    json_t *header = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!header)
        return cs_fail(CS_ERR_FORMAT, "%s: the header is no JSON: %s, at its byte %d", file->path, error.text,
                       error.position);
    if (!json_is_object(header)) {
        json_decref(header);
        return cs_fail(CS_ERR_FORMAT, "%s: the header is no JSON object", file->path);
    }
    *out = header;
    return CS_OK;
}

/* Reads the header's text, malloc'ed, and sets where the values are. */
static cs_status read_header(safetensors *file, char **text, size_t *size) {
    unsigned char prefix[CS_SAFETENSORS_PREFIX];
    struct stat info;
    if (fstat(fileno(file->stream), &info) != 0)
        return cs_fail_errno("%s", file->path);
    if (fread(prefix, 1, sizeof prefix, file->stream) != sizeof prefix)
        return cs_fail(CS_ERR_FORMAT, "%s: shorter than the length of a header", file->path);
    uint64_t length = little_endian(prefix, sizeof prefix), left = (uint64_t)info.st_size - sizeof prefix;
    if (length > left || length > CS_SAFETENSORS_HEADER_MAX)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: a header of %llu bytes, of %llu that are left", file->path,
                               (unsigned long long)length, (unsigned long long)left),
                       "%s", cs_damaged_hint);
    CS_TRY(cs_alloc((size_t)length + 1, 1, "header", text));
    *size = (size_t)length;
    file->data = sizeof prefix + length;
    file->size = left - length;
    return fread(*text, 1, *size, file->stream) == *size ? CS_OK
                                                         : cs_fail(CS_ERR_IO, "%s: cannot read the header", file->path);
}

static cs_status walk_safetensors(const char *path, const cs_visitor *visitor) {
    safetensors file = {.path = path, .stream = fopen(path, "rb")};
    json_t *header = NULL;
    char *text = NULL;
    size_t size = 0;
    if (!file.stream)
        return cs_fail_errno("%s", path);
    cs_status status = read_header(&file, &text, &size);
    if (status == CS_OK)
        status = parse_header(&file, text, size, &header);
    if (status == CS_OK)
        status = walk_header(&file, header, visitor);
    json_decref(header);
    free(text);
    fclose(file.stream);
    return status;
}

/* The header begins after its length. */
const cs_format cs_safetensors_format = {"{", 1, CS_SAFETENSORS_PREFIX, false, walk_safetensors};
