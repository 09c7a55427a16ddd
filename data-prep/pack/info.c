/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "cnnsweep/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pack_print_head(const cs_dataset *dataset, FILE *out) {
    char resize[CS_RESIZE_TEXT];
    int h, w;
    cs_dataset_image_size(dataset, &h, &w);
    fprintf(out, "%s: %d classes, %s images", cs_dataset_path(dataset), cs_dataset_class_count(dataset),
            cs_dataset_encoding(dataset) == CS_ENCODING_RAW ? "raw" : "jpeg");
    if (h > 0)
        fprintf(out, " of %dx%d (%s)", w, h, cs_resize_text(cs_dataset_resize(dataset), resize));
    else
        fprintf(out, " of their own sizes");
    if (strcmp(cs_dataset_filter(dataset), "none") != 0)
        fprintf(out, " after filter %s", cs_dataset_filter(dataset));
    if (strcmp(cs_dataset_decode(dataset), "default") != 0)
        fprintf(out, ", decoded with %s", cs_dataset_decode(dataset));
    fprintf(out, ", %d file%s", cs_dataset_shard_count(dataset), cs_dataset_shard_count(dataset) == 1 ? "" : "s");
}

/* `source`: the images that the source had; NULL: not recorded. */
static void print_counts(const char *name, int width, const int64_t counts[CS_SPLIT_COUNT], const int64_t *source) {
    printf("%-*s", width, name);
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        printf(" %9lld", (long long)counts[s]);
    if (source)
        printf(" %9lld", (long long)*source);
    putchar('\n');
}

cs_status pack_count_classes(const cs_dataset *dataset, cs_split_counts **out) {
    const int classes = cs_dataset_class_count(dataset);
    CS_TRY(cs_alloc((size_t)classes, sizeof **out, "class counts", out));
    for (int i = 0; i < classes; i++)
        (*out)[i].name = cs_dataset_class(dataset, i);
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        for (int64_t i = 0; i < cs_dataset_count(dataset, (cs_split)s); i++)
            (*out)[cs_dataset_label(dataset, (cs_split)s, i)].counts[s]++;
    return CS_OK;
}

static cs_status print_table(const cs_dataset *dataset) {
    const int classes = cs_dataset_class_count(dataset);
    int width = 5;
    cs_split_counts *rows = NULL;
    int64_t total[CS_SPLIT_COUNT], source_total = 0;
    const int64_t *source = cs_dataset_source_counts(dataset);
    CS_TRY(pack_count_classes(dataset, &rows));
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        total[s] = cs_dataset_count(dataset, (cs_split)s);
    for (int i = 0; i < classes; i++)
        if ((int)strlen(rows[i].name) > width)
            width = (int)strlen(rows[i].name);
    printf("%-*s %9s %9s %9s%s\n", width, "class", "train", "val", "test", source ? " in source" : "");
    for (int i = 0; i < classes; i++) {
        print_counts(rows[i].name, width, rows[i].counts, source ? &source[i] : NULL);
        source_total += source ? source[i] : 0;
    }
    print_counts("total", width, total, source ? &source_total : NULL);
    free(rows);
    return CS_OK;
}

/* Prints the source's classes that have this label, as many as are easily read. */
static void print_source_names(const cs_source_classes *source, int32_t label) {
    enum { MOST = 20 };
    int n = 0;
    for (int i = 0; i < source->n; i++)
        if (source->labels[i] == label && n++ < MOST)
            printf("%s%s", n == 1 ? "" : ", ", source->names[i]);
    if (n > MOST)
        printf(" and %d more", n - MOST);
}

/* Says what became of the classes of the source, where they are not those of the dataset. */
static void print_source_classes(const cs_dataset *dataset) {
    const cs_source_classes *source = cs_dataset_source_classes(dataset);
    bool left_out = false;
    for (int i = 0; i < source->n; i++) {
        const int32_t label = source->labels[i];
        int first = 0;
        while (source->labels[first] != label)
            first++;
        left_out = left_out || label < 0;
        if (label < 0 || first < i || strcmp(source->names[i], cs_dataset_class(dataset, label)) == 0)
            continue;
        printf("%s: ", cs_dataset_class(dataset, label));
        print_source_names(source, label);
        printf(" of the source\n");
    }
    if (left_out) {
        printf("left out: ");
        print_source_names(source, -1);
        putchar('\n');
    }
}

void pack_print_pixels(const cs_dataset *dataset, FILE *out) {
    double mean[3], std[3];
    cs_dataset_mean_std(dataset, mean, std);
    fprintf(out, "train pixels (0..255): mean %.2f %.2f %.2f, std %.2f %.2f %.2f", mean[0], mean[1], mean[2], std[0],
            std[1], std[2]);
}

static void print_weights(const cs_dataset *dataset) {
    const int64_t n = cs_dataset_count(dataset, CS_SPLIT_TRAIN);
    double sum = 0, least = INFINITY, most = 0;
    for (int64_t i = 0; i < n; i++) {
        const double weight = (double)cs_dataset_weight(dataset, CS_SPLIT_TRAIN, i);
        sum += weight;
        least = fmin(least, weight);
        most = fmax(most, weight);
    }
    if (cs_dataset_has_weights(dataset) && n > 0)
        printf("train weights: mean %.4g, %.4g to %.4g\n", sum / (double)n, least, most);
}

static void print_duplicates(const cs_dataset *dataset) {
    const cs_duplicate_counts found = cs_dataset_duplicates(dataset);
    if (found.sets > 0)
        printf("duplicates: %lld set%s of %lld images, %lld in different splits, %lld of different classes\n",
               (long long)found.sets, found.sets == 1 ? "" : "s", (long long)found.images,
               (long long)found.across_splits, (long long)found.across_classes);
}

static cs_status print_groups(const cs_dataset *dataset) {
    pack_groups groups;
    if (!cs_dataset_has_groups(dataset))
        return CS_OK;
    const cs_status status = pack_list_groups(dataset, &groups);
    if (status == CS_OK)
        printf("groups: %zu of %zu images, %zu with images in more than one split\n", groups.n, groups.images,
               groups.n_crossing);
    pack_groups_clear(&groups);
    return status;
}

static cs_status print_dataset(const cs_dataset *dataset) {
    pack_print_head(dataset, stdout);
    putchar('\n');
    CS_TRY(print_table(dataset));
    print_source_classes(dataset);
    pack_print_pixels(dataset, stdout);
    putchar('\n');
    print_weights(dataset);
    print_duplicates(dataset);
    return print_groups(dataset);
}

cs_status pack_info(const char *path) {
    cs_dataset *dataset = NULL;
    CS_TRY(cs_dataset_open(path, &dataset));
    const cs_status status = print_dataset(dataset);
    cs_dataset_close(dataset);
    return status;
}

cs_status pack_check(const char *path) {
    cs_dataset *dataset = NULL;
    CS_TRY(cs_dataset_open(path, &dataset));
    int64_t images = 0;
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        images += cs_dataset_count(dataset, (cs_split)s);
    printf("%s: whole; %lld images, %d file%s, checksums agree\n", path, (long long)images,
           cs_dataset_shard_count(dataset), cs_dataset_shard_count(dataset) == 1 ? "" : "s");
    cs_dataset_close(dataset);
    return CS_OK;
}
