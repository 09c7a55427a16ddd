/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the format of a weights file and walks the file. */
#include "walk.h"

#include "isolated.h"

#include "cnnsweep/file.h"

#include <errno.h>
#include <string.h>

static cs_status refuse_zip(const char *path, const cs_visitor *visitor) {
    (void)visitor;
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: a zip archive, such as .keras or torch's .pth", path),
                   "save Keras models with save_weights(\"x.weights.h5\"), torch's with safetensors.torch.save_file");
}

static const cs_format zip_format = {"PK\003\004", 4, 0, false, refuse_zip};

extern const cs_format cs_hdf5_format, cs_safetensors_format;
static const cs_format *const formats[] = {&cs_hdf5_format, &zip_format, &cs_safetensors_format};

static cs_status fail_open(const char *path) {
    if (errno == ENOENT)
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "weights: there is no file %s", path),
                       "a relative path starts in the folder where the program was started");
    return cs_fail_errno("weights: %s", path);
}

/* Finds the format of the file; NULL with CS_OK if it has none of them. */
static cs_status find_format(const char *path, const cs_format **out) {
    char start[16] = "";
    FILE *file = fopen(path, "rb");
    *out = NULL;
    if (!file)
        return fail_open(path);
    size_t n = fread(start, 1, sizeof start, file);
    fclose(file);
    for (size_t i = 0; i < sizeof formats / sizeof *formats && !*out; i++) {
        const cs_format *f = formats[i];
        if (n >= f->at + f->n_bytes && memcmp(start + f->at, f->bytes, f->n_bytes) == 0)
            *out = f;
    }
    return CS_OK;
}

cs_status cs_weights_walk(const char *path, const cs_visitor *visitor) {
    const cs_format *format;
    CS_TRY(find_format(path, &format));
    if (format)
        return format->walk(path, visitor);
    CS_TRY(cs_refuse_stand_in_file(path));
    return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: neither an HDF5 nor a safetensors file, or cut short", path),
                   "weights are Keras' .h5 and .weights.h5, or .safetensors");
}

cs_status cs_weights_run(const char *path, cs_status (*work)(void *context, FILE *text), void *context, char **text) {
    const cs_format *format;
    CS_TRY(find_format(path, &format));
    if (format && format->isolated)
        return cs_isolated(path, cs_limits_of(path), work, context, text);
    return cs_not_isolated(work, context, text);
}
