"""The page: complete, blind, and harmless whatever the names."""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.errors import InputError
from reports.listening import anchors, building, database, levels
from reports.listening import key as keys
from reports.listening.key import LOW_ANCHOR, MID_ANCHOR, REFERENCE, Key
from study.store.folders import Store
from tests.reports import synthetic
from tests.reports.listening.studies import (
    AUDIBLE_RATE_HZ,
    SETTINGS,
    audible,
    audible_study,
    families,
)
from tests.reports.page_reader import read_page

HOSTILE = '"><script>alert(1)</script>../../$&--><b>\u2028'


def wav(store: Store, key: Key, token: str) -> bytes:
    script = (building.page_folder(store) / key.build / f"{token}.js").read_text("ascii")
    found = re.fullmatch(
        r'"use strict";\nPedalframe\.deliver\("([0-9a-f]{32})", "([A-Za-z0-9+/=]+)"\);\n', script
    )
    assert found and found[1] == token
    return base64.b64decode(found[2])


def samples(store: Store, key: Key, token: str) -> np.ndarray:
    return soundfile.read(io.BytesIO(wav(store, key, token)))[0]


def by_condition(key: Key, item: str) -> dict[str, str]:
    return {key.stimuli[token].condition: token for token in key.stimuli_of(item)}


def test_every_item_has_every_condition_once(key: Key) -> None:
    assert len(key.items) == 2
    for item in key.items:
        found = by_condition(key, item)
        assert len(found) == len(key.stimuli_of(item)) == 7
        assert set(found) == set(key.labels) >= {REFERENCE, LOW_ANCHOR, MID_ANCHOR}
        assert set(key.abx[item]) == set(key.sides)


def test_files_are_alike_in_all_but_sound(heard: Store, key: Key) -> None:
    for item in key.items:
        files = [
            wav(heard, key, token) for token in [*key.stimuli_of(item), *key.abx[item].values()]
        ]
        assert len({len(file) for file in files}) == 1
        assert len({file[:44] for file in files}) == 1  # RIFF, fmt and data headers, no more
        assert files[0][36:40] == b"data"
        assert len(set(files)) == len(files), "equal bytes would give the reference away"
    folder = building.page_folder(heard) / key.build
    assert {path.stem for path in folder.iterdir()} == key.file_tokens


def test_conditions_are_equally_loud_and_do_not_clip(heard: Store, key: Key) -> None:
    for item in key.items:
        for token in [*key.stimuli_of(item), *key.abx[item].values(), key.open_references[item]]:
            sound = samples(heard, key, token)
            assert abs(sound).max() < 0.9
            reference = samples(heard, key, key.open_references[item])
            loudness = [levels.loudness_lufs(x, AUDIBLE_RATE_HZ) for x in (sound, reference)]
            assert loudness[0] == pytest.approx(loudness[1], abs=0.02)


def test_anchors_are_the_reference_without_its_treble(heard: Store, key: Key) -> None:
    for item in key.items:
        found = by_condition(key, item)
        power = {
            name: np.abs(np.fft.rfft(samples(heard, key, found[name]))) ** 2
            for name in (REFERENCE, MID_ANCHOR, LOW_ANCHOR)
        }
        frequency_hz = np.fft.rfftfreq(
            len(samples(heard, key, found[REFERENCE])), 1 / AUDIBLE_RATE_HZ
        )
        for name, cutoff_hz in ((MID_ANCHOR, anchors.MID_HZ), (LOW_ANCHOR, anchors.LOW_HZ)):
            above = frequency_hz > cutoff_hz * anchors.STOP_BAND
            assert power[name][above].sum() < 1e-3 * power[REFERENCE][above].sum()


def test_the_page_does_not_tell_what_the_stimuli_are(heard: Store, key: Key) -> None:
    folder = building.page_folder(heard)
    page = (folder / "index.html").read_text("utf-8")
    content = json.loads(read_content(page))
    assert not re.search("anchor|gain", json.dumps(content), re.IGNORECASE)
    assert not any(run_id in page for run_id in heard.manifest()["runs"])
    rated = {token for tokens in content["stimuli"].values() for token in tokens}
    named = {token for files in content["abx"].values() for token in files.values()}
    assert rated == set(key.stimuli)
    assert not rated & (named | set(content["references"].values()))
    assert all(tokens == sorted(tokens) for tokens in content["stimuli"].values())
    assert keys.key_file(heard).parent == folder.parent
    assert keys.key_file(heard).stat().st_mode & 0o077 == 0
    assert key.made_from not in "".join(p.read_text("utf-8") for p in folder.glob("*.*"))


def read_content(page: str) -> str:
    found = re.search(r'<script type="application/json" id="content">(.*?)</script>', page, re.S)
    assert found
    return found[1]


def test_nothing_comes_from_the_network(heard: Store, key: Key) -> None:
    for path in building.page_folder(heard).glob("*.*"):
        assert "://" not in path.read_text("utf-8")
    page = read_page(building.page_folder(heard) / "index.html")
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
    policy = next(a["content"] for _, a in page.tags if "http-equiv" in a)
    assert "default-src 'none'" in str(policy) and "unsafe" not in str(policy)


def test_an_unchanged_study_keeps_its_build(heard: Store, key: Key) -> None:
    assert building.build(heard, SETTINGS) == key


def test_other_settings_and_lost_sounds_make_another_build(tmp_path: Path) -> None:
    store = audible_study(tmp_path / "grid", families("lstm"))
    first = building.build(store, SETTINGS)
    second = building.build(store, building.Settings(trials=8, count=2, seconds=1.9))
    folder = building.page_folder(store)
    (folder / ".ipynb_checkpoints").mkdir()
    building.build(store, building.Settings(trials=8, count=2, seconds=1.9))
    (folder / ".ipynb_checkpoints").rmdir()  # foreign, so it stayed
    assert second.trials == 8 and second.build != first.build
    assert [path.name for path in folder.iterdir() if path.is_dir()] == [second.build]
    next((folder / second.build).iterdir()).unlink()
    third = building.build(store, building.Settings(trials=8, count=2, seconds=1.9))
    assert third.build != second.build and not third.file_tokens & second.file_tokens
    assert set(database.builds(store)) == {first.build, second.build, third.build}


def test_an_interrupted_build_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = audible_study(tmp_path / "grid", families("lstm"))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(building, "_write_sounds", interrupted)
        building.build(store, SETTINGS)
    assert list(building.page_folder(store).iterdir()) == []
    assert keys.read(store) is None


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    store = audible_study(tmp_path / "runs" / "a'b", [audible(HOSTILE)], title=HOSTILE)
    building.build(store, SETTINGS)
    page = building.page_folder(store) / "index.html"
    assert "<script>alert" not in page.read_text("utf-8")
    parsed = read_page(page)
    assert len([tag for tag, _ in parsed.tags if tag == "script"]) == 1 + len(building.SCRIPTS)
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}
    assert all(path.is_relative_to(store.root) for path in store.root.rglob("*"))


def test_a_low_rate_leaves_anchors_out_and_says_so(tmp_path: Path) -> None:
    store = synthetic.write_study(tmp_path / "grid", [synthetic.config()])
    key = building.build(store, SETTINGS)
    assert MID_ANCHOR not in key.labels and LOW_ANCHOR not in key.labels
    assert len(key.notes) == 2 and "end at 4,000 Hz" in key.notes[0]


def test_a_rendering_of_another_length_is_refused(tmp_path: Path) -> None:
    run = audible()
    store = audible_study(tmp_path / "grid", [run])
    file = store.run(run.run_id).prediction_file()
    soundfile.write(file, np.zeros(100), AUDIBLE_RATE_HZ)
    with pytest.raises(InputError, match="the scored test split"):
        building.build(store, SETTINGS)
    file.unlink()
    with pytest.raises(InputError, match="no such file"):
        building.build(store, SETTINGS)
