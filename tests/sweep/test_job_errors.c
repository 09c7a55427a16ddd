/* SPDX-License-Identifier: Apache-2.0 */
/* Every fault of a job file gives an error with its place, and none crashes the program. */
#include "test.h"

#include "job_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bad_job {
    const char *text, *needle;
} bad_job;

static void assert_all_fail(const bad_job *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        cs_job *job = NULL;
        cs_status status = job_read_text(cases[i].text, NULL, &job);
        if (status == CS_OK)
            fail_msg("accepted:\n%s", cases[i].text);
        assert_fails(status, status, cases[i].needle);
        assert_null(job);
    }
}
#define ASSERT_ALL_FAIL(cases) assert_all_fail(cases, sizeof(cases) / sizeof *(cases))

static void test_misspelt_keys_are_refused(void **state) {
    (void)state;
    static const bad_job cases[] = {
        {"name: t\ntrian: {epochs: 1}\n", "job.yaml:2:1: unknown key 'trian' in the job file; did you mean 'train'?"},
        {JOB_BASE "train:\n  epochs: 3\n  learning: 1\n", "job.yaml:6:3: unknown key 'learning' in train:"},
        {JOB_BASE "train: {epochz: 3}\n", "job.yaml:4:9: unknown key 'epochz' in train:; did you mean 'epochs'?"},
        {JOB_BASE "train: {alpha: 0.5}\n", "it is model.alpha"},
        {JOB_BASE "sweep: {params: {lr: [1]}}\n", "job.yaml:4:9: unknown key 'params' in sweep:"},
        {JOB_BASE "sweep: {parameters: {lrr: [1]}}\n", "job.yaml:4:22: unknown option 'lrr'; did you mean 'lr'?"},
        {JOB_BASE "sweep: {metric: {nam: x}, parameters: {lr: [1]}}\n", "unknown key 'nam' in sweep: metric:"},
        {JOB_BASE "table: {row: lr}\n", "did you mean 'rows'?"},
        {JOB_BASE "augmentations:\n  a: {horisontal_flip: true}\n",
         "job.yaml:5:7: unknown augmentation 'horisontal_flip'; did you mean 'horizontal_flip'?"},
    };
    ASSERT_ALL_FAIL(cases);
}

static void test_wrong_values_are_refused(void **state) {
    (void)state;
    static const bad_job cases[] = {
        {JOB_BASE "train: {epochs: many}\n", "job.yaml:4:17: train.epochs is 'many'; it takes a whole number"},
        {JOB_BASE "train: {epochs: [1, 2]}\n", "job.yaml:4:17: train.epochs takes a single value"},
        {JOB_BASE "train: {lr: {a: 1}}\n", "train.lr takes a single value"},
        {"name: t\ndata: {path: d}\nmodel: {arch: basenet, head: [gap, {dense: 8, act: relu}, dense]}\n",
         "job.yaml:3:36: model.head: this map is not understood"},
        {"name: t\ndata: {path: d}\nmodel: {arch: basenet, head: [gap, [dense]]}\n", "model.head: nested too deep"},
        {"name: t\ndata: {path: d}\nmodel: {arch: basenet, dropout: 0.5}\n",
         "job.yaml:3:33: model.dropout is set, but the head has no plain dropout layer"},
        {"name: t\ndata: {path: d}\nmodel: {arch: basenet, dropout: 0.5}\n"
         "sweep: {parameters: {head: [[gap, dense], [gap, {dropout: 0.2}, dense]]}}\n",
         "job.yaml:3:33: model.dropout is set, but the head has no plain dropout layer"},
        {JOB_BASE "sweep: {parameters: {dropout: [0.1, 0.2], head: [[gap, dropout, dense], [gap, dense]]}}\n",
         "job.yaml:4:31: model.dropout is swept, but the head gap,dense of basenet has no plain dropout layer"},
        {"name: t\ndata: {path: d}\nmodel: {arch: basenet, weights: {path: w.h5}}\n",
         "job.yaml:3:33: model.weights takes a single value"},
        {JOB_BASE "train: {fine_tune: {blocks: 2, activation: relu}}\n",
         "job.yaml:4:20: train.fine_tune: this map is not understood"},
        {JOB_BASE "train: 7\n", "job.yaml:4:8: train: is not a map of keys"},
        {JOB_BASE "train: {epochs: }\n", "train.epochs has no value"},
        {"name: t\ndata: {path: d}\nmodel: {arch: mobilnet}\n",
         "job.yaml:3:15: there is no architecture 'mobilnet'; did you mean 'mobilenet'?"},
        {JOB_BASE "train: {augment: flip}\n", "job.yaml:4:18: augmentation 'flip' is not defined"},
        {JOB_BASE "threads: -1\n", "job.yaml:4:10: threads is -1, outside 0 to 4096"},
        {JOB_BASE "threads: many\n", "job.yaml:4:10: threads is 'many'; it takes a whole number"},
        {JOB_BASE "ranks_per_trial: 0\n", "ranks_per_trial is 0, outside 1"},
        {JOB_BASE "ranks_per_trail: 2\n", "did you mean 'ranks_per_trial'?"},
        {JOB_BASE "group: [true]\n", "group takes a single value"},
        {JOB_BASE "group: maybe\n", "group is 'maybe'; it takes true or false"},
        {JOB_BASE "cache: of\n", "job.yaml:4:8: cache is 'of'; did you mean 'off'?"},
        {JOB_BASE "cache: 12Q\n", "cache is auto, off, or a size such as 512M or 1.5G"},
        {JOB_BASE "cache: 12MB\n", "cache is '12MB'"},
        {JOB_BASE "cache: -1\n", "cache is '-1'"},
        {JOB_BASE "cache: nan\n", "cache is 'nan'"},
        {JOB_BASE "cache: 0x10\n", "cache is '0x10'"},
        {JOB_BASE "cache: 1e30\n", "cache is 1e30, outside 0 to"},
        {JOB_BASE "checkpoint_seconds: -1\n", "checkpoint_seconds is -1, outside 0"},
        {JOB_BASE "checkpoint_seconds: nan\n", "checkpoint_seconds is 'nan'; it takes a number"},
        {JOB_BASE "keep_weights: 0\n", "keep_weights is 0, outside 1"},
        {"name: a/b\n", "job.yaml:1:7: name 'a/b' holds '/'"},
        {"name: ..\n", "begins with a dot"},
        {"name: [a]\n", "name takes a single value"},
    };
    ASSERT_ALL_FAIL(cases);
}

static void test_wrong_augmentations_are_refused(void **state) {
    (void)state;
    static const bad_job cases[] = {
        {JOB_BASE "augmentations: {none: {vertical_flip: true}}\n", "'none' is always there"},
        {JOB_BASE "augmentations: {a: {vertical_flip: 3}}\n", "vertical_flip takes true or false"},
        {JOB_BASE "augmentations: {a: {brightness_range: 0.5}}\n", "two numbers, [low, high]"},
        {JOB_BASE "augmentations: {a: {brightness_range: [0.9, 0.5]}}\n", "high 0.5 is below low 0.9"},
        {JOB_BASE "augmentations: {a: {zoom_range: 1}}\n", "job.yaml:4:33: zoom_range: the smallest factor is 0"},
        {JOB_BASE "augmentations: {a: {zoom_range: [0, 2]}}\n", "low above 0"},
        {JOB_BASE "augmentations: {a: {rotation_range: [1, 2]}}\n", "rotation_range takes a number"},
        {JOB_BASE "augmentations: {a: {rotation_range: 400}}\n", "rotation_range: 400 is outside 0 to 360"},
        {JOB_BASE "augmentations: {a: {fill_mode: reflct}}\n",
         "job.yaml:4:32: fill_mode takes one of nearest, constant, reflect, wrap; did you mean 'reflect'?"},
        {JOB_BASE "augmentations: {a: {interpolation_order: 3}}\n", "interpolation_order takes one of 1, 0"},
        {JOB_BASE "augmentations: {a: {width_shift_range: -0.1}}\n", "width_shift_range: -0.1 is negative"},
        {JOB_BASE "augmentations: {a: {width_shift_range: []}}\n", "a list of 1 to 6 numbers"},
        {JOB_BASE "augmentations: {a: {height_shift_range: [1, [2]]}}\n", "height_shift_range takes a number"},
        {JOB_BASE "augmentations: {a: {brightness_range: [-1, 1]}}\n", "outside 0 to 100"},
        {JOB_BASE "augmentations: {a: {brightness_range: [x, 1]}}\n", "brightness_range: 'x' is not a number"},
        {JOB_BASE "augmentations: {a: {random_rotation: 5}}\n", "unknown augmentation 'random_rotation'"},
        {JOB_BASE "augmentations: {a: [rotation_range]}\n", "unknown step 'rotation_range'"},
        {JOB_BASE "augmentations: {a: [{random_rotaton: 5}]}\n",
         "job.yaml:4:22: unknown step 'random_rotaton'; did you mean"},
        {JOB_BASE "augmentations: {a: [{random_rotation: {degree: 5}}]}\n",
         "job.yaml:4:40: random_rotation has no parameter 'degree'; did you mean 'degrees'?"},
        {JOB_BASE "augmentations: {a: [{random_perspective: {p: 1.5}}]}\n",
         "random_perspective: p: 1.5 is outside 0 to 1"},
        {JOB_BASE "augmentations: {a: [{random_rotation: -5}]}\n", "random_rotation: degrees: -5 is negative"},
        {JOB_BASE "augmentations: {a: [{keras.random_shear: [0.5, 0.2]}]}\n",
         "keras.random_shear: x_factor: high 0.2 is below low 0.5"},
        {JOB_BASE "augmentations: {a: [{keras.random_shear: {y_factor: -0.1}}]}\n",
         "keras.random_shear: y_factor: -0.1 is outside 0 to 1"},
        {JOB_BASE "augmentations: {a: [{keras.random_gaussian_blur: {kernel_size: 4}}]}\n", "kernel_size 4 is even"},
        {JOB_BASE "augmentations: {a: [{random_flip: horizontal}]}\n", "unknown step 'random_flip'"},
        {JOB_BASE "augmentations: {a: [{keras.random_flip: {keras3: literl}}]}\n", "did you mean 'literal'?"},
        {JOB_BASE "augmentations: {a: [{random_posterize: 2.5}]}\n",
         "random_posterize: bits: 2.5 is not a whole number"},
        {JOB_BASE "augmentations: {a: [{color_jitter: {hue: 0.6}}]}\n",
         "color_jitter: hue: 0.6 is outside -0.5 to 0.5"},
        {JOB_BASE "augmentations: {a: [{random_grayscale: 1}]}\n",
         "random_grayscale has no parameter that stands alone"},
        {JOB_BASE "augmentations: {a: [[random_grayscale]]}\n", "a step is a name or a mapping with one name"},
        {JOB_BASE "augmentations: {a: [{random_grayscale: {}, random_invert: {}}]}\n", "a mapping with one name"},
        {JOB_BASE "augmentations: {a: [one_of]}\n", "one_of has no steps"},
        {JOB_BASE "augmentations: {a: [{one_of: []}]}\n", "one_of takes a list of steps"},
        {JOB_BASE "augmentations: {a: [{one_of: {steps: 3}}]}\n", "one_of takes a list of steps"},
        {JOB_BASE "augmentations: {a: [color_jitter, color_jitter, color_jitter, color_jitter, color_jitter]}\n",
         "job.yaml:4:20: the steps may change an image 20 times, more than 16"},
        {JOB_BASE "augmentations: {a: flip}\n", "augmentation 'a' is neither a mapping nor a list"},
    };
    ASSERT_ALL_FAIL(cases);
}

static void test_wrong_parameters_of_steps_are_refused(void **state) {
    (void)state;
    static const bad_job cases[] = {
        {JOB_BASE "augmentations: {a: [{gaussian_blur: 4}]}\n",
         "job.yaml:4:22: gaussian_blur: kernel_size is 4, not an odd whole number"},
        {JOB_BASE "augmentations: {a: [{gaussian_blur: {sigma: [3, 1]}}]}\n",
         "gaussian_blur: sigma: high 1 is below low 3"},
        {JOB_BASE "augmentations: {a: [{rand_augment: {magnitude: 31}}]}\n",
         "rand_augment: magnitude 31 is not below num_magnitude_bins, 31"},
        {JOB_BASE "augmentations: {a: [{random_erasing: {value: noise}}]}\n", "random_erasing: value: 'noise' is not"},
        {JOB_BASE "augmentations: {a: [{random_erasing: {value: [1, 2]}}]}\n",
         "random_erasing: value takes a number, or three for red, green and blue"},
        {JOB_BASE "augmentations: {a: [{auto_augment: mnist}]}\n",
         "auto_augment: policy takes one of imagenet, cifar10, svhn"},
        {JOB_BASE "augmentations: {a: [{coarse_dropout: {hole_width_range: [2, 5]}}]}\n",
         "coarse_dropout: hole_height_range and hole_width_range are not both fractions or both pixels"},
        {JOB_BASE "augmentations: {a: [{coarse_dropout: {num_holes_range: [1, 2.5]}}]}\n",
         "coarse_dropout: num_holes_range: 2.5 is not a whole number"},
        {JOB_BASE "augmentations: {a: [{keras.random_crop: 24}]}\n",
         "job.yaml:4:22: keras.random_crop: it needs a height and a width"},
        {JOB_BASE "augmentations: {a: [{keras.resizing: {height: 24, width: 2.5}}]}\n",
         "keras.resizing: width: 2.5 is not a whole number"},
        {JOB_BASE "augmentations: {a: [{random_gamma: 80}]}\n", "gamma_limit takes two numbers, [low, high]"},
    };
    ASSERT_ALL_FAIL(cases);
}

static void test_a_wrong_normalization_is_refused(void **state) {
    (void)state;
    static const bad_job cases[] = {
        {JOB_BASE "augmentations: {a: [{normalize: {std: 0}}]}\n", "job.yaml:4:39: normalize: std: 0 is outside 1e-06"},
        {JOB_BASE "augmentations: {a: [{normalize: 123.7}]}\n", "normalize: mean: 123.7 is outside 0 to 1"},
        {JOB_BASE "augmentations: {a: [{normalize: {mean: [0.5, 0.5]}}]}\n",
         "normalize: mean takes a number, or three for red, green and blue"},
        {JOB_BASE "augmentations: {a: [{normalize: {p: 0.5}}]}\n",
         "normalize cannot have a p below 1, because all images are standardized alike"},
        {JOB_BASE "augmentations: {a: [{one_of: [normalize]}]}\n", "normalize cannot stand in a group"},
        {JOB_BASE "augmentations: {a: [normalize, random_erasing]}\n",
         "job.yaml:4:20: random_erasing stands after normalize, which must be the last step"},
    };
    ASSERT_ALL_FAIL(cases);
}

static void test_wrong_filters_are_refused(void **state) {
    (void)state;
    static const bad_job cases[] = {
        {"name: t\ndata: {path: d, filter: medain}\n",
         "job.yaml:2:25: data.filter: unknown filter 'medain'; did you mean 'median'?"},
        {"name: t\ndata:\n  path: d\n  filter:\n    - gray_world\n    - median:\n        size: 40\n",
         "job.yaml:7:9: data.filter: median: size is '40'; it takes an odd number from 3 to 31"},
        {"name: t\ndata: {path: d, filter: [{median: {sise: 3}}]}\n",
         "job.yaml:2:36: data.filter: median has no parameter 'sise'; did you mean 'size'?"},
        {"name: t\ndata: {path: d, filter: [{medan: {size: 3}}]}\n",
         "job.yaml:2:27: data.filter: unknown filter 'medan'"},
        {"name: t\ndata: {path: d, filter: {median: [3]}}\n", "job.yaml:2:25: data.filter: this is no step"},
        {"name: t\ndata: {path: d, filter: {median: 4}}\n", "job.yaml:2:34: data.filter: median: size is '4'"},
        {"name: t\ndata: {path: d, filter: [[median]]}\n", "job.yaml:2:26: data.filter: this is no step"},
        {"name: t\ndata: {path: d, filter: {median: {size: [3]}}}\n",
         "job.yaml:2:41: data.filter: size takes a single value"},
        {"name: t\ndata: {path: d, filter: []}\n", "unknown filter ''"},
        {JOB_BASE "sweep: {parameters: {filter: [none, {gaussian: {sigma: 0}}]}}\n",
         "job.yaml:4:49: data.filter: gaussian: sigma is '0'; it takes a number from 0.1 to 100"},
        {JOB_BASE "sweep: {parameters: {filter: [median, {median: {size: 3}}]}}\n",
         "data.filter: median appears twice"},
    };
    ASSERT_ALL_FAIL(cases);
}

static void test_options_that_contradict_features_are_refused(void **state) {
    (void)state;
    static const bad_job cases[] = {
        {JOB_BASE "train: {mode: feature}\n", "job.yaml:4:15: train.mode is 'feature'; did you mean 'features'?"},
        {JOB_BASE "train: {mode: features, fine_tune: 3}\n",
         "job.yaml:4:36: train.fine_tune is 3, but train.mode is features"},
        {JOB_BASE "train: {mode: features}\nsweep: {parameters: {fine_tune: [head, all]}}\n",
         "job.yaml:5:33: train.fine_tune is all, but train.mode is features"},
        {JOB_BASE "augmentations: {f: {vertical_flip: true}}\ntrain: {mode: features, augment: f}\n",
         "job.yaml:5:34: train.augment is f, but train.mode is features"},
        {JOB_BASE "augmentations: {f: {vertical_flip: true}}\ntrain: {mode: features}\n"
                  "sweep: {parameters: {augment: [none, f]}}\n",
         "job.yaml:6:31: train.augment is f, but train.mode is features"},
        {JOB_BASE "sweep: {parameters: {mode: [features, fine_tune]}}\n", "train.mode cannot be swept"},
        {JOB_BASE "sweep: {parameters: {dropout: [0.1, 0.2]}}\n", "job.yaml:4:31: model.dropout is set, but the head"},
    };
    ASSERT_ALL_FAIL(cases);
}

static void test_wrong_sweeps_are_refused(void **state) {
    (void)state;
    static const bad_job cases[] = {
        {JOB_BASE "sweep: {parameters: {lr: 0.1}}\n", "job.yaml:4:26: train.lr: the values to try are a list"},
        {JOB_BASE "sweep: {parameters: {lr: []}}\n", "job.yaml:4:26: train.lr: the list of values is empty"},
        {JOB_BASE "sweep: {parameters: {lr: [0.1, x]}}\n", "job.yaml:4:32: train.lr is 'x'"},
        {JOB_BASE "sweep: {parameters: {lr: [0.1, 1e-1]}}\n", "job.yaml:4:32: train.lr: 0.1 appears twice"},
        {JOB_BASE "sweep: {parameters: {lr: [0.1], train.lr: [0.2]}}\n", "train.lr is swept twice"},
        {JOB_BASE "sweep: {parameters: {data.path: [a, b]}}\n", "data.path cannot be swept"},
        {JOB_BASE "train: {lr: 1}\nsweep: {parameters: {lr: [0.1]}}\n", "job.yaml:5:22: train.lr is swept here and"},
        {JOB_BASE "sweep: {parameters: {augment: [none, flip]}}\n", "job.yaml:4:38: augmentation 'flip' is not"},
        {"data: {path: d}\nsweep: {parameters: {arch: [basenet, bsenet]}}\n",
         "job.yaml:2:38: there is no architecture 'bsenet'"},
        {JOB_BASE "sweep: {parameters: {}}\n", "parameters: is not a map of options"},
        {JOB_BASE "sweep: {method: grid}\n", "sweep: has no parameters:"},
        {JOB_BASE "sweep: {method: gird, parameters: {lr: [1]}}\n", "method is 'gird'; did you mean 'grid'?"},
        {JOB_BASE "sweep: {metric: {name: test_acuracy}, parameters: {lr: [1]}}\n",
         "job.yaml:4:24: unknown metric 'test_acuracy'; did you mean 'test_accuracy'?"},
        {JOB_BASE "sweep: {metric: {goal: up}, parameters: {lr: [1]}}\n", "goal is maximize or minimize"},
        {JOB_BASE "sweep: {parameters: {lr: [0.1, 0.2]}}\ntable: {rows: batch}\n",
         "job.yaml:5:15: table: rows is 'batch', which is not swept"},
        {JOB_BASE "sweep: {parameters: {lr: [0.1, 0.2]}}\ntable: {rows: lr, columns: lr}\n", "both train.lr"},
        {JOB_BASE "table: {value: speed}\n", "unknown metric 'speed'"},
    };
    ASSERT_ALL_FAIL(cases);
}

#define RANDOM(parameters) JOB_BASE "sweep: {method: random, budget: {trials: 5}, parameters: {" parameters "}}\n"

static void test_wrong_ranges_are_refused(void **state) {
    (void)state;
    static const bad_job cases[] = {
        {JOB_BASE "sweep: {parameters: {lr: {uniform: [0.1, 1]}}}\n",
         "job.yaml:4:26: train.lr: a grid takes a list of values, not a range"},
        {JOB_BASE "sweep: {parameters: {lr: {uniform: [0.1, 1]}}}\n", "sweep.method=random"},
        {JOB_BASE "sweep: {method: random, parameters: {lr: {uniform: [0.1, 1]}}}\n",
         "job.yaml:4:8: sweep: method random needs a number of trials"},
        {JOB_BASE "sweep: {method: randm, parameters: {lr: [1]}}\n", "method is 'randm'; did you mean 'random'?"},
        {RANDOM("lr: {unifrom: [0.1, 1]}"), "values cannot be drawn from 'unifrom'; did you mean 'uniform'?"},
        {RANDOM("lr: {uniform: [0.1, 1], int: [1, 2]}"), "train.lr: values cannot be drawn from 'int'"},
        {RANDOM("lr: {uniform: [0.1, 1, 2]}"), "job.yaml:4:73: train.lr: uniform takes two numbers"},
        {RANDOM("lr: {uniform: 0.1}"), "train.lr: uniform takes two numbers"},
        {RANDOM("lr: {uniform: [nan, 1]}"), "'nan' is not a number"},
        {RANDOM("lr: {uniform: [0.1, inf]}"), "'inf' is not a number"},
        {RANDOM("lr: {uniform: [[1], 2]}"), "a bound of a range is a number"},
        {RANDOM("lr: {uniform: [1, 0.1]}"), "train.lr: the range ends at 0.1, which is not above 1 where it begins"},
        {RANDOM("lr: {uniform: [1, 1]}"), "not above 1 where it begins"},
        {RANDOM("lr: {uniform: [-1, 1]}"), "job.yaml:4:74: train.lr is -1, outside"},
        {RANDOM("momentum: {log_uniform: [0, 1]}"), "a log_uniform range begins at 0; it must be above 0"},
        {RANDOM("batch: {int: [1.5, 4]}"), "train.batch: '1.5' is not a whole number"},
        {RANDOM("batch: {int: [0, 4]}"), "train.batch is 0, outside 1"},
        {RANDOM("seed: {int: [0, 9007199254740992]}"), "the range is wider than"},
        {RANDOM("batch: {uniform: [1, 4]}"), "train.batch cannot be drawn from uniform"},
        {RANDOM("batch: {uniform: [1, 4]}"), "a whole number takes {int: [a, b]}"},
        {RANDOM("optimizer: {int: [1, 4]}"), "train.optimizer cannot be drawn from int"},
        {RANDOM("lr: {choice: []}"), "the list of values is empty"},
        {RANDOM("lr: {choice: 3}"), "the values to try are a list"},
        {RANDOM("lr: {}"), "the values to try are a list"},
        {RANDOM("lr: {uniform: [0.1, 1]}") "table: {rows: lr}\n",
         "job.yaml:5:15: table: rows is 'lr', which is drawn from a range"},
    };
    ASSERT_ALL_FAIL(cases);
}

static void test_wrong_budgets_and_repeats_are_refused(void **state) {
    (void)state;
    static const bad_job cases[] = {
        {JOB_BASE "sweep: {repeats: 0, parameters: {lr: [1]}}\n", "job.yaml:4:18: sweep.repeats is 0, outside 1"},
        {JOB_BASE "sweep: {repeats: x, parameters: {lr: [1]}}\n", "sweep.repeats is 'x'; it takes a whole number"},
        {JOB_BASE "sweep: {repeats: 2, parameters: {seed: [1, 2]}}\n",
         "job.yaml:4:18: repeats gives every trial 2 values, and train.seed is swept too"},
        {JOB_BASE "train: {seed: 9007199254740992}\nsweep: {repeats: 4}\n", "train.seed is 900719925474099"},
        {JOB_BASE "sweep: {repeats: 1}\n", "sweep: has no parameters:"},
        {JOB_BASE "sweep: {budget: {trials: 0}, parameters: {lr: [1]}}\n", "sweep.budget.trials is 0, outside 1"},
        {JOB_BASE "sweep: {budget: {minutes: 0}, parameters: {lr: [1]}}\n", "sweep.budget.minutes is 0, outside"},
        {JOB_BASE "sweep: {budget: {minutes: nan}, parameters: {lr: [1]}}\n", "takes a number"},
        {JOB_BASE "sweep: {budget: {minuts: 3}, parameters: {lr: [1]}}\n", "did you mean 'minutes'?"},
        {JOB_BASE "sweep: {budget: 3, parameters: {lr: [1]}}\n", "sweep: budget: is not a map of keys"},
    };
    ASSERT_ALL_FAIL(cases);
}

#define SCHEDULER(text) JOB_BASE "sweep: {repeats: 2, metric: {name: val_loss}, scheduler: " text "}\n"

static void test_wrong_schedulers_are_refused(void **state) {
    (void)state;
    static const bad_job cases[] = {
        {JOB_BASE "sweep: {repeats: 2, scheduler: asha}\n",
         "job.yaml:4:32: the scheduler needs a metric that every epoch has, not test_accuracy"},
        {JOB_BASE "sweep: {repeats: 2, scheduler: asha}\n", "use metric: {name: val_accuracy}"},
        {JOB_BASE "sweep: {repeats: 2, scheduler: asha, metric: {name: test_loss}}\n", "name: val_loss"},
        {SCHEDULER("ahsa"), "sweep.scheduler.type is 'ahsa'; did you mean 'asha'?"},
        {SCHEDULER("[asha]"), "scheduler takes a single value"},
        {SCHEDULER("{max_t: 3}"), "sweep: scheduler: has no type:"},
        {SCHEDULER("{type: asha, maxt: 3}"), "unknown key 'maxt' in sweep: scheduler:; did you mean 'max_t'?"},
        {SCHEDULER("{type: asha, min_samples_required: 3}"), "type asha has no min_samples_required"},
        {SCHEDULER("{type: median, brackets: 2}"), "type median has no brackets"},
        {SCHEDULER("{type: asha, brackets: 0}"), "sweep.scheduler.brackets is 0, outside 1"},
        {SCHEDULER("{type: asha, brackets: 3}"), "brackets is 3, but only 2 fit"},
        {SCHEDULER("{type: asha, reduction_factor: 1}"), "sweep.scheduler.reduction_factor is 1, outside 1.1"},
        {SCHEDULER("{type: asha, reduction_factor: nan}"), "reduction_factor is 'nan'; it takes a number"},
        {SCHEDULER("{type: asha, grace_period: 0}"), "grace_period is 0, outside 1"},
        {SCHEDULER("{type: asha, grace_period: 11}"), "grace_period is 11 epochs, more than max_t, 10"},
        {SCHEDULER("{type: asha, max_t: 0}"), "max_t is 0, outside 1"},
    };
    ASSERT_ALL_FAIL(cases);
}

static void test_broken_yaml_is_refused(void **state) {
    (void)state;
    static const bad_job cases[] = {
        {"", "is empty"},
        {"# nothing\n", "is empty"},
        {"- a\n- b\n", "job.yaml:1:1: a job file is a map of keys"},
        {"name: t\n\tdata: 1\n", "job.yaml:2:1: "},
        {"name: [a, b\n", "job.yaml:2:1: "},
        {"name: t\nname: u\n", "job.yaml:2:1: 'name' appears twice (first on line 1)"},
        {JOB_BASE "train: {lr: 1, lr: 2}\n", "job.yaml:4:16: 'lr' appears twice"},
        {"? [a]\n: b\n", "a key must be a single word"},
        {"name: t\n---\nname: u\n", "a second document begins"},
        {"name: \"a\\0b\"\n", "NUL"},
        {"name: \xff\xfe\n", "job.yaml"},
        {"name: *nowhere\n", "job.yaml:1:7: "},
        {"a: &a [*a]\n", "nested more than 20 levels deep"},
        {"name: t\n", "data.path is missing"},
        {"name: t\ndata: {path: d}\n", "model.arch is missing"},
    };
    ASSERT_ALL_FAIL(cases);
}

static void test_alias_bomb_is_refused(void **state) {
    (void)state;
    char text[4096] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
                 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    cs_job *job = NULL;
    assert_fails(job_read_text(text, NULL, &job), CS_ERR_FORMAT, "more than 100000 values");
}

static void test_deep_nesting_is_refused(void **state) {
    (void)state;
    enum { DEPTH = 5000 };
    static char text[DEPTH + 8];
    memset(text, '[', DEPTH);
    memcpy(text, "a: ", 3);
    text[DEPTH] = '\n';
    cs_job *job = NULL;
    assert_fails(job_read_text(text, NULL, &job), CS_ERR_FORMAT, "job.yaml");
}

static void test_too_many_trials_are_refused(void **state) {
    (void)state;
    char text[65536] = JOB_BASE "sweep:\n  parameters:\n";
    static const char *const names[] = {"seed", "batch", "epochs"};
    for (int option = 0; option < 3; option++) {
        size_t used = strlen(text);
        used += (size_t)snprintf(text + used, sizeof text - used, "    %s: [1", names[option]);
        for (int i = 2; i <= 100; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, ", %d", i);
        snprintf(text + used, sizeof text - used, "]\n");
    }
    cs_job *job = NULL;
    assert_fails(job_read_text(text, NULL, &job), CS_ERR_ARG, "the grid has more than 100000 trials");
}

static void test_errors_quote_a_bad_set(void **state) {
    (void)state;
    static const struct {
        const char *set, *needle;
    } cases[] = {
        {"train.epochs=x", "--set train.epochs=x: train.epochs is 'x'"},
        {"train.epoch=1", "--set train.epoch=1: unknown key 'epoch' in train:; did you mean 'epochs'?"},
        {"nothing=1", "--set nothing=1: unknown key 'nothing'"},
        {"train.epochs", "is not key=value"},
        {"=1", "is not key=value"},
        {"name.a=1", "'name' is a value, it has no keys"},
        {"train.lr=[1", "--set train.lr=[1: "},
        {"train={lr: 1", "--set train={lr: 1: "},
        {"sweep.parameters.lr=1", "the values to try are a list"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cs_job *job = NULL;
        cs_status status = job_read_text(JOB_BASE, cases[i].set, &job);
        assert_int_not_equal(status, CS_OK);
        assert_fails(status, status, cases[i].needle);
    }
}

static void test_a_missing_file_is_refused(void **state) {
    (void)state;
    cs_job *job = NULL;
    assert_fails(cs_job_read("/nowhere/job.yaml", NULL, 0, &job), CS_ERR_IO, "/nowhere/job.yaml");
    assert_fails(cs_job_read("/", NULL, 0, &job), CS_ERR_IO, "not a regular file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_misspelt_keys_are_refused),
        cmocka_unit_test(test_wrong_values_are_refused),
        cmocka_unit_test(test_wrong_augmentations_are_refused),
        cmocka_unit_test(test_a_wrong_normalization_is_refused),
        cmocka_unit_test(test_wrong_filters_are_refused),
        cmocka_unit_test(test_wrong_parameters_of_steps_are_refused),
        cmocka_unit_test(test_options_that_contradict_features_are_refused),
        cmocka_unit_test(test_wrong_sweeps_are_refused),
        cmocka_unit_test(test_wrong_ranges_are_refused),
        cmocka_unit_test(test_wrong_budgets_and_repeats_are_refused),
        cmocka_unit_test(test_wrong_schedulers_are_refused),
        cmocka_unit_test(test_broken_yaml_is_refused),
        cmocka_unit_test(test_alias_bomb_is_refused),
        cmocka_unit_test(test_deep_nesting_is_refused),
        cmocka_unit_test(test_too_many_trials_are_refused),
        cmocka_unit_test(test_errors_quote_a_bad_set),
        cmocka_unit_test(test_a_missing_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
