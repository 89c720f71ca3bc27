"""`doctor` prints what was found; what is missing comes with its remedy, and exit code 3."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from pipeline import doctor
from pipeline.cli import main

GOOD = doctor.Finding("Python", True, "3.13.0")
BAD = doctor.Finding("system libraries", False, "no libXi.so.6", "apt-get install -y libxi6")


@pytest.mark.parametrize(("findings", "code"), [([GOOD], 0), ([GOOD, BAD], 3), ([BAD], 3)])
def test_findings_are_printed_and_the_exit_code_follows(monkeypatch, findings, code):
    monkeypatch.setattr(doctor, "examine", lambda: findings)
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == code
    assert ("ok      Python: 3.13.0" in done.output) == (GOOD in findings)
    assert ("MISSING system libraries: no libXi.so.6\n        apt-get install -y libxi6" in done.output) == (
        BAD in findings
    )
