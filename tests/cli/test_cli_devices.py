# SPDX-License-Identifier: Apache-2.0
"""Which engine --device gives, which reason is reported when there is no GPU, and when a plug-in is opened."""
import ctypes
import os
import subprocess

from harness import BIN, make_data, path, read_journal, read_trials, run, run_ok, run_tests, write_job

PLUGIN = os.path.join(BIN, "libcnnsweep_cuda.so")
OTHER = os.path.join(BIN, "../tests/libcs_other_plugin.so")
OPENED = "a plug-in was opened"

make_data()
write_job()


def has_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
        return True
    except OSError:
        return False


def read_elf(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout


def assert_refused(done, *needles):
    assert done.returncode == 1, f"exit {done.returncode}\n{done.stderr}"
    for needle in needles:
        assert needle in done.stderr, f"no '{needle}' in\n{done.stderr}"
    assert not os.path.exists(path("never"))


def why_no_gpu():
    return "no NVIDIA driver" if os.path.exists(PLUGIN) else "not in this build"


def test_without_a_driver_auto_takes_the_cpu_and_reports_why():
    if has_driver():
        return print("skipped: this machine has a driver")
    for ranks in (0, 2):
        done = run_ok("train", "job.yaml", "--force", ranks=ranks)
        assert done.stderr.count("device auto: the CPU (") == 1, done.stderr
        assert why_no_gpu() in done.stderr, done.stderr


def test_without_a_driver_cuda_fails_with_the_reason():
    if has_driver():
        return print("skipped: this machine has a driver")
    for ranks in (0, 2):
        done = run("train", "job.yaml", "--out", "never", "--device", "cuda", ranks=ranks)
        assert_refused(done, "error: device cuda: ", why_no_gpu(), "hint: ")
        assert done.stderr.count("error: ") == 1, done.stderr


def test_a_plug_in_that_cannot_be_opened_is_named():
    with open(path("text.so"), "w") as out:
        out.write("no library\n")
    for name, why in (("none.so", "cannot open"), ("text.so", "file too short"), ("libm.so.6", "no plug-in of cnnsweep")):
        env = {"CNNSWEEP_CUDA_PLUGIN": name if name.startswith("lib") else path(name)}
        assert_refused(run("train", "job.yaml", "--out", "never", "--device", "cuda", env=env), name, why)


def test_a_plug_in_of_another_version_is_refused():
    done = run("train", "job.yaml", "--out", "never", "--device", "cuda", env={"CNNSWEEP_CUDA_PLUGIN": OTHER})
    assert_refused(done, "libcs_other_plugin.so is of another version of cnnsweep", "build both")


def test_auto_falls_back_from_any_failure_and_opens_the_plug_in_once():
    done = run_ok("train", "job.yaml", "--force", env={"CNNSWEEP_CUDA_PLUGIN": OTHER})
    assert done.stderr.count(OPENED) == 1, done.stderr
    assert done.stderr.count("another version") == 1, done.stderr


def test_cpu_devices_open_no_plug_in():
    for device in ("cpu", "ref"):
        done = run_ok("train", "job.yaml", "--force", "--device", device, "--set", "train.epochs=1",
                      env={"CNNSWEEP_CUDA_PLUGIN": OTHER})
        assert OPENED not in done.stderr, done.stderr


def test_commands_without_an_engine_open_no_plug_in():
    for command in (["options"], ["summary", "basenet"], ["train", "--help"]):
        assert OPENED not in run_ok(*command, env={"CNNSWEEP_CUDA_PLUGIN": OTHER}).stderr


def test_the_program_is_linked_with_nothing_of_cuda():
    needed = read_elf("readelf", "-d", os.path.join(BIN, "cnnsweep")).lower()
    for name in ("cuda", "cudnn", "nccl", "nvidia", "stdc++"):
        assert name not in needed, needed


def test_the_plug_in_needs_cuda_and_exports_only_its_entry_point():
    if not os.path.exists(PLUGIN):
        return print("skipped: this build has no CUDA engine")
    needed = read_elf("readelf", "-d", PLUGIN)
    for name in ("libcudart.so.", "libcudnn.so.", "RUNPATH"):
        assert name in needed, needed
    for name in ("libstdc++", "libcuda.so", "libmpi"):
        assert name not in needed, needed
    exported = [line.split()[-1] for line in read_elf("nm", "-D", "--defined-only", PLUGIN).splitlines()]
    assert exported == ["cnnsweep_engine_plugin"], exported


def test_cpu_engines_compute_in_fp32():
    for device in ("cpu", "ref"):
        done = run("train", "job.yaml", "--out", "never", "--device", device, "--precision", "bf16")
        assert_refused(done, "precision bf16: engine ", "computes in fp32", "hint: ")
    assert_refused(run("train", "job.yaml", "--out", "never", "--precision", "bf61"), "did you mean 'bf16'?")


def test_engine_and_precision_are_in_the_table_and_the_journal():
    run_ok("train", "job.yaml", "--force", "--device", "ref", "--deterministic")
    for trial in read_trials("results/tiny"):
        assert (trial["engine"], trial["precision"], trial["deterministic"]) == ("ref", "fp32", "true"), trial
    start = read_journal("results/tiny")[0]
    assert (start["engine"], start["precision"], start["deterministic"]) == ("ref", "fp32", True), start


def test_a_resumed_table_has_the_engine_of_each_row():
    run_ok("train", "job.yaml", "--force", "--device", "ref", "--set", "sweep.parameters.lr=[0.001]")
    run_ok("train", "job.yaml", "--resume", "--device", "cpu")
    engines = {(trial["lr"], trial["engine"]) for trial in read_trials("results/tiny")}
    cpu = [event for event in read_journal("results/tiny") if event["event"] == "start"][-1]["engine"]
    assert engines == {("0.001", "ref"), ("0.0003", cpu)}, engines


def test_a_sweep_is_not_resumed_in_another_precision():
    run_ok("train", "job.yaml", "--force", "--device", "cpu")
    before = read_journal("results/tiny")
    done = run("train", "job.yaml", "--resume", "--device", "cpu", "--deterministic")
    assert done.returncode == 1 and "was begun with precision fp32" in done.stderr, done.stderr
    journal = path("results/tiny/journal.jsonl")
    with open(journal) as file:
        text = file.read().replace('"precision":"fp32"', '"precision":"bf16"', 1)
    with open(journal, "w") as file:
        file.write(text)
    done = run("train", "job.yaml", "--resume", "--device", "cpu")
    assert done.returncode == 1 and "was begun with precision bf16, this is precision fp32" in done.stderr, done.stderr
    assert len(read_journal("results/tiny")) == len(before), "nothing was added"


def test_a_journal_without_precision_is_resumed():
    run_ok("train", "job.yaml", "--force", "--device", "cpu")
    journal = path("results/tiny/journal.jsonl")
    with open(journal) as file:
        text = file.read().replace('"precision":"fp32","deterministic":false,', "")
    with open(journal, "w") as file:
        file.write(text)
    run_ok("train", "job.yaml", "--resume", "--device", "cpu")


run_tests(globals())
