/* SPDX-License-Identifier: Apache-2.0 */
#include "append.h"
#include "choices.h"
#include "report.h"
#include "split_rules.h"

#include "cnnsweep/args.h"
#include "cnnsweep/image.h"
#include "cnnsweep/log.h"
#include "cnnsweep/resources.h"
#include "cnnsweep/version.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, HELP_INDENT = 38, PART_SHARD = 256 << 20, ARGS_MAX = 64 };

static volatile sig_atomic_t stop_asked;

static void ask_to_stop(int signal_number) {
    (void)signal_number;
    stop_asked = 1;
}

static void catch_signals(void) {
    struct sigaction action = {.sa_handler = ask_to_stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static cs_status parse_encoding(const char *text, void *target) {
    if (strcmp(text, "raw") != 0 && strcmp(text, "jpeg") != 0)
        return cs_fail(CS_ERR_ARG, "\"%s\" is neither raw nor jpeg", text);
    *(cs_encoding *)target = strcmp(text, "jpeg") == 0 ? CS_ENCODING_JPEG : CS_ENCODING_RAW;
    return CS_OK;
}

/* Parses a number of bytes with an optional K, M or G (powers of 1024). */
static cs_status parse_bytes(const char *text, void *target) {
    static const char units[] = "KMG";
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (unit) {
        value = ldexp(value, 10 * (int)(unit - units + 1));
        end++;
    }
    if (end == text || *end || errno || !(value >= 1 && value < 9e18))
        return cs_hint(cs_fail(CS_ERR_ARG, "\"%s\" is not a size in bytes", text), "such as 256M or 2G");
    *(int64_t *)target = (int64_t)value;
    return CS_OK;
}

/* Adds filters to those that were given before. */
static cs_status parse_filter(const char *text, void *target) {
    cs_filter_chain *chain = target;
    char all[2 * CS_FILTER_TEXT];
    if (chain->n == 0)
        return cs_filter_parse(text, chain);
    CS_TRY(cs_path(all, sizeof all, "%s,%s", cs_filter_text(chain), text));
    return cs_filter_parse(all, chain);
}

static cs_status parse_fraction(const char *text, void *target) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value > 0 && value < 1))
        return cs_fail(CS_ERR_ARG, "\"%s\" is not a fraction between 0 and 1", text);
    *(double *)target = value;
    return CS_OK;
}

static cs_status parse_split(const char *text, void *target) {
    pack_options *options = target;
    double sum = 0;
    const char *at = text;
    bool good = true;
    for (int s = 0; s < CS_SPLIT_COUNT && good; s++) {
        char *end;
        double value = strtod(at, &end);
        good = end != at && value >= 0 && value <= 1 && *end == (s + 1 < CS_SPLIT_COUNT ? ',' : '\0');
        options->split[s] = value;
        sum += value;
        at = end + 1;
    }
    if (!good || fabs(sum - 1) > 1e-6 || options->split[CS_SPLIT_TRAIN] == 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "\"%s\" is not three fractions that sum to 1", text),
                       "train,val,test, such as 0.8,0.1,0.1");
    options->has_split = true;
    return CS_OK;
}

static cs_status parse_part(const char *text, void *target) {
    cs_dataset_part *part = target;
    int numbers[2];
    CS_TRY(cs_arg_part(text, numbers));
    part->index = numbers[0];
    part->count = numbers[1];
    return CS_OK;
}

typedef struct commands {
    int argc;
    char **argv;
    bool check, info, join, help, version;
} commands;

static void print_help(const cs_arg *args, size_t n) {
    char formats[256];
    cs_image_formats(true, formats, sizeof formats);
    fputs("cnnsweep-pack: packs images into a dataset for cnnsweep\n\n"
          "  cnnsweep-pack [options] SRC OUT     ",
          stdout);
    pack_sources_help(stdout, HELP_INDENT);
    puts("; OUT is the dataset to make\n"
         "  cnnsweep-pack --part I/N SRC OUT    part I of N (0 to N-1), for N processes that share the work, then\n"
         "  cnnsweep-pack --join OUT            makes OUT of its parts\n"
         "  cnnsweep-pack --append SRC OUT      adds the images of SRC to the dataset OUT\n"
         "  cnnsweep-pack --info OUT            prints what is in a dataset\n"
         "  cnnsweep-pack --check OUT           checks that a dataset is complete\n");
    printf("%s are read. Options:\n", formats);
    cs_args_help(stdout, args, n);
    puts("\nExit status: 0 done, 1 failed (no incomplete file is left behind), 2 wrong call.");
}

static cs_status copy_out_path(const char *text, char out[CS_PATH_MAX]) {
    CS_TRY(cs_path(out, CS_PATH_MAX, "%s", text));
    for (size_t n = strlen(out); n > 1 && out[n - 1] == '/'; n--)
        out[n - 1] = '\0';
    return CS_OK;
}

/* Adds the rows of the options that say which images are packed, with which classes. Returns how many. */
static size_t add_source_args(pack_options *options, cs_arg *out) {
    const char **texts = options->input.options;
    const cs_arg rows[] = {
        {"--weights", "CSV", "weights of the images in training: a line for each, with a header", cs_arg_text,
         &texts[PACK_WEIGHTS]},
        {"--root", "DIR", "the folder of the images of a table (default: where it is), or a folder in an archive",
         cs_arg_text, &texts[PACK_ROOT]},
        {"--file-column", "NAME", "the column of paths of a table (default path, file, file_name, filename or image)",
         cs_arg_text, &texts[PACK_FILE_COLUMN]},
        {"--label-column", "NAME", "its column of classes (default label or class)", cs_arg_text,
         &texts[PACK_LABEL_COLUMN]},
        {"--split-column", "NAME", "its column of train, val, test (default split)", cs_arg_text,
         &texts[PACK_SPLIT_COLUMN]},
        {"--group-column", "NAME", "its column of groups, such as patients (default group)", cs_arg_text,
         &texts[PACK_GROUP_COLUMN]},
        {"--group-regex", "PATTERN",
         "the group of an image is what the part in ( ) matches in its path, such as person([0-9]+)_", cs_arg_text,
         &options->group_regex},
        {"--weight-column", "NAME", "its column of weights (default weight)", cs_arg_text, &texts[PACK_WEIGHT_COLUMN]},
        {"--labels", "KIND", "fine (default) or coarse: which labels of CIFAR-100", cs_arg_text, &texts[PACK_LABELS]},
        {"--map", "RULES", "group classes: 0=healthy,1-4=sick, or a table with columns from and to", cs_arg_text,
         &options->map},
        {"--classes", "NAMES", "pack only these classes, in this order, such as cat,dog", cs_arg_text,
         &options->keep_ordered},
        {"--only", "NAMES", "pack only these classes, in the order that they have", cs_arg_text, &options->keep},
        {"--duplicates", "HOW",
         "equal and nearly equal images: warn (default), drop all but one, group (keep them in one split) or fail",
         pack_parse_duplicates, &options->duplicates},
        {"--duplicates-list", "FILE", "write the duplicates into this CSV file", cs_arg_text,
         &options->duplicates_list},
    };
    memcpy(out, rows, sizeof rows);
    return sizeof rows / sizeof *rows;
}

/* Adds the rows of the options that say what becomes of the pixels. Returns how many. */
static size_t add_image_args(pack_options *options, cs_arg *out) {
    const cs_arg rows[] = {
        {"--size", "WxH", "resize to this width and height (default: keep)", cs_arg_size, options->size},
        {"--resize", "RULE", "bilinear (default), nearest (Keras' default), bicubic, lanczos, box (area) or hamming",
         pack_parse_resize, &options->resize.interpolation},
        {"--fit", "HOW", "for another ratio of sides: stretch (default), crop, pad or keep_aspect_ratio (Keras')",
         pack_parse_aspect, &options->resize.aspect},
        {"--depth16", "HOW", "make 8 bits of 16: high-byte (default), clip or scale (the image's range)",
         pack_parse_depth16, &options->decode.depth16},
        {"--alpha", "HOW", "drop (default: keep the colours) or R,G,B: blend over this colour", pack_parse_alpha,
         &options->decode},
        {"--exif", "HOW", "orientation of photographs: ignore (default, as Keras and torchvision) or apply",
         pack_parse_exif, &options->decode.exif},
        {"--max-pixels", "N", "refuse images of more pixels (default 250000000)", cs_arg_int64,
         &options->decode.max_pixels},
        {"--filter", "CHAIN", "filters to apply before resizing, such as median,clahe:clip_limit=3 (repeatable)",
         parse_filter, &options->filter},
    };
    memcpy(out, rows, sizeof rows);
    return sizeof rows / sizeof *rows;
}

/* Adds the rows of the options that say how many images there are, in which splits. Returns how many. */
static size_t add_split_args(pack_options *options, cs_arg *out) {
    const cs_arg rows[] = {
        {"--balance", "HOW",
         "make up for classes of different sizes: under (take as many images as the smallest has), over (repeat\n"
         "images in train up to the largest), weights (of images, as scikit-learn's \"balanced\") or none (default)",
         pack_parse_balance, &options->balance},
        {"--per-class", "N", "take at most so many images of each class in train", cs_arg_int64, &options->per_class},
        {"--total", "N", "take so many images in train, the same fraction of each class", cs_arg_int64,
         &options->total},
        {"--split", "A,B,C", "fractions of train,val,test (default 0.8,0.1,0.1) of unsplit classes", parse_split,
         options},
        {"--split-rule", "RULE",
         "stratified (default), grouped (default if there are groups), train_test_split (scikit-learn's counts),\n"
         "validation_split or generator (Keras')",
         pack_parse_split_rule, &options->rule},
        {"--val", "FRACTION", "carve this much of train out for validation", parse_fraction, &options->val},
        {"--seed", "N", "seed of what is drawn (default 0)", cs_arg_int64, &options->seed},
    };
    memcpy(out, rows, sizeof rows);
    return sizeof rows / sizeof *rows;
}

/* Adds the rows of the options about the dataset that is made, and of the commands. Returns how many. */
static size_t add_dataset_args(pack_options *options, commands *wanted, cs_arg *out) {
    const cs_arg rows[] = {
        {"--encoding", "WHAT", "raw pixels (default) or jpeg", parse_encoding, &options->encoding},
        {"--shard-size", "BYTES", "make OUT a folder of files of this size, such as 256M", parse_bytes,
         &options->shard_bytes},
        {"--threads", "N", "decoding threads (default: one for each core that the process may use)", cs_arg_positive,
         &options->threads},
        {"--skip-bad", NULL, "leave out images that cannot be read instead of failing; the others are split",
         cs_arg_bool, &options->skip_bad},
        {"--force", NULL, "replace OUT if it exists, when the new dataset is complete", cs_arg_bool, &options->force},
        {"--append", NULL, "add the images to the dataset OUT, packed as its own images are", cs_arg_bool,
         &options->append},
        {"--bad-list", "FILE", "write the paths of all images that cannot be read into this file", cs_arg_text,
         &options->bad_list},
        {"--part", "I/N", "pack this part of the images, as a part of a folder of shards (of 256M by default)",
         parse_part, &options->part},
        {"--join", NULL, "make OUT of its parts", cs_arg_bool, &wanted->join},
        {"--check", NULL, "verify a packed dataset", cs_arg_bool, &wanted->check},
        {"--info", NULL, "print classes and counts of a packed dataset", cs_arg_bool, &wanted->info},
        {"--report", "FILE",
         "write a page about the dataset for browsers: classes, brightness, samples (also with --info or --join)",
         cs_arg_text, &options->report},
        {"--plots", NULL, "print bar charts of classes, brightness and sizes (also with --info or --join)", cs_arg_bool,
         &options->plots},
        {"--help", NULL, "print this", cs_arg_bool, &wanted->help},
        {"--version", NULL, "print the version", cs_arg_bool, &wanted->version},
    };
    memcpy(out, rows, sizeof rows);
    return sizeof rows / sizeof *rows;
}

/* Refuses options that do not go together. */
static cs_status check_options(const pack_options *options, const commands *wanted, bool one_path) {
    if (options->force && (one_path || options->part.count || options->append))
        return cs_fail(CS_ERR_ARG, "--force: parts and what is in a dataset replace nothing");
    if (options->append && (one_path || options->part.count))
        return cs_fail(CS_ERR_ARG, "--append: give SRC and the dataset, without %s",
                       options->part.count ? "--part" : "--check, --info or --join");
    if ((options->report || options->plots) && (wanted->check || options->part.count))
        return cs_fail(CS_ERR_ARG, "%s is for whole datasets: pack without --part, or --info or --join",
                       options->report ? "--report" : "--plots");
    if (options->part.count && (options->duplicates != PACK_DUPLICATES_WARN || options->duplicates_list))
        return cs_hint(cs_fail(CS_ERR_ARG, "--duplicates and --duplicates-list: not with --part"),
                       "--join reports duplicates, as a process that packs a part does not see all images");
    return CS_OK;
}

/* Sets the options from the command line; prints the answer to --help and --version. */
static cs_status parse(pack_options *options, commands *wanted) {
    cs_arg args[ARGS_MAX];
    size_t n = add_source_args(options, args);
    n += add_image_args(options, args + n);
    n += add_split_args(options, args + n);
    n += add_dataset_args(options, wanted, args + n);
    const char *positional[2] = {NULL, NULL};
    int given;
    CS_TRY(cs_args_parse(wanted->argc, wanted->argv, args, n, positional, 2, &given));
    if (wanted->help) {
        print_help(args, n);
        return CS_OK;
    }
    if (wanted->version) {
        puts("cnnsweep-pack " CNNSWEEP_VERSION);
        return CS_OK;
    }
    bool one_path = wanted->check || wanted->info || wanted->join;
    if (given != (one_path ? 1 : 2))
        return cs_hint(cs_fail(CS_ERR_ARG, one_path ? "give one dataset" : "give SRC and OUT"),
                       "cnnsweep-pack --help shows how to call it");
    CS_TRY(check_options(options, wanted, one_path));
    options->input.path = positional[0];
    return copy_out_path(one_path ? positional[0] : positional[1], options->out);
}

static cs_status pack_or_take_part(pack_options *options, pack_list *list) {
    bool done = false;
    CS_TRY(pack_split(options, list));
    CS_TRY(pack_check_splits(list));
    if (options->part.count)
        CS_TRY(pack_take_part(options, list, &stop_asked, &done));
    return done ? CS_OK : pack_run(options, list, &stop_asked);
}

/* Prints what is in the dataset, and writes the report. Checksums are not verified again for these. */
static cs_status describe(const pack_options *options) {
    if (options->report || options->plots)
        catch_signals();
    CS_TRY(pack_info(options->out));
    setenv("CNNSWEEP_TRUST_SHARDS", "1", 1);
    if (options->plots)
        CS_TRY(pack_plot(options, &stop_asked));
    return options->report ? pack_report(options, &stop_asked) : CS_OK;
}

/* Describes the dataset that was just written, and whose checksums are new. */
static cs_status describe_written(const pack_options *options) {
    setenv("CNNSWEEP_TRUST_SHARDS", "1", 1);
    const cs_status status = describe(options);
    if (status != CS_OK && options->report)
        cs_log(CS_LOG_WARN, "the dataset is complete; cnnsweep-pack --info --report %s %s writes the report",
               options->report, options->out);
    return status;
}

static cs_status scan_and_pack(pack_options *options) {
    pack_list list;
    CS_TRY(pack_source_find(&options->input));
    CS_TRY(pack_source_scan(&options->input, &list));
    cs_status status = options->input.options[PACK_WEIGHTS] ? pack_read_weights(options, &list) : CS_OK;
    if (status == CS_OK)
        status = pack_apply_labels(options, &list);
    if (status == CS_OK)
        status = pack_find_groups(options, &list);
    if (status == CS_OK && options->append)
        status = pack_append_list(options, &list);
    if (status == CS_OK)
        status = pack_treat_duplicates(options, &list, &stop_asked);
    if (status == CS_OK)
        status = pack_take_amounts(options, &list);
    if (status == CS_OK)
        status = pack_or_take_part(options, &list);
    pack_list_clear(&list);
    return status;
}

static cs_status pack(pack_options *options) {
    catch_signals();
    cs_status status = scan_and_pack(options);
    pack_source_close(&options->input);
    CS_TRY(status);
    return options->part.count ? CS_OK : describe_written(options);
}

/* The command line is parsed a second time, over the options of the dataset, so that an option which differs then
 * contradicts it. */
static cs_status append_to_open(pack_options *options, commands *wanted) {
    pack_options asked = *options;
    CS_TRY(pack_append_rules(options->appended, options));
    asked.size[0] = options->size[0];
    asked.size[1] = options->size[1];
    asked.resize = options->resize;
    asked.encoding = options->encoding;
    asked.decode = options->decode;
    asked.filter = (cs_filter_chain){0};
    CS_TRY(parse(&asked, wanted));
    CS_TRY(pack_append_check(options, &asked));
    options->force = true;
    options->input.one_class = true;
    return pack(options);
}

static cs_status append(pack_options *options, commands *wanted) {
    char name[CS_PATH_MAX];
    cs_file_lock *lock = NULL;
    if (!cs_file_exists(options->out))
        return cs_hint(cs_fail(CS_ERR_NOT_FOUND, "%s: no such dataset", options->out), "without --append it is made");
    CS_TRY(cs_path(name, sizeof name, "%s.lock", options->out));
    CS_TRY(cs_file_lock_try(name, &lock));
    if (!lock)
        return cs_fail(CS_ERR_ARG, "%s: another process is adding images to it", options->out);
    cs_status status = pack_append_open(options->out, &options->appended);
    if (status == CS_OK)
        status = append_to_open(options, wanted);
    pack_append_close(options->appended);
    cs_file_lock_release(lock);
    return status;
}

static cs_status join(pack_options *options) {
    CS_TRY(pack_join(options, &stop_asked));
    return describe_written(options);
}

static cs_status run(pack_options *options, commands *wanted) {
    if (wanted->check) {
        unsetenv("CNNSWEEP_TRUST_SHARDS"); /* checksums must be verified */
        return pack_check(options->out);
    }
    if (wanted->info)
        return describe(options);
    if (options->append)
        return append(options, wanted);
    return wanted->join ? join(options) : pack(options);
}

int main(int argc, char **argv) {
    pack_options options = {.split = {0.8, 0.1, 0.1}, .started = cs_now()};
    commands wanted = {.argc = argc, .argv = argv};
    if (parse(&options, &wanted) != CS_OK) {
        cs_log_error_last();
        return EXIT_USAGE;
    }
    if (wanted.help || wanted.version)
        return EXIT_SUCCESS;
    if (options.threads == 0)
        options.threads = cs_usable_cores("");
    if (options.part.count && options.shard_bytes == 0)
        options.shard_bytes = PART_SHARD;
    if (run(&options, &wanted) != CS_OK) {
        cs_log_error_last();
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
