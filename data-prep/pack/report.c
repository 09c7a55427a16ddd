/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "cnnsweep/file.h"
#include "cnnsweep/html.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXTREMES = 8,  /* images in a section such as the darkest */
    SAMPLES = 300, /* images of all classes and splits together, about */
    SAMPLES_OF_SPLIT = 4,
    GROUPS = 20
};

/* Writes what `print` prints, as a paragraph. */
static cs_status print_paragraph(const pack_page *page, void (*print)(const cs_dataset *dataset, FILE *out)) {
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return cs_fail_errno("a paragraph of the report");
    print(page->dataset, memory);
    fclose(memory);
    fputs("<p>", page->out);
    cs_html_text(page->out, text);
    fputs("</p>\n", page->out);
    free(text);
    return CS_OK;
}

/* Names the classes that a split does not have, though it has others. */
static void print_missing_classes(const pack_page *page, cs_split split) {
    int missing = 0;
    for (int i = 0; i < page->n_classes && cs_dataset_count(page->dataset, split) > 0; i++) {
        if (page->classes[i].counts[split] > 0)
            continue;
        fprintf(page->out, missing++ ? ", " : "<p class=\"warning\">%s has no image of ", cs_split_name(split));
        cs_html_text(page->out, page->classes[i].name);
    }
    if (missing)
        fputs("</p>\n", page->out);
}

static void print_classes(const pack_page *page) {
    pack_begin_section(page->out, "classes", "Classes");
    pack_html_counts(page->out, "class", page->classes, (size_t)page->n_classes);
    for (int s = 0; s < CS_SPLIT_COUNT; s++)
        print_missing_classes(page, (cs_split)s);
    pack_end_section(page->out);
}

/* Says what became of each class of the source, where they are not those of the dataset. */
static void print_source_classes(const pack_page *page) {
    const cs_source_classes *source = cs_dataset_source_classes(page->dataset);
    if (source->n == 0)
        return;
    pack_begin_section(page->out, "source", "Classes of the source");
    fputs("<table>\n<thead><tr><th>class of the source</th><th>class</th></tr></thead>\n<tbody>\n", page->out);
    for (int i = 0; i < source->n; i++) {
        fputs("<tr><th>", page->out);
        cs_html_text(page->out, source->names[i]);
        fputs(source->labels[i] < 0 ? "</th><td><i>left out</i>" : "</th><td>", page->out);
        if (source->labels[i] >= 0)
            cs_html_text(page->out, cs_dataset_class(page->dataset, source->labels[i]));
        fputs("</td></tr>\n", page->out);
    }
    fputs("</tbody>\n</table>\n", page->out);
    pack_end_section(page->out);
}

static void print_crossing(FILE *out, const cs_split_counts *crossing, size_t n) {
    if (n == 0) {
        fputs("<p>No group has images in more than one split.</p>\n", out);
        return;
    }
    fprintf(out, "<p class=\"warning\">Groups with images in more than one split: %zu%s</p>\n", n,
            n > GROUPS ? ", of which the first are" : "");
    pack_html_counts(out, "group", crossing, n > GROUPS ? GROUPS : n);
}

static cs_status print_groups(const pack_page *page) {
    pack_groups groups;
    if (!cs_dataset_has_groups(page->dataset))
        return CS_OK;
    const cs_status status = pack_list_groups(page->dataset, &groups);
    if (status == CS_OK) {
        pack_begin_section(page->out, "groups", "Groups");
        fprintf(page->out, "<p>%zu of %zu images are in %zu groups.</p>\n", groups.images, page->n, groups.n);
        print_crossing(page->out, groups.crossing, groups.n_crossing);
        pack_end_section(page->out);
    }
    pack_groups_clear(&groups);
    return status;
}

static void print_histograms(const pack_page *page) {
    size_t n;
    const pack_histogram *histograms = pack_histograms(&n);
    for (size_t i = 0; i < n; i++) {
        pack_bins bins;
        if (!pack_fill_bins(page->dataset, &histograms[i], page->images, page->n, &bins))
            continue;
        pack_begin_section(page->out, histograms[i].id, histograms[i].title);
        pack_html_counts(page->out, histograms[i].unit, bins.rows, bins.n);
        pack_end_section(page->out);
    }
}

static double darkness(const pack_measured *image) {
    return -image->brightness;
}

static double brightness(const pack_measured *image) {
    return image->brightness;
}

static double blur(const pack_measured *image) {
    return -image->sharpness;
}

static double odd_ratio(const pack_measured *image) {
    return image->odd_ratio > 0 ? image->odd_ratio : NAN;
}

/* To add images that stand out in another way: a row here and its function. */
static const struct extreme {
    const char *id, *title, *note;
    double (*value)(const pack_measured *image); /* those with the greatest are shown; NAN: not this one */
} extremes[] = {
    {"darkest", "The darkest images", "Brightness is the mean of the grey values, from 0 to 255.", darkness},
    {"brightest", "The brightest images", "Brightness is the mean of the grey values, from 0 to 255.", brightness},
    {"blurred", "The least sharp images", "Sharpness is the variance of the Laplacian of the grey values.", blur},
    {"ratios", "Odd ratios of sides", "The ratio of the long to the short side is the farthest from the median.",
     odd_ratio},
};

typedef struct rank {
    double value;
    const pack_measured *image;
} rank;

/* The greatest value first; of equal ones the first image. */
static int descending(const void *a, const void *b) {
    const rank *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return (x->image > y->image) - (x->image < y->image);
}

static cs_status print_ranked(pack_page *page, const struct extreme *extreme, const rank *ranks, size_t n) {
    if (n == 0)
        return CS_OK;
    pack_begin_section(page->out, extreme->id, extreme->title);
    fprintf(page->out, "<p>%s</p>\n<div>\n", extreme->note);
    for (size_t i = 0; i < n && i < EXTREMES; i++)
        CS_TRY(pack_print_figure(page, ranks[i].image));
    fputs("</div>\n", page->out);
    pack_end_section(page->out);
    return CS_OK;
}

static cs_status print_extreme(pack_page *page, const struct extreme *extreme) {
    rank *ranks = NULL;
    size_t n = 0;
    CS_TRY(cs_alloc(page->n, sizeof *ranks, "ranks of images", &ranks));
    for (size_t i = 0; i < page->n; i++) {
        ranks[n] = (rank){extreme->value(&page->images[i]), &page->images[i]};
        n += !isnan(ranks[n].value);
    }
    qsort(ranks, n, sizeof *ranks, descending);
    const cs_status status = print_ranked(page, extreme, ranks, n);
    free(ranks);
    return status;
}

/* Of the n images of a class in a split those with the numbers floor(j * n / most) are shown, for j below `most`, and
 * so all of them if there are no more. */
static cs_status print_samples_of_class(pack_page *page, int label, int64_t most) {
    int64_t seen[CS_SPLIT_COUNT] = {0};
    fputs("<h3>", page->out);
    cs_html_text(page->out, page->classes[label].name);
    fputs("</h3>\n<div>\n", page->out);
    for (size_t i = 0; i < page->n; i++) {
        const pack_measured *image = &page->images[i];
        if (image->label != label)
            continue;
        const int64_t n = page->classes[label].counts[image->split], number = seen[image->split]++;
        const int64_t j = (number * most + n - 1) / n; /* the least whose number is not below this one */
        if (j < most && j * n / most == number)
            CS_TRY(pack_print_figure(page, image));
    }
    fputs("</div>\n", page->out);
    return CS_OK;
}

static cs_status print_samples(pack_page *page) {
    const int most_classes = SAMPLES / CS_SPLIT_COUNT;
    const int shown = page->n_classes < most_classes ? page->n_classes : most_classes;
    const int most = most_classes / shown < SAMPLES_OF_SPLIT ? most_classes / shown : SAMPLES_OF_SPLIT;
    pack_begin_section(page->out, "samples", "Samples");
    if (shown < page->n_classes)
        fprintf(page->out, "<p>Of the first %d of %d classes.</p>\n", shown, page->n_classes);
    for (int label = 0; label < shown; label++)
        CS_TRY(print_samples_of_class(page, label, most));
    pack_end_section(page->out);
    return CS_OK;
}

static cs_status print_page(pack_page *page, const volatile sig_atomic_t *stop) {
    pack_html_begin(page->out, cs_dataset_path(page->dataset));
    CS_TRY(print_paragraph(page, pack_print_head));
    CS_TRY(print_paragraph(page, pack_print_pixels));
    print_classes(page);
    CS_TRY(pack_print_balance(page));
    print_source_classes(page);
    CS_TRY(print_groups(page));
    CS_TRY(pack_print_duplicates(page, stop));
    print_histograms(page);
    for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++)
        CS_TRY(print_extreme(page, &extremes[i]));
    CS_TRY(print_samples(page));
    pack_html_end(page->out);
    return CS_OK;
}

static cs_status make_page(pack_page *page, int threads, const volatile sig_atomic_t *stop) {
    CS_TRY(cs_decoder_open(&page->decoder));
    CS_TRY(pack_measure(page->dataset, threads, stop, &page->images, &page->n));
    page->n_classes = cs_dataset_class_count(page->dataset);
    CS_TRY(pack_count_classes(page->dataset, &page->classes));
    return print_page(page, stop);
}

static cs_status write_page(const cs_dataset *dataset, const pack_options *options, const volatile sig_atomic_t *stop) {
    cs_atomic_file *file = NULL;
    CS_TRY(cs_atomic_open(options->report, &file));
    pack_page page = {.dataset = dataset, .out = cs_atomic_stream(file)};
    cs_status status = make_page(&page, options->threads, stop);
    cs_decoder_close(page.decoder);
    cs_image_clear(&page.decoded);
    cs_image_clear(&page.small);
    free(page.images);
    free(page.classes);
    if (status == CS_OK)
        return cs_atomic_commit(&file);
    cs_atomic_abort(&file);
    return status;
}

cs_status pack_report(const pack_options *options, const volatile sig_atomic_t *stop) {
    cs_dataset *dataset = NULL;
    CS_TRY(cs_dataset_open(options->out, &dataset));
    const cs_status status = write_page(dataset, options, stop);
    cs_dataset_close(dataset);
    return status;
}
