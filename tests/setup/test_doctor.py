"""`doctor`: each finding is right on this machine, and tells what to do when it is not."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from pipeline import doctor
from pipeline.system_libraries import Trial, Verdict

GOOD = Verdict((), (Trial("bpy", True, "5.2.3 LTS", None), Trial("cv2", True, "4.10", None)))
NO_GL = Verdict(
    ("libGL.so.1",), (Trial("bpy", True, "5.2.3 LTS", None), Trial("cv2", False, "ImportError", "libGL.so.1"))
)


def test_blender_must_belong_to_the_python() -> None:
    assert doctor.examine_blender(GOOD, (3, 13)).ok
    wrong = doctor.examine_blender(GOOD, (3, 11))
    assert not wrong.ok
    assert "4.5" in wrong.remedy


def test_python_without_blender_is_a_problem() -> None:
    assert doctor.examine_python((3, 11)).ok
    assert doctor.examine_python((3, 13)).ok
    assert not doctor.examine_python((3, 12)).ok


def test_missing_system_library_gives_the_line_that_installs_it() -> None:
    for finding in [doctor.examine_system_libraries(NO_GL), *doctor.examine_binary_modules(NO_GL)]:
        assert not finding.ok
        assert "apt-get install -y --no-install-recommends libgl1" in finding.remedy
    assert doctor.examine_system_libraries(GOOD).ok


def test_missing_distribution_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.examine_versions().ok
    monkeypatch.setattr(doctor, "LIBRARIES", ("numpy", "surely-not-installed"))
    finding = doctor.examine_versions()
    assert not finding.ok
    assert finding.found == "not installed: surely-not-installed"


def test_full_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 2**20

    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: Usage)
    finding = doctor.examine_disk(tmp_path)
    assert not finding.ok
    assert str(tmp_path) in finding.found
    assert "--out" in finding.remedy


def test_temporary_folder_that_is_gone_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.examine_temporary_folder().ok
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    finding = doctor.examine_temporary_folder()
    assert not finding.ok
    assert "TMPDIR" in finding.remedy


def test_processors_are_those_this_process_may_use() -> None:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert doctor.examine_processors().found.startswith(f"{usable} of ")


@pytest.mark.bpy
def test_this_machine_is_well() -> None:
    findings = {finding.what: finding for finding in doctor.examine()}
    assert all(finding.ok == (finding.remedy == "") for finding in findings.values())
    assert findings["Blender (bpy)"].ok, findings["Blender (bpy)"]
    assert findings["system libraries"].ok, findings["system libraries"]
