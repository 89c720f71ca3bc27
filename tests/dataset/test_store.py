"""The store: an output is there whole or not at all, whatever happens to the process that makes it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from pipeline.dataset.folders import check_writable, translate_os_error
from pipeline.dataset.store import ActionRecord, Store
from pipeline.errors import DamageFound, EnvironmentProblem
from pipeline.records import sha256_file

KEY = "0123456789abcdef" * 4
CHECKOUT = Path(__file__).parents[2]


def action(key: str = KEY, label: str = "scene") -> ActionRecord:
    return ActionRecord("render", 3, key, label, {"samples": 8}, ({"role": "part", "stage": "part", "key": "ab" * 32},))


def put(store: Store, key: str = KEY, text: str = "pixels") -> None:
    with store.stage_output(action(key)) as staged:
        (staged.folder / "views").mkdir()
        (staged.folder / "views" / "layers.exr").write_text(text)


def python(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )


def staging(root: Path) -> list[Path]:
    return sorted((root / ".staging").iterdir())


def test_output_lies_where_its_key_says_with_every_file_recorded(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.stage_output(action()) as staged:
        (staged.folder / "a.txt").write_bytes(b"12345")
        staged.peak_memory_bytes, staged.numbers, staged.notes = 7, {"render_seconds": 2.0}, ("slow",)
    folder = tmp_path / "store" / "render" / "01" / KEY
    record = store.record("render", KEY)
    assert store.folder("render", KEY) == folder
    assert record.files["a.txt"].bytes == 5
    assert record.files["a.txt"].sha256 == sha256_file(folder / "a.txt")
    assert (record.version, record.label, record.numbers, record.notes) == (
        3,
        "scene",
        {"render_seconds": 2.0},
        ("slow",),
    )
    assert record.peak_memory_bytes == 7
    assert record.inputs[0]["key"] == "ab" * 32
    assert list(store.outputs()) == [("render", KEY)]
    assert staging(tmp_path) == []


def test_nothing_is_visible_while_an_output_is_made(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.stage_output(action()) as staged:
        (staged.folder / "a").write_text("x")
        assert not store.has("render", KEY)
        assert store.is_busy()
        assert list(tmp_path.rglob("a")) == [staged.folder / "a"]
        assert tmp_path / ".staging" in staged.folder.parents
    assert store.has("render", KEY)
    assert not store.is_busy()


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def fail() -> None:
        with store.stage_output(action()) as staged:
            (staged.folder / "half").write_text("x")
            raise KeyError("stage")

    with pytest.raises(KeyError, match="stage"):
        fail()
    assert not store.has("render", KEY)
    assert staging(tmp_path) == []


def test_first_commit_wins_and_the_second_is_dropped(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.stage_output(action()) as slow:
        (slow.folder / "a").write_text("slow")
        put(store, text="fast")
    assert [path.name for path in store.folder("render", KEY).iterdir()] != ["a"]
    assert (store.folder("render", KEY) / "views" / "layers.exr").read_text() == "fast"
    assert staging(tmp_path) == []


def test_an_output_that_lost_its_record_is_made_anew(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, text="old")
    (store.folder("render", KEY) / "record.json").unlink()
    assert not store.has("render", KEY)
    put(store, text="new")
    assert store.has("render", KEY)
    assert (store.folder("render", KEY) / "views" / "layers.exr").read_text() == "new"


def test_kill_in_the_middle_leaves_nothing_visible_and_a_rerun_works(tmp_path: Path) -> None:
    script = """
        import sys, time
        from pathlib import Path
        from pipeline.dataset.store import ActionRecord, Store
        with Store(Path(sys.argv[1])).stage_output(ActionRecord("render", 1, sys.argv[2], "s", {})) as staged:
            (staged.folder / "half").write_text("x" * 100)
            print("working", flush=True)
            time.sleep(600)
    """
    child = python(script, str(tmp_path), KEY)
    assert child.stdout is not None
    assert child.stdout.readline() == "working\n"
    store = Store(tmp_path)
    assert store.clean_staging() == 0, "a folder in use was taken for a leftover"
    assert len(list(tmp_path.rglob("half"))) == 1
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not store.has("render", KEY)
    assert not (tmp_path / "store").exists()
    assert not store.is_busy()
    assert store.clean_staging() == 1
    assert staging(tmp_path) == []
    put(store)
    assert store.has("render", KEY)


def test_processes_racing_on_the_same_keys_never_mix_their_files(tmp_path: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from pipeline.dataset.store import ActionRecord, Store
        for number in range(20):
            action = ActionRecord("render", 1, f"{number:064x}", sys.argv[2], {})
            with Store(Path(sys.argv[1])).stage_output(action) as staged:
                for name in ("a", "b", "c"):
                    (staged.folder / name).write_text(sys.argv[2])
    """
    children = [python(script, str(tmp_path), str(number)) for number in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    store = Store(tmp_path)
    assert len(list(store.outputs())) == 20
    for stage, key in store.outputs():
        folder, label = store.folder(stage, key), store.record(stage, key).label
        assert {(folder / name).read_text() for name in ("a", "b", "c")} == {label}
    assert staging(tmp_path) == []


def test_a_removed_output_is_gone_and_can_be_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store)
    store.remove("render", KEY)
    store.remove("render", KEY)
    assert not store.has("render", KEY)
    assert staging(tmp_path) == []
    put(store)
    assert store.has("render", KEY)


def test_a_record_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store)
    (store.folder("render", KEY) / "record.json").write_text('{"stage": "render"}')
    with pytest.raises(DamageFound, match=r"store/render/01/.*record\.json: expected an output record"):
        store.record("render", KEY)


@pytest.mark.parametrize(("stage", "key"), [("../x", KEY), ("render", "../../etc"), ("render", "AB" * 32), ("", KEY)])
def test_names_that_would_leave_the_store_are_refused(tmp_path: Path, stage: str, key: str) -> None:
    with pytest.raises(ValueError, match="expected a stage name and a hex key"):
        Store(tmp_path).folder(stage, key)


def test_paths_for_tables_are_relative_to_the_dataset(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.relative(store.folder("render", KEY)) == f"store/render/01/{KEY}"
    with pytest.raises(ValueError, match="subpath"):
        store.relative(tmp_path.parent / "elsewhere")


def test_a_file_in_the_way_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "dataset").write_text("I am a file")
    for place in (tmp_path / "dataset", tmp_path / "dataset" / "deeper"):
        with pytest.raises(EnvironmentProblem, match="file in the way") as caught:
            check_writable(place)
        assert str(place) in str(caught.value)
        assert caught.value.exit_code == 3


def test_a_file_in_the_way_inside_the_dataset_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("I am a file")
    with pytest.raises(EnvironmentProblem, match="file in the way"):
        put(Store(tmp_path))
    assert staging(tmp_path) == []


def test_a_good_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_too_little_space_is_said_before_work_starts(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"expected at least 1048576000 MiB free"):
        check_writable(tmp_path, need_bytes=1000 * 2**40)


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="needs /dev/full")
def test_a_full_disk_during_a_stage_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def fill_up() -> None:
        with store.stage_output(action()) as staged:
            (staged.folder / "layers.exr").symlink_to("/dev/full")
            (staged.folder / "layers.exr").write_text("x" * 100_000)

    with pytest.raises(EnvironmentProblem, match="found a full disk") as caught:
        fill_up()
    assert caught.value.exit_code == 3
    assert not store.has("render", KEY)
    assert staging(tmp_path) == []


@pytest.mark.parametrize("place", ["write_json", "flush"])
def test_a_full_disk_during_the_commit_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = Store(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(f"pipeline.dataset.store.{place}", full)
        with pytest.raises(EnvironmentProblem, match="full disk"):
            put(store)
    assert not store.has("render", KEY)
    assert staging(tmp_path) == []
    put(store)
    assert store.has("render", KEY)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "full disk"),
        (errno.EDQUOT, "full disk or quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "no permission"),
    ],
)
def test_errors_of_the_folder_become_messages_that_name_it(tmp_path: Path, number: int, message: str) -> None:
    problem = translate_os_error(OSError(number, os.strerror(number), str(tmp_path / "store")), tmp_path)
    assert problem is not None
    assert message in str(problem)
    assert str(tmp_path) in str(problem)


def test_a_full_temporary_folder_is_named_instead_of_the_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    free = {temporary: 0, tmp_path / "dataset": 2**40}
    monkeypatch.setattr("pipeline.dataset.folders._free_bytes", lambda folder: free[folder])
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert f"temporary files in {temporary}" in str(translate_os_error(full, tmp_path / "dataset"))
    free[tmp_path / "dataset"] = 0
    assert f"room to write in {tmp_path / 'dataset'}" in str(translate_os_error(full, tmp_path / "dataset"))


def test_errors_that_are_not_the_folders_fault_pass_through(tmp_path: Path) -> None:
    elsewhere = str(tmp_path.parent / "part.step")
    assert translate_os_error(PermissionError(errno.EACCES, "no", elsewhere), tmp_path) is None
    assert translate_os_error(FileNotFoundError(errno.ENOENT, "no", str(tmp_path / "x")), tmp_path) is None
    deep = str(tmp_path / ".staging" / "1" / "views")
    assert translate_os_error(FileExistsError(errno.EEXIST, "no", deep), tmp_path) is None

    def make_it_twice() -> None:
        with Store(tmp_path).stage_output(action()) as staged:
            (staged.folder / "views").mkdir()
            (staged.folder / "views").mkdir()

    with pytest.raises(FileExistsError):
        make_it_twice()
