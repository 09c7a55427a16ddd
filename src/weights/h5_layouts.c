/* SPDX-License-Identifier: Apache-2.0 */
/* Weights in HDF5: finds which of Keras' layouts a file has. */
#include "h5_layout.h"
#include "walk.h"

/* The first layout that recognises a file is used. */
extern const cs_h5_layout cs_legacy_layout, cs_keras3_layout;
static const cs_h5_layout *const layouts[] = {&cs_legacy_layout, &cs_keras3_layout};

static const cs_h5_layout *find_layout(hid_t root) {
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (layouts[i]->recognises(root))
            return layouts[i];
    return NULL;
}

static cs_status walk_root(hid_t root, const char *path, const cs_visitor *visitor) {
    const cs_h5_layout *layout = find_layout(root);
    char preprocess[CS_RECORD_TEXT];
    if (!layout)
        return cs_hint(cs_fail(CS_ERR_FORMAT, "%s: has neither the attribute layer_names nor the group layers", path),
                       "weights are what Keras' save_weights writes");
    CS_TRY(cs_h5_text(root, path, cs_preprocess_key, preprocess, sizeof preprocess));
    CS_TRY(visitor->file(visitor->context, layout->name, preprocess));
    return layout->walk(root, path, visitor);
}

static cs_status walk_hdf5(const char *path, const cs_visitor *visitor) {
    cs_h5_file file;
    cs_status status = cs_h5_open(path, &file);
    if (status == CS_OK)
        status = walk_root(file.root, path, visitor);
    cs_h5_close(&file);
    return status;
}

const cs_format cs_hdf5_format = {"\211HDF\r\n\032\n", 8, 0, true, walk_hdf5};
