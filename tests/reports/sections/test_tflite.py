from dataclasses import asdict
from pathlib import Path
from typing import Any

from data import files
from embedded.tflite.parity import Agreement, Parity
from reports.sections.tflite import converted_lines
from reports.sources import results
from tests.study import finished


def parity(kind: str, **runtimes: Agreement) -> dict[str, Any]:
    return asdict(
        Parity(
            kind, "streaming", 16, 5000, 3000, "", 10.0, 1e-7, 5.0, 0.01, runtimes, None
        )
    )  # fmt: skip


def test_the_boards_kernels_are_told_from_exact_to_coarse(tmp_path: Path) -> None:
    store = finished.grid(tmp_path / "grid", finished.config(), validation_esr=0.1, esr=0.1)
    [run] = store.runs()
    assert converted_lines(results.read(store)) == ()
    exact, coarse = Agreement(1e-7, 1e-13, 0.01), Agreement(0.1, 0.05, 0.075)
    folder = store.root / "tflite" / run.run_id
    folder.mkdir(parents=True)
    files.write_json(
        folder / "parity.json",
        {
            "a": parity("int8", litert=exact, micro=coarse),
            "b": parity("float32", litert=exact),
        },
    )
    first, second = converted_lines(results.read(store))
    assert (first.kind, first.growth, first.esr) == ("float32", "1.00", "0.01000")
    assert (second.kind, second.growth, second.largest_error) == ("int8", "7.50", "1.0e-01")
    assert (first.kernels, second.kernels) == ("LiteRT", "TFLite Micro")
    assert (first.carried, first.tested) == ("10.0", "5.0")
    assert (first.file_bytes, first.arena_bytes, first.form) == (
        "5,000",
        "3,000",
        "streaming, 16 a call",
    )


def test_a_file_cut_short_is_none(tmp_path: Path) -> None:
    store = finished.grid(tmp_path / "grid", finished.config(), validation_esr=0.1, esr=0.1)
    [run] = store.runs()
    folder = store.root / "tflite" / run.run_id
    folder.mkdir(parents=True)
    (folder / "parity.json").write_text('{"a": ')
    assert converted_lines(results.read(store)) == ()
