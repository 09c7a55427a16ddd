/* Which kind of file is it? */
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

cs_status cs_weights_walk(const char *path, const cs_visitor *visitor) {
    char start[16] = "";
    FILE *file = fopen(path, "rb");
    if (!file)
        return cs_fail_errno("weights: %s", path);
    size_t n = fread(start, 1, sizeof start, file);
    fclose(file);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const struct format *f = &formats[i];
        if (n >= f->at + f->n && memcmp(start + f->at, f->bytes, f->n) == 0)
            return f->walk(path, visitor);
    }
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: neither an HDF5 nor a safetensors file, or cut short", path),
                   "weights are Keras' .h5 and .weights.h5, or .safetensors");
}
