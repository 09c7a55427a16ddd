/* Which kind of file is it? */
#include "isolated.h"
#include "tensor.h"

#include <string.h>

static cs_status refuse_zip(const char *path, const cs_visitor *visitor) {
    (void)visitor;
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: a zip archive, such as .keras or torch's .pth", path),
                   "save Keras models with save_weights(\"x.weights.h5\"), torch's with safetensors.torch.save_file");
}

static const struct format {
    const char *bytes;
    size_t n, at;
    cs_status (*walk)(const char *path, const cs_visitor *visitor);
} formats[] = {
    {"\211HDF\r\n\032\n", 8, 0, cs_walk_hdf5},
    {"PK\003\004", 4, 0, refuse_zip},
    {"{", 1, 8, cs_walk_safetensors}, /* behind the header's length */
};

/* NULL with CS_OK: none of them. */
static cs_status find_format(const char *path, const struct format **out) {
    char start[16] = "";
    FILE *file = fopen(path, "rb");
    *out = NULL;
    if (!file)
        return cs_fail_errno("weights: %s", path);
    size_t n = fread(start, 1, sizeof start, file);
    fclose(file);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0] && !*out; i++)
        if (n >= formats[i].at + formats[i].n && memcmp(start + formats[i].at, formats[i].bytes, formats[i].n) == 0)
            *out = &formats[i];
    return CS_OK;
}

cs_status cs_weights_walk(const char *path, const cs_visitor *visitor) {
    const struct format *format;
    CS_TRY(find_format(path, &format));
    if (format)
        return format->walk(path, visitor);
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: neither an HDF5 nor a safetensors file, or cut short", path),
                   "weights are Keras' .h5 and .weights.h5, or .safetensors");
}

/* Our own parser of safetensors is safe on any bytes; HDF5 is not. */
cs_status cs_weights_run(const char *path, cs_status (*work)(void *context, FILE *text), void *context, char **text) {
    const struct format *format;
    CS_TRY(find_format(path, &format));
    if (format && format->walk == cs_walk_hdf5)
        return cs_isolated(path, cs_limits_of(path), work, context, text);
    return cs_not_isolated(work, context, text);
}
