# SPDX-License-Identifier: Apache-2.0
"""Job files as people write them run, or are refused with a sentence that helps."""
import os

from harness import SCRATCH, make_data, path, read_trials, run, run_ok, run_tests, write_job

make_data()
JOB = "name: j\ndata: {path: data.h5}\nmodel: {arch: basenet}\nthreads: 1\n"
NO_BREAK_SPACE = "\u00a0"


def dry_run(text, *arguments, env=None):
    write_job(text, "j.yaml")
    return run("train", "j.yaml", "--dry-run", *arguments, env=env)


def test_merged_augmentations_are_those_written_out():
    merged = JOB + """train: {epochs: 1, batch: 16}
augmentations:
  flip: &flip {horizontal_flip: true}
  both:
    <<: *flip
    vertical_flip: true
sweep: {parameters: {augment: [~, flip, both]}}
"""
    write_job(merged, "merged.yaml")
    write_job(merged.replace("<<: *flip", "horizontal_flip: Yes").replace("&flip ", ""), "written.yaml")
    tables = []
    for name in ("merged", "written"):
        run_ok("train", f"{name}.yaml", "--out", name)
        tables.append([(t["augment"], t["loss"]) for t in read_trials(name)])
    assert tables[0] == tables[1] and [row[0] for row in tables[0]] == ["none", "flip", "both"], tables


def test_paths_are_expanded():
    home = {"HOME": SCRATCH, "DATA": SCRATCH}
    for given in ("~/data.h5", "$DATA/data.h5", "'${DATA}/data.h5'"):
        done = dry_run(JOB.replace("data.h5", given), env=home)
        assert done.returncode == 0 and path("data.h5") in done.stdout, (given, done.stdout, done.stderr)
    done = dry_run(JOB.replace("data.h5", "$NOT_SET/data.h5"))
    assert done.returncode == 1 and "j.yaml:2:14: data.path: the environment variable NOT_SET is not set" in done.stderr, done.stderr


def test_a_transposed_size_warns():
    run_ok("--size", "48x32", "--per-class", "20", "wide", program="cnnsweep-synthetic")  # width x height
    run_ok("wide", "wide.h5", program="cnnsweep-pack")
    wide = JOB.replace("data.h5", "wide.h5")
    for image, warns in (("48x32", True), ("[96, 64]", True), ("32x48", False), ("64x96", False), ("40x40", False), ("packed", False)):
        done = dry_run(wide, "--set", f"data.image={image}")
        assert done.returncode == 0, done.stderr
        assert ("the sides look swapped" in done.stderr) == warns, (image, done.stderr)
    done = dry_run(wide + "sweep: {parameters: {image: [32x48, 48x32]}}\n")
    assert "data.image is 48x32" in done.stderr and "32 high and 48 wide" in done.stderr and "did you mean 32x48?" in done.stderr


def test_a_no_break_space_is_named():
    done = dry_run(JOB + f"train: {{lr: 1e-3{NO_BREAK_SPACE}}}\n")
    assert done.returncode == 1 and "j.yaml:5:13: column 17 has U+00A0 (no-break space)" in done.stderr, done.stderr


def test_the_jobs_of_the_shared_cases_do_what_is_right():
    """augment_null to weights_null of ../shared/cases/jobs; the folder that they call DATA is the scratch folder's."""
    jobs = os.path.join(os.environ.get("CNNSWEEP_SHARED", os.path.join(os.environ["CNNSWEEP_SOURCE"], "..", "shared")), "cases", "jobs")
    if not os.path.isdir(jobs):
        return
    os.makedirs(path("DATA"), exist_ok=True)
    if not os.path.exists(path("DATA/good.h5")):
        os.symlink(path("data.h5"), path("DATA/good.h5"))
    right = {"augment_null": "2 trials", "base": "1 trial", "collide": "collide: 100 trials", "merge": "2 trials", "section_null": "1 trial",
             "tilde": "1 trial", "weights_null": "1 trial"}
    for name, shown in right.items():
        done = run("train", os.path.join(jobs, f"{name}.yaml"), "--dry-run", env={"HOME": path("DATA")})
        assert done.returncode == 0 and shown in done.stdout, (name, done.stdout, done.stderr)
    for name, shown in {"nbsp_value": "U+00A0 (no-break space)", "numbers": "8 to YAML 1.1 (PyYAML)"}.items():
        done = run("train", os.path.join(jobs, f"{name}.yaml"), "--dry-run")
        assert done.returncode == 1 and shown in done.stderr, (name, done.stderr)
    done = run_ok("train", os.path.join(jobs, "numbers.yaml"), "--dry-run", "--set", "train.batch=0x8",
                  "--set", "sweep.parameters.lr=[1e-4, 1.0e-3, .01]")
    assert "lr=0.0001" in done.stdout and "3 trials" in done.stdout, done.stdout


run_tests(globals())
