/* SPDX-License-Identifier: Apache-2.0 */
/* A source for test_pack_source.py: a text file, x.gray, with a line "SPLIT CLASS LEVEL" for each sample, which becomes
 * an image of 8x6 pixels of that gray level. Its classes are in the order of their names. */
#include "source.h"

#include <string.h>

static bool is_gray(const char *path) {
    const char *ending = strrchr(path, '.');
    return ending && strcmp(ending, ".gray") == 0 && cs_file_exists(path);
}

static cs_status add_line(pack_list *list, const char *path, const char *line) {
    char split[16], class[16], id[64];
    unsigned level;
    if (sscanf(line, "%15s %15s %u", split, class, &level) != 3)
        return cs_fail(CS_ERR_FORMAT, "%s: not a line of it: %s", path, line);
    snprintf(id, sizeof id, "line %zu", list->n + 1);
    if (pack_list_find_class(list, class) < 0)
        CS_TRY(pack_list_add_class(list, class));
    const pack_sample sample = {.id = id,
                                .label = pack_list_find_class(list, class),
                                .source_split = pack_split_by_name(split),
                                .at = level,
                                .stamp = level};
    list->split[sample.source_split] = true;
    return pack_list_add(list, &sample);
}

static cs_status scan(pack_input *input, pack_list *list) {
    const char *path = input->path;
    char line[128];
    FILE *file = fopen(path, "r");
    if (!file)
        return cs_fail_errno("%s: cannot open", path);
    cs_status status = CS_OK;
    while (status == CS_OK && fgets(line, sizeof line, file))
        status = add_line(list, path, line);
    fclose(file);
    return status;
}

static cs_status read_sample(const pack_input *input, const pack_sample *sample, pack_content *out) {
    CS_TRY(cs_path(out->name, sizeof out->name, "%s: %s", input->path, sample->id));
    if (sample->at > 255)
        return cs_fail(CS_ERR_FORMAT, "%s: %llu is no gray level", out->name, (unsigned long long)sample->at);
    CS_TRY(cs_image_reserve(&out->pixels, 6, 8));
    memset(out->pixels.pixels, (int)sample->at, 6 * 8 * 3);
    out->is_pixels = true;
    return CS_OK;
}

extern const pack_source pack_gray_source;
const pack_source pack_gray_source = {
    .name = "gray list",
    .help = "is a list of\ngray levels",
    .unit = "line",
    .hint = "SPLIT CLASS LEVEL",
    .recognises = is_gray,
    .scan = scan,
    .read = read_sample,
};
