"""Grid files: every committed one builds, every mistake is named, ids hash everything."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from data import audio, dry, effects
from data.devices import recorded
from data.effects import Effect
from data.errors import InputError
from models import sequence
from models.architecture import Architecture
from models.framed import build
from study.config import grid
from study.config.grid import Grid
from study.config.run import NEUTRAL, RunConfig, SignalConfig, effect_names
from study.store.tables import described
from tests import tiny


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def load(folder: Path, keys: str) -> Grid:
    """A grid of one block with these keys, and an effect unless they name one."""
    effect = "" if "effect" in keys else 'effect = "sd1"\n'
    return grid.load(write(folder, f"[[runs]]\n{effect}{keys}"))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return record(tmp_path_factory.mktemp("recording"))


def record(folder: Path, level: float = 1.0) -> tuple[str, str]:
    pair = tiny.pair()
    paths = folder / "guitar.wav", folder / "pedal.wav"
    audio.write(paths[0], pair.dry, tiny.RATE_HZ)
    audio.write(paths[1], np.float32(level) * pair.wet, tiny.RATE_HZ)
    return str(paths[0]), str(paths[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", grid.committed_names())
def test_every_model_of_every_committed_grid_builds(name: str, recording: tuple[str, str]) -> None:
    loaded = grid.load(name, recording if name == "real" else None)
    assert loaded.name == name
    assert loaded.title == grid.title(name)
    assert len({run.run_id for run in loaded.runs}) == len(loaded.runs) > 1
    for run in {(run.architecture, run.training): run for run in loaded.runs}.values():
        if run.training == "sequence":
            model = sequence.build(run.architecture, seed=0)
            assert model.output_shape == (None, None, 1)
        else:
            assert build(run.architecture, seed=0).output_shape == (None, 1)


PUBLISHED = '[[runs]]\neffect = "sd1"\n[[published]]\neffect = "{}"\n{}'


def test_published_figures_are_read_with_their_source(tmp_path: Path) -> None:
    entry = 'structure = "LSTM"\nesr = 0.02\nsource = "a paper"'
    [found] = grid.load(write(tmp_path, PUBLISHED.format("sd1", entry))).published
    assert found.model_dump() == {
        "effect": "sd1",
        "structure": "LSTM",
        "esr": 0.02,
        "source": "a paper",
    }
    without = 'structure = "LSTM"\nsource = "a paper"'
    [found] = grid.load(write(tmp_path, PUBLISHED.format("sd1", without))).published
    assert found.esr is None


def test_published_figures_are_not_of_a_recording(recording: tuple[str, str]) -> None:
    assert len(grid.load("paper").published) == 1
    assert grid.load("paper", recording).published == ()


@pytest.mark.parametrize(
    ("effect", "entry", "expected"),
    [
        ("muff", 'structure = "x"\nsource = "y"', "expected one of sd1; found 'muff'"),
        ("sd1", 'structure = "x"', "key 'source'"),
        ("sd1", 'structure = "x"\nsource = "y"\nesr = -1', "greater than or equal to 0"),
    ],
)
def test_a_published_figure_without_sense_is_refused(
    effect: str, entry: str, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=expected):
        grid.load(write(tmp_path, PUBLISHED.format(effect, entry)))


def test_the_grid_for_recordings_asks_for_one() -> None:
    with pytest.raises(InputError, match=r"DRY=a\.wav WET=b\.wav"):
        grid.load("real")


def test_a_recording_takes_the_place_of_all_effects(recording: tuple[str, str]) -> None:
    alone, replaced = grid.load("smoke"), grid.load("smoke", recording)
    assert len(alone.runs) == len(replaced.runs)
    assert {run.effect["kind"] for run in replaced.runs} == {"recording"}
    assert {run.effect["name"] for run in replaced.runs} == {"pedal"}


def test_every_combination_of_lists_is_a_run(tmp_path: Path) -> None:
    text = 'family = ["lstm", "gru"]\nunits = [4, 8, 16]\nseed = [0, 1]\nepochs = 3\n'
    runs = load(tmp_path, text).runs
    assert len(runs) == 12
    assert {(r.family, r.units, r.seed) for r in runs} == {
        (family, units, seed)
        for family in ("lstm", "gru")
        for units in (4, 8, 16)
        for seed in (0, 1)
    }
    assert {r.epochs for r in runs} == {3}


def test_effects_with_controls_are_an_axis(tmp_path: Path) -> None:
    runs = load(tmp_path, 'effect = ["black65", {name = "sd1", drive = 0.2}]\nseed = [0, 1]').runs
    assert [run.effect["name"] for run in runs] == ["black65", "black65", "sd1", "sd1"]
    assert runs[2].effect["controls"]["drive"] == 0.2
    assert runs[2].made_by.controls["drive"] == 0.2


def test_checkpoint_epochs_are_one_value(tmp_path: Path) -> None:
    [run] = load(tmp_path, "checkpoint_epochs = [5, 10]").runs
    assert run.checkpoint_epochs == (5, 10)


def test_a_run_in_two_blocks_is_done_once(tmp_path: Path) -> None:
    text = '[[runs]]\neffect = "sd1"\nunits = [4, 8]\n[[runs]]\neffect = "sd1"\nunits = [8, 16]\n'
    loaded = grid.load(write(tmp_path, text))
    assert [run.units for run in loaded.runs] == [4, 8, 16]
    assert (loaded.name, loaded.title) == ("mine", "mine")


def test_sequences_have_their_own_defaults(tmp_path: Path) -> None:
    [run] = load(tmp_path, 'training = "sequence"').runs
    assert (run.loss, run.batch_size) == ("esr_preemph_dc", 16)
    [other] = load(tmp_path, 'training = "sequence"\nloss = "mae"\nbatch_size = 8').runs
    assert (other.loss, other.batch_size) == ("mae", 8)
    assert run.run_id.startswith("sd1-lstm-1x16-w256-e50-s0-")


def test_a_segment_holds_the_whole_windows_of_its_time(tmp_path: Path) -> None:
    [half] = load(tmp_path, 'training = "sequence"').runs
    assert half.segment == (1000, 256, 43)  # 11,008 of 11,025 samples
    [one] = load(tmp_path, 'training = "sequence"\nsequence_seconds = 0.05').runs
    assert one.segment == (1000, 256, 4)


def test_a_reversed_run_says_so_and_shares_nothing_with_the_other(tmp_path: Path) -> None:
    forward, back = load(tmp_path, 'direction = ["forward", "reversed"]').runs
    assert (forward.effect_name, back.effect_name) == ("sd1", "sd1 (wet to dry)")
    assert forward.pair_key != back.pair_key


def test_settings_of_one_effect_are_told_apart_in_both_directions(tmp_path: Path) -> None:
    text = (
        '[[runs]]\neffect = [{name = "sd1", drive = 0.1}, {name = "sd1", drive = 0.9}, "muff"]\n'
        'direction = ["forward", "reversed"]\n'
    )
    drives = {"sd1 (drive=0.1, tone=0.5, level=0.5)", "sd1 (drive=0.9, tone=0.5, level=0.5)"}
    named = effect_names({run.run_id: run for run in grid.load(write(tmp_path, text)).runs})
    there = drives | {"muff"}
    assert sorted(named.values()) == sorted(there | {f"{name} (wet to dry)" for name in there})

    entry = '[[published]]\neffect = "{}"\nstructure = "LSTM"\nsource = "a paper"\n'
    with pytest.raises(InputError, match=r"(?s)one of sd1 \(drive=0\.1.*found 'sd1'"):
        grid.load(write(tmp_path, text + entry.format("sd1")))
    for name in drives:
        [found] = grid.load(write(tmp_path, text + entry.format(name))).published
        assert found.effect == name


def test_all_runs_share_the_signal(tmp_path: Path) -> None:
    text = '[signal]\nseconds = 60\nsplit = "sequential"\n[[runs]]\neffect = "sd1"\nseed = [0, 1]'
    loaded = grid.load(write(tmp_path, text))
    assert {run.signal for run in loaded.runs} == {SignalConfig(seconds=60, split="sequential")}


# Keys of a block -> what the message must hold.
MISTAKES = {
    "unit = 16": ["key 'unit'", "units", "Did you mean 'units'?"],
    "quite_other = 1": ["key 'quite_other'", "frame_size", "Remove it."],
    "signal = 1": ["key 'signal'", "one of effect, family"],
    'units = "many"': ["key 'units'", "a valid integer", "'many'"],
    'units = "16"': ["key 'units'", "a valid integer", "'16'"],
    "residual = 1": ["key 'residual'", "a valid boolean", "found 1"],
    "seed = true": ["key 'seed'", "a valid integer", "True"],
    "units = 2.5": ["key 'units'", "a valid integer", "2.5"],
    "units = [4, 0]": ["key 'units'", "greater than or equal to 1", "found 0"],
    "units = []": ["key 'units'", "an empty list"],
    "learning_rate = 2": ["key 'learning_rate'", "less than or equal to 1", "found 2"],
    "learning_rate = nan": ["key 'learning_rate'", "finite", "nan"],
    "frame_size = 1": ["key 'frame_size'", "greater than or equal to 2"],
    "frame_size = 513": ["key 'frame_size'", "less than or equal to 512", "found 513"],
    'family = "transformer"': ["key 'family'", "'lstm'", "'conv'", "'transformer'"],
    'loss = "l1"': ["key 'loss'", "'mae'", "'esr_preemph_dc'", "'l1'"],
    "checkpoint_epochs = [99]": ["checkpoint_epochs [99] lie beyond"],
    "checkpoint_epochs = [0]": ["key 'checkpoint_epochs.0'", "greater than or equal to 1"],
    "checkpoint_epochs = 5": ["key 'checkpoint_epochs'", "found 5"],
    'family = "conv"\nframe_size = 8\nlayers = 2': ["more than 8 samples", "fewer layers"],
    'training = "sequences"': ["key 'training'", "'framed' or 'sequence'", "'sequences'"],
    'training = "sequence"\nfamily = "dense"': ["lstm, gru, rnn, conv_gru", "no state to carry"],
    'family = "conv_gru"': ['conv_gru model takes training = "sequence"'],
    'training = "sequence"\ntraining_frames = 10': ["training_frames does not apply", "leave it"],
    'training = "sequence"\nstreaming_epochs = 1': ["streaming_epochs does not apply"],
    'loss = "esr_preemph_dc_stft"': ["spans of consecutive samples", 'training = "sequence"'],
    'training = "sequence"\nloss = "esr_preemph_dc_stft"\nwindow_samples = 128': [
        "256 samples at a time; set window_samples to 256 or more"
    ],
    'family = "conv"\nstreaming_epochs = 2': ["conv model has no state, so no streaming_epochs"],
    "window_samples = 1024": ['window_samples needs training = "sequence" or streaming_epochs'],
    "window_samples = 100\nstreaming_epochs = 1": ["key 'window_samples'", "a multiple of 64"],
    'direction = "back"': ["key 'direction'", "'forward' or 'reversed'"],
    'effect = "sd2"': ["'sd2'", "sd1, black65", "Did you mean 'sd1'?"],
    "effect = 7": ["effect", "found 7"],
    "effect = []": ["key 'effect'", "an empty list"],
    'effect = {name = "sd1", drive = 2}': ["drive", "from 0 to 1", "found 2"],
    'effect = {name = "sd1", gain = 1}': ["sd1", "drive or tone or level", "'gain'"],
    'effect = {name = "sd1", drive = "full"}': ["drive", "a number", "'full'"],
    'effect = {name = "x", lv2 = 3}': ["key lv2", "the URI", "found 3"],
    'effect = {name = "x", dry = "only.wav"}': ["the two keys dry and wet"],
    'effect = {name = "x", lv2 = "--version"}': ["'--version'", "a URI, such as"],
    'effect = {name = "x", lv2 = ""}': ["a URI, such as"],
    'effect = {name = "lv2:-h"}': ["'-h'", "a URI, such as"],
    'effect = {name = "x", lv2 = "\\u0000"}': ["texts without control characters"],
    "training_frames = 9223372036854775807": ["'training_frames'", "equal to 1000000000"],
    "training_frames = 9223372036854775808": ["whole numbers of 64 bits", "one of 64 bits"],
    "epochs = 9223372036854775807": ["key 'epochs'", "less than or equal to 1000000"],
    "patience = 9223372036854775807": ["key 'patience'", "less than or equal to 1000000"],
    "batch_size = 9223372036854775807": ["key 'batch_size'", "less than or equal to 1000000"],
    "validation_frames = 9223372036854775807": ["key 'validation_frames'", "less than or equal"],
    "antialias_epochs = 9223372036854775807": ["key 'antialias_epochs'", "less than or equal"],
    "streaming_epochs = 9223372036854775807": ["key 'streaming_epochs'", "less than or equal"],
    "warmup_samples = 9223372036854775807": ["key 'warmup_samples'", "less than or equal"],
    "window_samples = 9223372036854775744": ["key 'window_samples'", "less than or equal"],
    "units = 9223372036854775807": ["key 'units'", "less than or equal to 1024"],
    f"seed = 0x{'f' * 9000}": ["whole numbers of 64 bits", "one of 36000 bits"],
    f"units = {'9' * 5000}": ["a TOML file"],
    f"seed = {'[' * 100_000}{']' * 100_000}": ["at most 8 deep"],
    f"seed = {'[' * 200}{']' * 200}": ["at most 8 deep"],
    f"controls = {'{a = ' * 200}1{'}' * 200}": ["at most 8 deep"],
    f"seed = {list(range(200_000))}": ["at most 1,000,000 bytes"],
    f"loss = '{'x' * 1000}'": ["xxx..."],
    f"seed = {list(range(10_001))}": ["at most 10,000 runs", "stand for 10,001"],
    "".join(f"{key} = {list(range(1, 101))}\n" for key in ("seed", "units", "epochs")): [
        "at most 10,000 runs",
        "stand for 1,000,000",
        "Shorten the lists",
    ],
    'knobs = "conditioned"\ncontrols = {'
    + ", ".join(f"{key} = {[n / 100 for n in range(100)]}" for key in ("drive", "tone", "level"))
    + "}": ["at most 256 settings", "1,000,000"],
    'effect = {name = "x", dry = "no.wav", wet = "no.wav"}': ["no.wav", "no such file"],
}


@pytest.mark.parametrize("keys", MISTAKES, ids=lambda keys: keys[:60])
def test_a_mistake_is_named_with_what_is_allowed(keys: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, keys)
    for part in MISTAKES[keys]:
        assert part in str(caught.value)
    assert len(str(caught.value)) < 1000


FILES = {
    "runs = [": ["a TOML file", "mine.toml"],
    "": ["at least one [[runs]] block"],
    "runs = 3": ["at least one [[runs]] block"],
    "runs = [1, 2]": ["block 1", "a table of keys", "found 1"],
    "[singal]\n[[runs]]": [
        "key 'singal'",
        "title, signal, runs, published",
        "Did you mean 'signal'?",
    ],
    "signal = 3\n[[runs]]": ["[signal]", "a valid dictionary"],
    "[signal]\nseconds = 5\n[[runs]]": ["key 'seconds'", "greater than or equal to 20", "found 5"],
    "[signal]\nsegment = 5\n[[runs]]": ["key 'segment'", "segment_seconds"],
    "[[runs]]\nunits = 4": ["block 1", "no key effect"],
    f"{'a' * 10_000} = 1": ["at most 1,000 characters", "aaa..."],
    f"[[runs]]\neffect = {{name = {list(range(1000))}}}": ["block 1", "a name", "5, 6, 7"],
}


@pytest.mark.parametrize("text", FILES)
def test_a_wrong_file_is_named_with_what_is_expected(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        grid.load(write(tmp_path, text))
    for part in FILES[text]:
        assert part in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_blocks_have_no_more_runs_together_than_one(tmp_path: Path) -> None:
    block = '[[runs]]\neffect = "sd1"\nunits = {}\nseed = {}\n'
    text = "".join(block.format(units, list(range(6000))) for units in (4, 8))
    with pytest.raises(InputError, match="blocks together: expected at most 10,000 runs"):
        grid.load(write(tmp_path, text))


def test_a_grid_knows_how_it_was_asked_for(recording: tuple[str, str]) -> None:
    loaded = grid.load("smoke", recording)
    assert (loaded.source, loaded.recording) == ("smoke", recording)


def test_the_name_of_the_folder_of_pairs_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pairs.toml"
    file.write_text('[[runs]]\neffect = "sd1"\n')
    with pytest.raises(InputError, match="a name other than 'pairs'"):
        grid.load(str(file))


def test_an_unknown_grid_lists_the_committed_ones() -> None:
    with pytest.raises(InputError, match=r"quick, real, .*smoke.*Did you mean 'smoke'\?"):
        grid.load("smok")


# Another value for every field.
OTHERS: dict[str, Any] = {
    "effect": tiny.config().effect | {"version": 2},
    "signal": SignalConfig(seed=1),
    "family": "lstm",
    "layers": 2,
    "units": 5,
    "frame_size": 17,
    "features": 3,
    "kernel_sizes": (2,),
    "dilations": (1, 3),
    "residual": True,
    "training": "sequence",
    "direction": "reversed",
    "training_frames": 201,
    "epochs": 7,
    "batch_size": 65,
    "learning_rate": 0.002,
    "schedule": "constant",
    "weight_decay": 0.01,
    "clip_norm": 1.0,
    "loss": "mse",
    "sample_rate_hz": 8001,
    "seed": 1,
    "validation_frames": 257,
    "patience": 1,
    "checkpoint_epochs": (2,),
    "antialias_epochs": 1,
    "oversampling": (2,),
    "sequence_seconds": 0.25,
    "warmup_samples": 500,
    "window_samples": 1024,
    "streaming_epochs": 1,
    "knobs": "faded",
    "controls": {"drive": [0.1, 0.5]},
    "unseen": {"drive": [0.3]},
}


def test_another_value_of_any_field_is_another_run() -> None:
    assert set(OTHERS) == set(RunConfig.model_fields)
    config = tiny.config(schedule="cosine")
    ids = [config.run_id]
    for field, value in OTHERS.items():
        assert getattr(config, field) != value
        ids.append(config.model_copy(update={field: value}).run_id)
    assert len(set(ids)) == len(OTHERS) + 1


def test_a_later_field_at_its_neutral_value_leaves_ids_as_they_were() -> None:
    config = tiny.config()
    assert {name: getattr(config, name) for name in NEUTRAL} == NEUTRAL
    before = {k: v for k, v in config.model_dump(mode="json").items() if k not in NEUTRAL}
    content = json.dumps(before | {"pair": config.pair_key}, sort_keys=True)
    assert config.run_id.endswith(hashlib.sha256(content.encode()).hexdigest()[:10])


def test_features_take_a_frame_on_sequences_alone() -> None:
    config = tiny.sequence_config(frame_size=32, features=4)
    assert config.architecture == Architecture("gru", 1, 4, 32, features=4)
    assert "-f32to4-" in config.run_id
    assert config.fir_taps == tiny.sequence_config().fir_taps == 64
    with pytest.raises(ValidationError, match='features of a frame take training = "sequence"'):
        tiny.config(family="gru", features=4)
    with pytest.raises(ValidationError, match="frame_size does not apply"):
        tiny.sequence_config(frame_size=32)
    with pytest.raises(ValidationError, match="features are for lstm, gru"):
        tiny.sequence_config(family="rnn", features=4)


def test_kernels_and_dilations_are_one_value_each_and_of_their_family_alone(tmp_path: Path) -> None:
    keys = 'family = "tcn"\ntraining = "sequence"\nlayers = 3\nunits = [2, 4]\n'
    runs = load(tmp_path, keys + "kernel_sizes = [2, 3]\ndilations = [1, 8, 64]").runs
    assert [run.units for run in runs] == [2, 4]
    assert runs[0].architecture == Architecture(
        "tcn", 3, 2, 64, kernel_sizes=(2, 3), dilations=(1, 8, 64)
    )
    assert described(runs[0])["dilations"] == "1 8 64"
    assert described(tiny.config())["dilations"] is None
    with pytest.raises(ValidationError, match="dilations are for tcn"):
        tiny.sequence_config(dilations=[2])
    with pytest.raises(ValidationError, match='a tcn model takes training = "sequence"'):
        tiny.config(family="tcn")


def test_another_value_of_any_field_of_the_signal_is_another_run() -> None:
    others: dict[str, Any] = {
        "seconds": 30.0,
        "seed": 1,
        "split": "sequential",
        "segment_seconds": 1.0,
        "split_seed": 1,
    }
    assert set(others) == set(SignalConfig.model_fields)
    ids = {tiny.config(signal=SignalConfig(**{key: value})).run_id for key, value in others.items()}
    assert len(ids | {tiny.config().run_id}) == len(others) + 1


def generated() -> RunConfig:
    """A run on the built-in dry signal."""
    return tiny.config(effect=effects.resolve("sd1", Path()).to_dict())


def test_another_version_of_the_dry_signal_is_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    old = generated().run_id
    monkeypatch.setattr(dry, "VERSION", dry.VERSION + 1)
    assert generated().run_id != old


def test_another_version_of_the_importer_is_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    config = tiny.config(effect=Effect("mine", "recording", content="1").to_dict())
    old = config.run_id
    monkeypatch.setattr(dry, "VERSION", dry.VERSION + 1)
    assert config.run_id == old
    monkeypatch.setattr(recorded, "VERSION", recorded.VERSION + 1)
    assert config.run_id != old


def test_a_written_default_is_the_same_run_as_none(tmp_path: Path) -> None:
    [short], [long] = load(tmp_path, "").runs, load(tmp_path, "epochs = 50\nseed = 0").runs
    assert short.run_id == long.run_id


def test_a_moved_recording_is_the_same_run_and_another_take_is_not(tmp_path: Path) -> None:
    def only_run(folder: str, level: float = 1.0) -> str:
        return grid.load("smoke", record(tmp_path / folder, level)).runs[0].run_id

    assert only_run("here") == only_run("there")
    assert only_run("here") != only_run("louder", level=1.1)


def test_relative_recordings_start_at_the_grid_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    [run] = load(tmp_path, 'effect = {name = "x", dry = "guitar.wav", wet = "pedal.wav"}').runs
    assert Path(run.effect["wet_file"]) == tmp_path / "pedal.wav"
    assert Path(run.effect["dry_file"]).is_absolute()


def test_a_configuration_survives_json() -> None:
    config = tiny.config(checkpoint_epochs=(2, 3), learning_rate=0.1 + 0.2)
    copy = RunConfig.model_validate_json(config.model_dump_json())
    assert copy == config
    assert copy.run_id == config.run_id


def test_a_run_id_is_readable_and_safe_as_a_folder_name() -> None:
    effect = tiny.config().effect | {"name": "My Pedal / ../é"}
    run_id = tiny.config(effect=effect, training_frames=2000).run_id
    assert run_id.startswith("My-Pedal------é-dense-1x4-f16-n2k-e6-s0-")
    assert "/" not in run_id


@pytest.mark.parametrize(("name", "begins"), [("-v", "v-"), ("(amp)", "amp-"), ("!", "effect-")])
def test_a_run_id_is_never_taken_for_an_option(name: str, begins: str) -> None:
    effect = Effect(name, "recording", content="tiny").to_dict()
    assert tiny.config(effect=effect).run_id.startswith(begins)


def test_longer_runs_cost_more() -> None:
    assert tiny.config(epochs=12).training_cost == 2 * tiny.config(epochs=6).training_cost


@pytest.mark.parametrize("way", ['training = "sequence"', "streaming_epochs = 3"])
def test_segments_that_do_not_fit_are_refused_before_anything_is_trained(
    tmp_path: Path, way: str
) -> None:
    """5 s of 22,050 Hz are 110,250 samples; in windows they leave 1000 of warm-up no room."""
    with pytest.raises(InputError, match=r"(?s)warmup_samples.*111080 samples.*holds 110250"):
        load(tmp_path, f"{way}\nsequence_seconds = 5")
    [run] = load(tmp_path, f"{way}\nsequence_seconds = 5\nwarmup_samples = 0").runs
    assert run.segment.counted_samples == 110_080


def test_a_signal_too_short_for_its_segments_is_refused_at_once(tmp_path: Path) -> None:
    short = tmp_path / "short.toml"
    short.write_text('[signal]\nseconds = 30\n[[runs]]\neffect = "sd1"\n')
    with pytest.raises(InputError, match="set seconds to 50 or more"):
        grid.load(str(short))
    short.write_text('[signal]\nseconds = 30\nsegment_seconds = 3.0\n[[runs]]\neffect = "sd1"\n')
    assert len(grid.load(str(short)).runs) == 1


def test_a_mistake_in_an_effect_names_the_file_and_the_block(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'drive'") as told:
        load(tmp_path, 'effect = {name = "sd1", drvie = 0.5}\n')
    assert "mine.toml, [[runs]] block 1: control of the circuit sd1" in str(told.value)
